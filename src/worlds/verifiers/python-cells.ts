import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Result, run } from '../sandbox/index.ts'
import type { CellRun, CellRuns, TestRun } from './code-findings.ts'

/**
 * Runs the cells one after the other in one state and reports each on a line of its own behind a word that the code is
 * not told. The value of a last expression is reported as a notebook would show it. Code that searches the interpreter
 * for that word could forge a report; nothing inside one process can prevent it.
 */
const DRIVER = `def drive():
    import ast, contextlib, io, json, os, sys, traceback
    with open('cells.json') as f: spec = json.load(f)
    os.unlink('cells.json')
    out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    space = sys.modules['__main__'].__dict__
    space.pop('drive')
    for number, code in enumerate(spec['cells']):
        record = {'cell': number, 'stdout': '', 'value': None, 'error': None, 'kinds': [], 'ended': False}
        stream = io.StringIO()
        try:
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(io.StringIO()):
                tree = ast.parse(code, 'cell %d' % number)
                last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
                exec(compile(tree, 'cell %d' % number, 'exec'), space)
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), 'cell %d' % number, 'eval'), space)
                    if value is not None: record['value'] = repr(value)
        except SystemExit as e:
            record['ended'] = True
            if e.code not in (None, 0): record['error'] = 'SystemExit: %s' % e.code
        except BaseException as e:
            lines = ''.join(traceback.format_exception_only(type(e), e)).strip().split('\\n')
            record['error'] = lines[-1] if lines[-1].strip() else type(e).__name__
            record['kinds'] = [c.__name__ for c in type(e).__mro__]
        record['stdout'] = stream.getvalue()
        out.write('\\n' + spec['word'] + json.dumps(record) + '\\n'); out.flush()
        if record['ended']: break
drive()
`

const Report = z.object({
  cell: z.number(),
  stdout: z.string(),
  value: z.string().nullable(),
  error: z.string().nullable(),
  kinds: z.array(z.string()),
  /** It ended the program by itself. */
  ended: z.boolean(),
})
type Report = z.infer<typeof Report>

/** Failures that say something about the jail, not about the code: no packages, no files, no network, no input. */
const NOT_ITS_FAULT = ['ImportError', 'OSError', 'EOFError', 'MemoryError', 'KeyboardInterrupt']

/** Runs a program of cells, then tests on its state. @throws GradusError GRD-BOX-001, GRD-BOX-002 */
export async function runPythonCells(
  cells: readonly string[],
  tests: string | null,
  options: { allowLocal: boolean; signal?: AbortSignal },
): Promise<CellRuns> {
  const word = randomUUID()
  const all = tests === null ? cells : [...cells, tests]
  const result = await run({
    language: 'python',
    code: DRIVER,
    files: { 'cells.json': JSON.stringify({ word, cells: all }) },
    ...options,
  })
  const found = reports(result.stdout, word)
  const runs = cellRuns(all.length, found, result)
  const tested = tests === null ? undefined : runs.pop()
  const through = found.get(cells.length)?.ended === false
  return { cells: runs, tests: tested ? asTests(tested, through) : null, level: result.level }
}

function reports(stdout: string, word: string): Map<number, Report> {
  const found = new Map<number, Report>()
  for (const line of stdout.split('\n')) {
    if (!line.startsWith(word)) continue
    try {
      const report = Report.safeParse(JSON.parse(line.slice(word.length)))
      if (report.success && !found.has(report.data.cell)) found.set(report.data.cell, report.data)
    } catch {
      // A line cut by the output limit is no report.
    }
  }
  return found
}

function cellRuns(count: number, found: ReadonlyMap<number, Report>, result: Result): CellRun[] {
  let stopped: string | null = null
  return Array.from({ length: count }, (_, i): CellRun => {
    if (stopped !== null) return { state: 'unclear', why: stopped }
    const report = found.get(i)
    if (!report) {
      stopped = 'comes after a cell that did not end'
      return { state: 'unclear', why: whyNoReport(result) }
    }
    if (report.ended) stopped = 'comes after the program has ended'
    if (report.error === null) return { state: 'ran', stdout: report.stdout, value: report.value }
    stopped = 'comes after a cell that failed'
    const kind = report.kinds.find((name) => NOT_ITS_FAULT.includes(name))
    return kind
      ? { state: 'unclear', why: `needs what the sandbox does not have (${report.error})` }
      : { state: 'failed', stdout: report.stdout, line: report.error }
  })
}

function whyNoReport(result: Result): string {
  const why = { timeout: 'ran out of time', memory: 'ran out of memory', output: 'prints more than the limit' } as const
  if (result.status in why) return why[result.status as keyof typeof why]
  const last = result.stderr.trim().split('\n').at(-1)
  return `ended the interpreter (${last || result.status})`
}

/** Code that ends the program within the tests has not passed them. */
function asTests(run: CellRun, through: boolean): TestRun {
  if (run.state === 'ran')
    return through ? { state: 'passed' } : { state: 'unclear', why: 'were ended before their end' }
  return run.state === 'failed' ? { state: 'failed', line: run.line } : run
}
