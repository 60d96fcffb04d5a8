/**
 * First mistakes of BIG-Bench-Mistake found by the state-tracking verifiers, without a model.
 *
 * node bench/big-bench-mistake.ts [folder] [--json]     folder: default $GRADUS_DATA/big-bench-mistake
 *
 * Exact = the first step found wrong is the labelled one; a verifier that says nothing counts as wrong. Rules were
 * made on the tune half; the report half is the figure.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Half, half } from '../src/core/split.ts'
import type { Trace } from '../src/core/words.ts'
import { readTraces } from '../src/io/read.ts'
import { bracketStack } from '../src/worlds/verifiers/bracket-stack.ts'
import { constraintSatisfaction } from '../src/worlds/verifiers/constraint-satisfaction.ts'
import { letterSorting } from '../src/worlds/verifiers/letter-sorting.ts'
import { multistepArithmetic } from '../src/worlds/verifiers/multistep-arithmetic.ts'
import { objectTracking } from '../src/worlds/verifiers/object-tracking.ts'
import type { Verifier } from '../src/worlds/verifiers/verifier.ts'

export const TASKS: readonly { task: string; verifier: Verifier }[] = [
  { task: 'word_sorting', verifier: letterSorting },
  { task: 'tracking_shuffled_objects', verifier: objectTracking },
  { task: 'multistep_arithmetic', verifier: multistepArithmetic },
  { task: 'dyck_languages', verifier: bracketStack },
  { task: 'logical_deduction', verifier: constraintSatisfaction },
]

/** Counts; those of several tasks add up. */
export interface Score {
  erroneous: number
  exact: number
  /** Erroneous traces in which another step was found wrong. */
  otherStep: number
  /** Erroneous traces in which no step was found wrong. */
  silent: number
  clean: number
  falseAlarms: number
  /**
   * Traces labelled clean whose answer is wrong, and the false alarms among them. The tasks are deterministic, so such
   * a trace holds a mistake whatever its label says (many have theirs in step 0, and no label of the set is 0).
   */
  cleanButWrong: number
  falseAlarmsButWrong: number
  /** Traces whose labelled first mistake is step 0. */
  labelledZero: number
  /** Steps up to the first labelled mistake, and those of them that were left undecided. */
  steps: number
  undecided: number
  /** Steps found wrong, and those of them labelled wrong; steps found right, and those of them labelled right. */
  incorrect: number
  incorrectWrong: number
  correct: number
  correctRight: number
}

const NOTHING: Score = {
  erroneous: 0,
  exact: 0,
  otherStep: 0,
  silent: 0,
  clean: 0,
  falseAlarms: 0,
  cleanButWrong: 0,
  falseAlarmsButWrong: 0,
  labelledZero: 0,
  steps: 0,
  undecided: 0,
  incorrect: 0,
  incorrectWrong: 0,
  correct: 0,
  correctRight: 0,
}

/** Traces with a first-error label against one verifier, which sees neither labels, answer nor outcome. */
export async function measure(traces: readonly Trace[], verifier: Verifier): Promise<Score> {
  const score = { ...NOTHING }
  for (const trace of traces) {
    const label = trace.labels?.find((l) => l.meaning === 'first-error')?.value
    if (label === undefined || label === null) continue
    const { id, problem, steps, source } = trace
    const bare: Trace = { id, problem: { id: problem.id, prompt: problem.prompt }, steps, source }
    const findings = await verifier.verify(bare, { allowCode: false, allowLocalExec: false })
    const found = findings.findIndex((f) => f.verdict === 'incorrect')
    if (label < 0) {
      score.clean++
      if (found >= 0) score.falseAlarms++
      if (!isRight(trace)) {
        score.cleanButWrong++
        if (found >= 0) score.falseAlarmsButWrong++
      }
    } else {
      score.erroneous++
      if (label === 0) score.labelledZero++
      if (found === label) score.exact++
      else if (found < 0) score.silent++
      else score.otherStep++
    }
    findings.slice(0, label < 0 ? findings.length : label + 1).forEach((f, i) => {
      const isWrong = i === label
      score.steps++
      if (f.verdict === 'unknown') score.undecided++
      else if (f.verdict === 'incorrect') {
        score.incorrect++
        if (isWrong) score.incorrectWrong++
      } else {
        score.correct++
        if (!isWrong) score.correctRight++
      }
    })
  }
  return score
}

/** Is the answer the target, full stops and spaces aside? */
function isRight(trace: Trace): boolean {
  const bare = (text: string | undefined): string => (text ?? '').replace(/[.\s]/g, '')
  return bare(trace.answer) === bare(trace.problem.answer)
}

/** Wilson's score interval at 95 %. */
export function wilson(k: number, n: number): [number, number] {
  if (n === 0) return [0, 1]
  const z = 1.959964
  const p = k / n
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const reach = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n)
  return [middle - reach, middle + reach]
}

export async function readTask(folder: string, task: string): Promise<Record<Half, Trace[]>> {
  const { traces } = await readTraces(join(folder, `${task}.jsonl.gz`))
  return {
    tune: traces.filter((t) => half(t.problem.prompt) === 'tune'),
    report: traces.filter((t) => half(t.problem.prompt) === 'report'),
  }
}

const add = (a: Score, b: Score): Score => {
  const sum = { ...a }
  for (const key of Object.keys(sum) as (keyof Score)[]) sum[key] += b[key]
  return sum
}

const percent = (x: number): string => (100 * x).toFixed(1)
const share = (k: number, n: number): string => (n === 0 ? 'none' : `${percent(k / n)} (${k}/${n})`)
const shareOf = (k: number, n: number): string => `${percent(k / n)} % (${k} of ${n})`

function row(task: string, which: string, s: Score): string {
  const [low, high] = wilson(s.exact, s.erroneous)
  const cells = [
    task,
    which,
    s.erroneous,
    `${percent(s.exact / Math.max(1, s.erroneous))} [${percent(low)}, ${percent(high)}]`,
    s.otherStep,
    s.silent,
    s.clean,
    s.falseAlarms,
    `${s.falseAlarmsButWrong} of ${s.cleanButWrong}`,
    share(s.undecided, s.steps),
    share(s.incorrectWrong, s.incorrect),
    share(s.correctRight, s.correct),
  ]
  return `| ${cells.join(' | ')} |`
}

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  const folder = args.find((a) => !a.startsWith('--')) ?? join(process.env['GRADUS_DATA'] ?? '', 'big-bench-mistake')
  const results: { task: string; verifier: string; half: Half; score: Score }[] = []
  for (const { task, verifier } of TASKS) {
    const halves = await readTask(folder, task)
    for (const which of ['tune', 'report'] as const) {
      results.push({ task, verifier: verifier.name, half: which, score: await measure(halves[which], verifier) })
    }
  }
  const pooled = (which: Half | null): Score =>
    results.filter((r) => which === null || r.half === which).reduce((sum, r) => add(sum, r.score), NOTHING)
  if (args.includes('--json')) {
    const totals = { tune: pooled('tune'), report: pooled('report'), both: pooled(null) }
    console.log(JSON.stringify({ results, pooled: totals }, null, 2))
    return
  }
  const lines = [
    '| task | half | erroneous | exact first error, % [95 %] | other step | silent | clean | false alarms | of these answer wrong | steps undecided, % | wrong where found wrong, % | right where found right, % |',
    '| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |',
    ...results.map((r) => row(r.task, r.half, r.score)),
    row('all', 'tune', pooled('tune')),
    row('all', 'report', pooled('report')),
    row('all', 'both', pooled(null)),
  ]
  const { clean, cleanButWrong, falseAlarms, falseAlarmsButWrong, labelledZero, erroneous } = pooled('report')
  lines.push(
    '',
    `False alarms, report half: ${shareOf(falseAlarms, clean)} of the traces labelled clean;`,
    `${shareOf(falseAlarms - falseAlarmsButWrong, clean - cleanButWrong)} of those that also have the right answer.`,
    `The tasks are deterministic: ${cleanButWrong} traces labelled clean have a wrong answer, so they hold a mistake.`,
    `Labels that point at step 0: ${labelledZero} of ${erroneous}.`,
  )
  console.log(lines.join('\n'))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
