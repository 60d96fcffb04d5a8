import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type LevelName, run } from '../sandbox/index.ts'

/** What the tests say about one program. */
export interface MutantRun {
  /** `timeout` = it did not end in time; `not-run` = the time of all was used up. */
  outcome: 'passed' | 'failed' | 'timeout' | 'not-run'
  /** Last line of the error; empty where the tests pass. */
  why: string
  seconds: number
}

export interface MutantRuns {
  /** The program as it is, run twice. */
  base: [MutantRun, MutantRun]
  /** Lines that the tests reach, from 1. */
  covered: number[]
  mutants: MutantRun[]
  level: LevelName
}

/**
 * Forks one process for each program, so that mutants share nothing; each tells its end through a pipe, behind a word
 * that the code is not told. A mutant has ten times the time of the base, at least half a second.
 */
const DRIVER = `def drive():
    import json, os, signal, sys, time, traceback
    with open('spec.json') as f: spec = json.load(f)
    os.unlink('spec.json')
    out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    ends = time.monotonic() + spec['total']
    def child(code, write, trace):
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2): os.dup2(null, fd)
        lines = set()
        def local(frame, event, arg):
            if event == 'line': lines.add(frame.f_lineno)
            return local
        def tracer(frame, event, arg):
            if frame.f_code.co_filename != 'program': return None
            lines.add(frame.f_lineno)
            return local
        error = ''
        space = {'__name__': '__main__'}
        try:
            compiled = compile(code, 'program', 'exec')
            if trace: sys.settrace(tracer)
            exec(compiled, space)
            exec(compile(spec['tests'], 'tests', 'exec'), space)
        except BaseException as e:
            text = traceback.format_exception_only(type(e), e)
            error = (text[-1].strip() or type(e).__name__)[:300]
            if error == 'AssertionError':
                for entry in traceback.extract_tb(e.__traceback__):
                    if entry.filename == 'tests': error = 'AssertionError: ' + spec['tests'].split(chr(10))[entry.lineno - 1].strip()[:200]
        sys.settrace(None)
        os.write(write, (spec['word'] + json.dumps({'error': error, 'lines': sorted(lines)})).encode())
        os._exit(0)
    def once(code, limit, trace=False):
        started = time.monotonic()
        if started > ends: return {'outcome': 'not-run', 'why': 'the time of all was used up', 'seconds': 0, 'lines': []}
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            signal.setitimer(signal.ITIMER_REAL, limit)
            child(code, write, trace)
        os.close(write)
        data = b''
        while True:
            part = os.read(read, 65536)
            if not part: break
            data += part
        os.close(read)
        _, status = os.waitpid(pid, 0)
        taken = time.monotonic() - started
        text = data.decode('utf-8', 'replace')
        if text.startswith(spec['word']):
            record = json.loads(text[len(spec['word']):])
            return {'outcome': 'failed' if record['error'] else 'passed', 'why': record['error'], 'seconds': taken, 'lines': record['lines']}
        late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
        return {'outcome': 'timeout' if late else 'failed', 'why': 'did not end within %.1f s' % limit if late else 'ended the interpreter', 'seconds': taken, 'lines': []}
    def tell(record): out.write('\\n' + spec['word'] + json.dumps(record) + '\\n'); out.flush()
    first = once(spec['base'], spec['limit'], True)
    tell(first)
    if first['outcome'] == 'timeout': tell(first); return
    again = once(spec['base'], spec['limit'])
    tell(again)
    if first['outcome'] != 'passed' or again['outcome'] != 'passed': return
    limit = min(spec['limit'], max(0.5, 10 * first['seconds']))
    for code in spec['mutants']: tell(once(code, limit))
drive()
`

const Report = z.object({
  outcome: z.enum(['passed', 'failed', 'timeout', 'not-run']),
  why: z.string(),
  seconds: z.number(),
  lines: z.array(z.number()),
})

/** Wall clock: of one program, and of all; a statement has some ten mutants of milliseconds each. Seconds. */
const LIMIT = { each: 3, all: 60 }

/**
 * The tests on a Python program and on each of its mutants, in one jail of an isolating level.
 *
 * @throws GradusError GRD-BOX-001 where no isolating level runs Python, GRD-BOX-002
 */
export async function runMutants(
  program: string,
  mutants: readonly string[],
  tests: string,
  signal?: AbortSignal,
): Promise<MutantRuns> {
  const word = randomUUID()
  const spec = { word, base: program, mutants, tests, limit: LIMIT.each, total: LIMIT.all }
  const result = await run({
    language: 'python',
    code: DRIVER,
    files: { 'spec.json': JSON.stringify(spec) },
    limits: { seconds: LIMIT.all + 2 * LIMIT.each },
    ...(signal && { signal }),
  })
  const reports = result.stdout.split('\n').flatMap((line) => (line.startsWith(word) ? readReport(line, word) : []))
  const at = (i: number): MutantRun => {
    const { outcome, why, seconds } = reports[i] ?? {
      outcome: 'not-run',
      why: `the run ended early (${result.status})`,
      seconds: 0,
    }
    return { outcome, why, seconds }
  }
  return {
    base: [at(0), at(1)],
    covered: reports[0]?.lines ?? [],
    mutants: mutants.map((_, i) => at(i + 2)),
    level: result.level,
  }
}

function readReport(line: string, word: string): z.infer<typeof Report>[] {
  try {
    return [Report.parse(JSON.parse(line.slice(word.length)))]
  } catch {
    // A line cut by the output limit is no report.
    return []
  }
}
