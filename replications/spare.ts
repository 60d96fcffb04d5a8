import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { half } from '../src/core/split.ts'
import {
  differenceOf,
  type Estimate,
  estimateOf,
  groupsOf,
  type Resampled,
  resampled,
  wilson,
} from '../src/core/stats/index.ts'
import { addUsage, type Evidence, NO_USAGE, type StepLabel, type Usage } from '../src/core/words.ts'
import { align } from '../src/label/alignment.ts'
import type { AnnotateContext, Annotator } from '../src/label/annotators/annotator.ts'
import { monteCarlo } from '../src/label/annotators/monte-carlo.ts'
import { omegaprm } from '../src/label/annotators/omegaprm.ts'
import { spare as annotator } from '../src/label/annotators/spare.ts'
import { alignment } from '../src/label/rules/alignment.ts'
import { hard } from '../src/label/rules/hard.ts'
import type { Arm, Outcome, Replication, ReplicationContext, ReplicationResult } from '../src/prove/replication.ts'
import { RouteChain, type Routed } from './route-chain.ts'

/** What the rule allows, fixed before any run. */
const RULE = { margin: 0.02, costShare: 0.4, rates: [0, 0.2] } as const
const RATES = [0, 0.2, 0.5]
const SLIP = 0.06
const K = 8

/** One method's labels of one trace, counted up to the first error; the class is "wrong". */
interface Counts {
  tp: number
  fp: number
  fn: number
  /** Wrong and right steps without a label. */
  openWrong: number
  openRight: number
}

interface Scored {
  name: string
  control: boolean
  rows: Counts[]
  usage: Usage
  /** Characters read in the one pass; rollouts read nothing that is counted. */
  read: number
}

type F1 = 'covered' | 'full' | 'unaligned is wrong'

/** Published claim about annotation by alignment with a reference, with an aligner that is code. */
export const spare: Replication = {
  paper: 'spare',
  title: 'Single-pass annotation against a reference',
  claim:
    'Aligning steps with a reference in one pass gives step labels as good as tree search at no more than 40 % of its cost.',
  failsIf:
    'at 0 or 20 % alternative routes the F1 of wrong steps is below that of the better tree search by its whole paired 95 % ' +
    'interval, or the pass costs more than 40 % of the cheaper tree search; holds only if the lower end of the difference ' +
    'is above -.02 both on labelled steps and at full coverage (an unlabelled wrong step counts as missed)',
  setting:
    'chains of 8 sums; the solver puts two operations together first at rates 0, 20, 50 %; slip 6 % a line; Monte Carlo and ' +
    'OmegaPRM (which spends nothing on a trace that ended right) with 8 rollouts of the same solver, which never or in 10 % of rollouts comes back from an error; cost = ' +
    'characters written by rollouts, or read by the pass (problem, reference and solution); intervals by problem',

  async run(context: ReplicationContext): Promise<ReplicationResult> {
    const seeds = context.quick ? 2 : 5
    const problems = context.quick ? 100 : 300
    const settings: ReplicationResult['settings'] = []
    const verdicts: Verdict[] = []
    const notes: string[] = []
    for (const rescue of [0, 0.1]) {
      for (const alternative of RATES) {
        const name = `${percent(alternative)} alternative routes, ${percent(rescue)} of rollouts come back`
        context.progress(name)
        const scored = await runArms(context.seed, { seeds, problems, alternative, rescue })
        settings.push({ name, arms: scored.map((s) => armOf(s)) })
        const seen = compare(scored, name)
        notes.push(seen.note)
        if (rescue === 0 && RULE.rates.some((rate) => rate === alternative)) verdicts.push(seen)
      }
    }
    const real = onGsm8k()
    if (real) settings.push(real)
    else notes.push('GSM8K is not here (GRADUS_DATA), so real solutions were not aligned')
    return { settings, ...outcomeOf(verdicts), notes: [...notes, DEVIATION] }
  },
}

const DEVIATION =
  'The published annotator is a language model; this one is code that compares calculations, so its cost is characters read ' +
  'and says nothing of the published ratio of 2.3 to 2.6. The solver knows its own routes; with products or overwritten ' +
  'registers more steps stay unaligned.'

const percent = (share: number): string => `${Math.round(100 * share)} %`

interface Sizes {
  seeds: number
  problems: number
  alternative: number
  rescue: number
}

async function runArms(seed: string, { seeds, problems, alternative, rescue }: Sizes): Promise<Scored[]> {
  const arm = (name: string, control: boolean): Scored => ({ name, control, rows: [], usage: NO_USAGE, read: 0 })
  const pass = arm('spare', false)
  const calculator = arm('spare, calculator where unaligned', false)
  const searched = arm('spare, Monte Carlo where unaligned', false)
  const single = arm('Monte Carlo', true)
  const tree = arm('OmegaPRM', true)
  for (let s = 0; s < seeds; s++) {
    const task = new RouteChain({ alternative, slip: SLIP, rescue, seed: `${seed}/${s}` })
    for (const routed of task.traces(problems)) {
      const { trace } = routed
      const look = async (method: Annotator, options: unknown): Promise<{ evidence: Evidence[]; usage: Usage }> => {
        let usage = NO_USAGE
        const context: AnnotateContext = {
          policy: task.writer,
          check: task,
          seed: `${seed}/${s}`,
          allowCode: false,
          allowLocalExec: false,
          spend: (spent) => {
            usage = addUsage(usage, spent)
          },
        }
        return { evidence: await method.annotate(trace, context, options), usage }
      }
      const read = [trace.problem.prompt, ...(trace.problem.solution ?? []), ...trace.steps.map((step) => step.text)]
      const characters = read.reduce((sum, line) => sum + line.length + 1, 0)
      const add = (to: Scored, labels: readonly StepLabel[], usage: Usage, characters: number): void => {
        to.rows.push(countsOf(routed, labels))
        to.usage = addUsage(to.usage, usage)
        to.read += characters
      }
      const byPass = alignment.apply(trace.steps.length, (await look(annotator, {})).evidence, {})
      const byBoth = alignment.apply(trace.steps.length, (await look(annotator, { fallback: true })).evidence, {})
      const mc = await look(monteCarlo, { k: K })
      const byRollouts = hard.apply(trace.steps.length, mc.evidence, { threshold: 0 })
      const omega = trace.outcome === 1 ? rightAtOnce(trace.steps.length) : await look(omegaprm, { k: K })
      const byTree = hard.apply(trace.steps.length, omega.evidence, { threshold: 0 })
      const filled = byPass.map((label, i) => (label.value === null ? (byRollouts[i] ?? label) : label))
      add(pass, byPass, NO_USAGE, characters)
      add(calculator, byBoth, NO_USAGE, characters)
      add(searched, filled, byPass.some((label) => label.value === null) ? mc.usage : NO_USAGE, characters)
      add(single, byRollouts, mc.usage, 0)
      add(tree, byTree, omega.usage, 0)
    }
  }
  return [pass, calculator, searched, single, tree]
}

/** A trace that ended right needs no search: its outcome is one rollout after the last step that succeeded. */
function rightAtOnce(steps: number): { evidence: Evidence[]; usage: Usage } {
  const outcome: Evidence = { kind: 'rollouts', source: omegaprm.name, step: steps - 1, successes: 1, trials: 1 }
  return { evidence: [outcome], usage: NO_USAGE }
}

function countsOf({ trace, firstError }: Routed, labels: readonly StepLabel[]): Counts {
  const counts: Counts = { tp: 0, fp: 0, fn: 0, openWrong: 0, openRight: 0 }
  const last = firstError < 0 ? trace.steps.length - 1 : firstError
  for (let step = 0; step <= last; step++) {
    const value = labels[step]?.value ?? null
    const wrong = step === firstError
    if (value === null) counts[wrong ? 'openWrong' : 'openRight']++
    else if (value < 0.5) counts[wrong ? 'tp' : 'fp']++
    else if (wrong) counts.fn++
  }
  return counts
}

function f1(rows: readonly Counts[], picked: readonly number[], kind: F1): number {
  let [tp, fp, fn] = [0, 0, 0]
  for (const p of picked) {
    const row = rows[p]
    if (row === undefined) continue
    tp += row.tp + (kind === 'unaligned is wrong' ? row.openWrong : 0)
    fp += row.fp + (kind === 'unaligned is wrong' ? row.openRight : 0)
    fn += row.fn + (kind === 'full' ? row.openWrong : 0)
  }
  return tp + fp + fn === 0 ? Number.NaN : (2 * tp) / (2 * tp + fp + fn)
}

function f1Of(arms: readonly Scored[], kind: F1): Resampled[] {
  const rows = arms[0]?.rows ?? []
  const groups = groupsOf(rows.map((_, i) => String(i)))
  return resampled(
    groups,
    arms.map((arm) => (picked: readonly number[]) => f1(arm.rows, picked, kind)),
  )
}

const costOf = (arm: Scored): number => arm.usage.completionTokens + arm.read

function armOf(arm: Scored): Arm {
  const n = arm.rows.length
  const figure = (name: string, estimate: Estimate) => ({ name, estimate, n })
  const take = (kind: F1) => f1Of([arm], kind).map(estimateOf)
  const steps = arm.rows.reduce((sum, r) => sum + r.openRight + r.openWrong, 0)
  const wrong = arm.rows.reduce((sum, r) => sum + r.tp + r.fn + r.openWrong, 0)
  const wrongOpen = arm.rows.reduce((sum, r) => sum + r.openWrong, 0)
  const plain = (value: number): Estimate => ({ value, low: value, high: value })
  const kinds: F1[] = arm.control ? ['covered', 'full'] : ['covered', 'full', 'unaligned is wrong']
  return {
    name: arm.name,
    control: arm.control,
    figures: [
      ...kinds.flatMap((kind) => take(kind).map((estimate) => figure(`F1 of wrong steps, ${kind}`, estimate))),
      figure('wrong steps with a label', wilson(wrong - wrongOpen, wrong)),
      figure('steps without a label, a trace (count)', plain(steps / n)),
      figure('cost of a trace (characters)', plain(costOf(arm) / n)),
    ],
    usage: arm.usage,
  }
}

interface Verdict {
  covered: Estimate
  full: Estimate
  costShare: number
  note: string
}

/** The pass against the tree search with the higher F1; its cost against the cheaper one. */
function compare(arms: readonly Scored[], name: string): Verdict {
  const [pass] = arms
  const trees = arms.filter((arm) => arm.control)
  if (pass === undefined) throw new RangeError('no arms')
  const against = (kind: F1): Estimate => {
    const [own, ...others] = f1Of([pass, ...trees], kind)
    const best = others.toSorted((a, b) => b.value - a.value)[0]
    if (own === undefined || best === undefined) throw new RangeError('no tree search')
    return differenceOf(own, best)
  }
  const [covered, full] = [against('covered'), against('full')]
  const costShare = costOf(pass) / Math.min(...trees.map(costOf))
  const says = (e: Estimate) => `${e.value.toFixed(3)} [${e.low.toFixed(3)}, ${e.high.toFixed(3)}]`
  const note = `${name}: F1 minus better tree search ${says(covered)} covered, ${says(full)} full; cost ${percent(costShare)}`
  return { covered, full, costShare, note }
}

function outcomeOf(verdicts: readonly Verdict[]): { outcome: Outcome; because: string } {
  const cost = Math.max(...verdicts.map((v) => v.costShare))
  const [covered, full] = [verdicts.map((v) => v.covered), verdicts.map((v) => v.full)]
  const dear = cost > RULE.costShare
  if (dear || covered.some((d) => d.high < 0)) {
    return { outcome: 'fails', because: dear ? `the pass costs ${percent(cost)}` : 'F1 is below tree search' }
  }
  const within = (all: readonly Estimate[]) => all.every((d) => d.low > -RULE.margin)
  const spent = `at ${percent(cost)} of its cost or less`
  if (within(covered) && within(full)) return { outcome: 'holds', because: `F1 is that of tree search, ${spent}` }
  const where = within(covered) ? 'on labelled steps only, not at full coverage' : 'not surely within .02'
  return { outcome: 'partly', because: `F1 is that of tree search ${where}, ${spent}` }
}

/** Solutions of GSM8K by four models, report half, against the human solutions. */
function onGsm8k(): ReplicationResult['settings'][number] | null {
  const file = join(process.env.GRADUS_DATA ?? '', 'gsm8k', 'example_model_solutions.jsonl.gz')
  if (process.env.GRADUS_DATA === undefined || !existsSync(file)) return null
  const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')
  const rows = linesOf(gunzipSync(readFileSync(file)).toString('utf8'))
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((row) => half(String(row['question'])) === 'report')
  const ways = [
    { name: 'spare', fallback: false, shift: 0 },
    { name: 'spare, calculator where unaligned', fallback: true, shift: 0 },
    { name: 'spare, reference of another question', fallback: false, shift: 1 },
  ]
  const arms = ways.map(({ name, fallback, shift }): Arm => {
    const count = { right: 0, clear: 0, whole: 0, wrong: 0, found: 0 }
    for (const [i, row] of rows.entries()) {
      const reference = linesOf(String(rows[(i + shift) % rows.length]?.['ground_truth']))
      for (const model of ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']) {
        const { is_correct: right, solution } = row[model] as { is_correct: boolean; solution: string }
        const seen = align(String(row['question']), [reference], linesOf(solution), { fallback })
        const contradicts = seen.some((a) => a.verdict === 'incorrect')
        count[right ? 'right' : 'wrong']++
        if (right && !contradicts) count.clear++
        if (right && seen.every((a) => a.verdict === 'correct')) count.whole++
        if (!right && contradicts) count.found++
      }
    }
    const figure = (what: string, k: number, n: number) => ({ name: what, estimate: wilson(k, n), n })
    return {
      name,
      control: shift > 0,
      figures: [
        figure('right answer, no step contradicted', count.clear, count.right),
        figure('right answer, every step right', count.whole, count.right),
        figure('wrong answer, a step contradicted', count.found, count.wrong),
      ],
    }
  })
  return { name: 'GSM8K, solutions of four models, report half', arms }
}
