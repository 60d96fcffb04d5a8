import type { Trace } from '../../core/words.ts'
import type { LevelName } from '../sandbox/index.ts'
import type { Cell } from './code-cells.ts'
import { type Finding, UNKNOWN } from './verifier.ts'

/** What one cell did when it really ran. */
export type CellRun =
  | { state: 'ran'; stdout: string; value: string | null }
  /** It failed by its own fault; `line` is the error's last line. */
  | { state: 'failed'; stdout: string; line: string }
  /** Nothing follows from what happened: a limit, a missing module or file, a cell before it that failed. */
  | { state: 'unclear'; why: string }

/** Result of the tests of the problem, run after the last cell. */
export type TestRun = { state: 'passed' } | { state: 'failed'; line: string } | { state: 'unclear'; why: string }

/** A program that ran cell by cell; one entry of `cells` a cell. */
export interface CellRuns {
  cells: CellRun[]
  tests: TestRun | null
  level: LevelName
}

/** Programs whose output may differ from run to run; a difference then says nothing. */
const VARIES = /\b(random|secrets|uuid|time|datetime|perf_counter|urandom|getpid|id|hash|Date|performance)\b/

/** How observations mark what they left out. */
const CUT = /\.\.\.|…|\[?truncated|omitted/i

/**
 * One finding a step from what its cells did.
 *
 * `incorrect`: a cell raised an error, its stated output is not the real one, or the tests fail (told of the last step
 * with code). `correct`: an output was compared and is equal, or the tests pass. Running without error alone decides
 * nothing.
 */
export function codeFindings(trace: Trace, cells: readonly Cell[], runs: CellRuns): Finding[] {
  const seen: Finding[][] = trace.steps.map(() => [])
  let source = ''
  cells.forEach((cell, i) => {
    const run = runs.cells[i] ?? { state: 'unclear', why: 'was not reached' }
    source += `${cell.code}\n`
    const [own, stated] = judgeCell(cell, run, VARIES.test(source), runs.level)
    seen[cell.step]?.push(own)
    if (stated && cell.output) seen[cell.output.step]?.push(stated)
  })
  const last = cells.at(-1)
  if (runs.tests && last) seen[last.step]?.push(judgeTests(runs.tests))
  return seen.map((findings) => ({ ...combined(findings), ...(findings.length > 0 && { level: runs.level }) }))
}

function judgeCell(cell: Cell, run: CellRun, varies: boolean, level: LevelName): [Finding, Finding | null] {
  if (run.state === 'unclear') return [UNKNOWN(`cannot say: the code ${run.why}`), null]
  if (run.state === 'failed') {
    return [{ verdict: 'incorrect', reason: `the code fails: ${run.line}`, detail: { error: run.line } }, null]
  }
  if (cell.output === null) return [UNKNOWN('the code runs without error; no output or test to compare with'), null]
  const stated = cell.output.text
  const real = [run.stdout, run.stdout + (run.value ?? ''), ...(run.value === null ? [] : [run.value])]
  if (real.some((text) => sameOutput(stated, text))) {
    const finding: Finding = { verdict: 'correct', reason: 'the stated output is what the code prints' }
    return cell.output.step === cell.step ? [finding, null] : [UNKNOWN('the code runs without error'), finding]
  }
  const shown = (run.stdout + (run.value ?? '')).trim()
  const finding = differs(stated, shown, varies, level)
  return cell.output.step === cell.step ? [finding, null] : [UNKNOWN('the code runs without error'), finding]
}

function differs(stated: string, real: string, varies: boolean, level: LevelName): Finding {
  if (varies) return UNKNOWN('the output differs, but the program uses time, randomness or identities')
  if (CUT.test(stated)) return UNKNOWN('the stated output is cut')
  if (/Traceback|Error\b|Exception\b|timed? ?out/i.test(stated)) {
    return UNKNOWN('the trace reports an error that does not occur here')
  }
  if (level === 'quickjs' && /[{[]/.test(stated + real)) return UNKNOWN('every engine prints objects in its own way')
  if (shuffled(stated) === shuffled(real)) {
    return UNKNOWN('the same items in another order, as sets print them')
  }
  return {
    verdict: 'incorrect',
    reason: `the stated output is not what the code prints: ${brief(stated)} instead of ${brief(real)}`,
    detail: { stated: stated.slice(0, DETAIL_CHARS), real: real.slice(0, DETAIL_CHARS) },
  }
}

function judgeTests(tests: TestRun): Finding {
  if (tests.state === 'passed') return { verdict: 'correct', reason: 'the final code passes the tests' }
  if (tests.state === 'unclear') return UNKNOWN(`cannot say: the tests ${tests.why}`)
  return {
    verdict: 'incorrect',
    reason: `the final code fails the tests: ${tests.line}`,
    detail: { error: tests.line },
  }
}

/** Anything wrong makes the step wrong; what was compared and is right outweighs what could not be compared. */
function combined(findings: readonly Finding[]): Finding {
  if (findings.length === 0) return UNKNOWN('no code in this step')
  const pick = (verdict: Finding['verdict']): Finding | undefined => findings.find((f) => f.verdict === verdict)
  const unclear = findings.find((f) => f.verdict === 'unknown' && f.reason.startsWith('cannot say'))
  return pick('incorrect') ?? unclear ?? pick('correct') ?? findings[0] ?? UNKNOWN('no code in this step')
}

/** One part in 10^9, as for equations: printed numbers differ in their last digits between machines. */
const RELATIVE = 1e-9
const DETAIL_CHARS = 2_000
const BRIEF_CHARS = 60

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** What is left of a text when order and punctuation are forgotten. */
function shuffled(text: string): string {
  return text
    .split(/[\s,{}()[\]]+/)
    .toSorted()
    .join(' ')
    .trim()
}

/** Equal but for white space at line ends and the last digits of numbers. */
export function sameOutput(stated: string, real: string): boolean {
  const lines = (text: string): string[] =>
    text
      .trim()
      .split('\n')
      .map((line) => line.trimEnd())
  const a = lines(stated)
  const b = lines(real)
  if (a.length !== b.length) return false
  return a.every((line, i) => line === b[i] || sameWords(words(line), words(b[i] ?? '')))
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i] || sameNumber(word, b[i] ?? ''))
}

function sameNumber(a: string, b: string): boolean {
  if (!/^-?\d+\.\d+(e[-+]?\d+)?$/i.test(a) || !/^-?\d+\.\d+(e[-+]?\d+)?$/i.test(b)) return false
  return Math.abs(Number(a) - Number(b)) <= RELATIVE * Math.max(Math.abs(Number(a)), Math.abs(Number(b)))
}

function brief(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  if (line === '') return 'nothing'
  return line.length > BRIEF_CHARS ? `"${line.slice(0, BRIEF_CHARS)}…"` : `"${line}"`
}
