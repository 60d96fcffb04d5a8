import { randomUUID } from 'node:crypto'
import { type LevelName, type Result, run } from '../sandbox/index.ts'
import type { CellRun, CellRuns, TestRun } from './code-findings.ts'
import { codeVerifier } from './code-verifier.ts'
import type { Verifier } from './verifier.ts'

/**
 * Runs the JavaScript of a trace in QuickJS, as `python-execution` does with Python.
 *
 * Only the language itself is there: code that needs Node, a browser, timers or modules is `unknown`, and so are
 * differences in printed objects, which every engine shows in its own way.
 */
export const javascriptExecution: Verifier = codeVerifier(
  {
    name: 'javascript-execution',
    summary: 'runs the JavaScript of a trace in QuickJS and compares errors, stated outputs and tests',
    covers:
      'fenced JavaScript and JavaScript interpreter calls that need nothing but the language: errors, stated outputs of plain values, tests of the problem',
    reliability: { incorrect: 0.9, correct: 0.9, scope: 'claims', measured: 'not measured: no set at hand; a guess' },
  },
  'javascript',
  runJavascriptCells,
)

/** Cells of one trace; each costs a run of all before it. */
const MAX_CELLS = 50

/** A program grows cell by cell and runs anew each time, about 3 ms a run; what is printed more is the cell's own. */
async function runJavascriptCells(
  cells: readonly string[],
  tests: string | null,
  options: { allowLocal: boolean; signal?: AbortSignal },
): Promise<CellRuns> {
  const runs: CellRun[] = []
  let program = ''
  let printed = ''
  let level: LevelName = 'quickjs'
  let stopped: string | null = cells.length > MAX_CELLS ? `has more than ${MAX_CELLS} cells` : null
  const next = async (code: string): Promise<CellRun> => {
    if (stopped !== null) return { state: 'unclear', why: stopped }
    // The last statement must be the marker: a program that ends early has not passed.
    const word = randomUUID()
    program += `${code}\n;`
    const result = await run({ language: 'javascript', code: `${program}console.log('${word}')`, ...options })
    level = result.level
    const { state, reason } = judged(result, word, printed)
    if (state.state !== 'ran') stopped = reason
    else printed += state.stdout
    return state
  }
  for (const code of cells) runs.push(await next(code))
  return { cells: runs, tests: tests === null ? null : asTests(await next(tests)), level }
}

/** Names that belong to a host and not to the language. */
const HOST =
  /'?\b(require|process|module|exports|Buffer|setTimeout|setInterval|setImmediate|queueMicrotask|fetch|document|window|alert|prompt|URL|TextEncoder|TextDecoder|performance|structuredClone|Intl|crypto|global|__dirname)\b'? is not defined|could not load module/

/** Syntax of modules, and names declared again, which a notebook allows and a script does not. */
const NOT_A_SCRIPT = /redeclaration|redefinition|unsupported keyword: (export|import)|\bmodule\b|import|export|await/i

function judged(result: Result, word: string, printed: string): { state: CellRun; reason: string } {
  const failed = 'comes after a cell that failed'
  const unclear = (why: string) => ({
    state: { state: 'unclear' as const, why },
    reason: 'comes after a cell that did not end',
  })
  if (result.status === 'ok') {
    if (!result.stdout.startsWith(printed)) return unclear('prints something else each time')
    const end = result.stdout.lastIndexOf(`${word}\n`)
    if (end < 0) return unclear('ended before its last line')
    const stdout = result.stdout.slice(printed.length, end) + result.stdout.slice(end + word.length + 1)
    return { state: { state: 'ran', stdout, value: null }, reason: '' }
  }
  const line = result.stderr.trim().split('\n').at(-1) ?? ''
  if (result.status !== 'error') return unclear(`ended with ${result.status}`)
  if (HOST.test(line)) return unclear(`needs what QuickJS does not have (${line})`)
  if (line.startsWith('SyntaxError') && NOT_A_SCRIPT.test(line)) return unclear(`is not a plain script (${line})`)
  const stdout = result.stdout.startsWith(printed) ? result.stdout.slice(printed.length) : ''
  return { state: { state: 'failed', stdout, line }, reason: failed }
}

function asTests(run: CellRun): TestRun {
  if (run.state === 'ran') return { state: 'passed' }
  return run.state === 'failed' ? { state: 'failed', line: run.line } : run
}
