import { random } from '../core/seeds.ts'
import {
  auroc,
  estimateOf,
  expectedCalibrationError,
  groupsOf,
  harmonic,
  type ReliabilityBin,
  reliability,
  resampled,
} from '../core/stats/index.ts'
import type { Evidence, StepLabel, Usage } from '../core/words.ts'
import { RULES } from '../label/rules/index.ts'
import type { LabelRule } from '../label/rules/rule.ts'
import { risksOf, verdictFromRisks } from '../label/verdict.ts'
import type { StepTruth } from '../worlds/tasks/task.ts'
import type { Figure } from './benchmarks/benchmark.ts'

/** A trace of a built-in task, what its steps really are, and what was collected about it. */
export interface AuditItem {
  /** Traces of one question are resampled together. */
  question: string
  truths: readonly Pick<StepTruth, 'correct'>[]
  evidence: readonly Evidence[]
}

/** One annotator read by one rule, or a control that looks at nothing. */
export interface AuditArm {
  annotator: string
  rule: string
  control: boolean
  /** First errors, then steps; of a rule that gives values, how well they tell lost states from others. */
  figures: Figure[]
  /** Prompt and completion tokens for one first error that is named exactly; null where nothing is counted. */
  tokensPerError: number | null
  /** Step labels that are not true, by fifth of the trace. */
  noise: { n: number; wrong: number }[]
  /** Stated chance that a step is right against how often it is. */
  bins: ReliabilityBin[]
}

export interface AuditReport {
  traces: number
  erroneous: number
  steps: number
  arms: AuditArm[]
}

/** Positions that label noise is shown by. */
const FIFTHS = 5

/** Resamples for figures that sort all steps in each. */
const FEW = { resamples: 200 } as const

/** Names of what looks at nothing: what any annotator must beat. */
const CONTROLS: Record<string, (steps: number, item: number) => number> = {
  'always clean': () => -1,
  'first step': () => 0,
  'last step': (steps) => steps - 1,
  'random step': (steps, item) => random(`audit/${item}`).below(steps),
}

/**
 * Every annotator, read by every rule that makes labels of its evidence, against the exact oracle of the task.
 *
 * Precision = exact among the first errors that are named; recall = exact among the traces with an error; F1 their
 * harmonic mean; "clean kept" = traces without an error that are called clean. A trace of which nothing is said is
 * missed. Step labels are compared with whether the step is right in itself. Values (of rules that make no labels of
 * correctness) are judged by how well they tell steps before the first error from the others (AUC). Intervals are 95 %,
 * bootstrapped by question.
 * @param sources annotators of the run with what each spent; `together` = the rule of the run over all evidence
 */
export function audit(
  items: readonly AuditItem[],
  sources: readonly { annotator: string; usage: Usage }[],
  together: { rule: LabelRule; options: Record<string, unknown> },
  seed = 'audit',
): AuditReport {
  const groups = groupsOf(items.map((item) => item.question))
  const arms: AuditArm[] = []
  const tokensOf = (usage: Usage): number => usage.promptTokens + usage.completionTokens
  for (const { annotator, usage } of sources) {
    // Rules that read kinds of evidence which the annotator has none of come to the labels of simpler ones.
    const seen = new Set<string>()
    for (const rule of RULES) {
      const options = rule.name === together.rule.name ? together.options : rule.options.parse({})
      const labels = items.map(({ truths, evidence }) => {
        return rule.apply(
          truths.length,
          evidence.filter((e) => e.source === annotator),
          options,
        )
      })
      const values = JSON.stringify(labels.map((own) => own.map(({ value, meaning }) => [value, meaning])))
      if (seen.has(values)) continue
      seen.add(values)
      const arm = armOf(items, labels, groups, seed)
      if (arm) arms.push({ annotator, rule: rule.name, control: false, ...priced(arm, tokensOf(usage)) })
    }
  }
  if (sources.length > 1) {
    const labels = items.map(({ truths, evidence }) => together.rule.apply(truths.length, evidence, together.options))
    const arm = armOf(items, labels, groups, seed)
    const tokens = sources.reduce((sum, { usage }) => sum + tokensOf(usage), 0)
    if (arm) arms.push({ annotator: 'all', rule: together.rule.name, control: false, ...priced(arm, tokens) })
  }
  for (const [name, says] of Object.entries(CONTROLS)) {
    const said = items.map(({ truths }, i) => (truths.length === 0 ? null : says(truths.length, i)))
    const figures = firstErrorFigures(items, said, groups, seed)
    arms.push({ annotator: name, rule: '', control: true, figures, tokensPerError: null, noise: [], bins: [] })
  }
  return {
    traces: items.length,
    erroneous: items.filter((item) => firstErrorOf(item) >= 0).length,
    steps: items.reduce((sum, { truths }) => sum + truths.length, 0),
    arms,
  }
}

type Judged = Pick<AuditArm, 'figures' | 'noise' | 'bins'> & { exact: number }

function priced({ exact, ...arm }: Judged, tokens: number): Omit<AuditArm, 'annotator' | 'rule' | 'control'> {
  return { ...arm, tokensPerError: tokens === 0 || exact === 0 ? null : tokens / exact }
}

/** null where the rule says nothing of this evidence. */
function armOf(
  items: readonly AuditItem[],
  labels: readonly (readonly StepLabel[])[],
  groups: ArrayLike<number>,
  seed: string,
): Judged | null {
  const said = labels.flat().filter((label) => label.value !== null)
  if (said.length === 0) return null
  if (said.every((label) => label.meaning !== 'correctness')) {
    return { figures: valueFigure(items, labels, groups, seed), noise: [], bins: [], exact: 0 }
  }
  const firsts = labels.map((own) => verdictFromRisks(risksOf(own), 'audit').firstError)
  const steps = labels.map((own, i) => stepsOf(items[i], own))
  const flat = steps.flat()
  const untrue = ratio(
    steps.map((own) => own.filter((step) => step.wrong).length),
    steps.map((own) => own.length),
  )
  const calibration = (picked: readonly number[]): number => {
    const all = picked.flatMap((i) => steps[i] ?? [])
    return expectedCalibrationError(
      all.map((step) => step.stated),
      all.map((step) => step.correct),
    )
  }
  return {
    figures: [
      ...firstErrorFigures(items, firsts, groups, seed),
      ...figuresOf(groups, seed, [{ name: 'step labels untrue', n: flat.length, of: untrue }]),
      ...figuresOf(groups, seed, [{ name: 'calibration error', n: flat.length, of: calibration }], FEW),
    ],
    noise: Array.from({ length: FIFTHS }, (_, fifth) => {
      const here = flat.filter((step) => step.fifth === fifth)
      return { n: here.length, wrong: here.filter((step) => step.wrong).length }
    }),
    bins: reliability(
      flat.map((step) => step.stated),
      flat.map((step) => step.correct),
    ),
    exact: items.filter((item, i) => firstErrorOf(item) >= 0 && firsts[i] === firstErrorOf(item)).length,
  }
}

function firstErrorFigures(
  items: readonly AuditItem[],
  said: readonly (number | null)[],
  groups: ArrayLike<number>,
  seed: string,
): Figure[] {
  const rows = items.map((item, i) => {
    const gold = firstErrorOf(item)
    const own = said[i] ?? null
    return { gold, named: own !== null && own >= 0, exact: own === gold, mute: own === null }
  })
  const is = (of: (row: (typeof rows)[number]) => boolean): Uint8Array =>
    Uint8Array.from(rows, (row) => Number(of(row)))
  const [named, found, erroneous, clean, kept, mute, all] = [
    is((row) => row.named),
    is((row) => row.gold >= 0 && row.exact),
    is((row) => row.gold >= 0),
    is((row) => row.gold < 0),
    is((row) => row.gold < 0 && row.exact),
    is((row) => row.mute),
    is(() => true),
  ]
  const precision = ratio(found, named)
  const recall = ratio(found, erroneous)
  return figuresOf(groups, seed, [
    { name: 'precision', n: sumOf(named), of: precision },
    { name: 'recall', n: sumOf(erroneous), of: recall },
    // Where no error is named there is no precision, and F1 is 0.
    { name: 'F1', n: rows.length, of: (picked) => harmonic(precision(picked) || 0, recall(picked)) },
    { name: 'clean kept', n: sumOf(clean), of: ratio(kept, clean) },
    { name: 'cannot say', n: rows.length, of: ratio(mute, all) },
  ])
}

interface Statistic {
  name: string
  n: number
  of(picked: readonly number[]): number
}

/** All on the same resamples. */
function figuresOf(
  groups: ArrayLike<number>,
  seed: string,
  statistics: readonly Statistic[],
  options: { resamples?: number } = {},
): Figure[] {
  const drawn = resampled(
    groups,
    statistics.map(({ of }) => of),
    { seed, ...options },
  )
  return statistics.map(({ name, n }, i) => {
    const estimate = drawn[i] ? estimateOf(drawn[i]) : { value: Number.NaN, low: Number.NaN, high: Number.NaN }
    return { name, estimate, n }
  })
}

/** Sum of one list over that of another, for the picked items; NaN over nothing. */
function ratio(part: ArrayLike<number>, whole: ArrayLike<number>): (picked: readonly number[]) => number {
  return (picked) => {
    let a = 0
    let b = 0
    for (const i of picked) {
      a += part[i] ?? 0
      b += whole[i] ?? 0
    }
    return b === 0 ? Number.NaN : a / b
  }
}

function sumOf(list: Uint8Array): number {
  return list.reduce((sum, x) => sum + x, 0)
}

/** How well values tell steps before the first error from that and later ones. */
function valueFigure(
  items: readonly AuditItem[],
  labels: readonly (readonly StepLabel[])[],
  groups: ArrayLike<number>,
  seed: string,
): Figure[] {
  const steps = labels.map((own, i) => {
    const first = items[i] ? firstErrorOf(items[i]) : -1
    return own.flatMap(({ value, step }) => (value === null ? [] : [{ value, good: first < 0 || step < first }]))
  })
  const auc = (picked: readonly number[]): number => {
    const all = picked.flatMap((i) => steps[i] ?? [])
    return auroc(
      all.map((one) => one.value),
      all.map((one) => one.good),
    )
  }
  return figuresOf(groups, seed, [{ name: 'AUC of values', n: steps.flat().length, of: auc }], FEW)
}

/** Step labels of correctness against the truth. */
function stepsOf(item: AuditItem | undefined, labels: readonly StepLabel[]) {
  return labels.flatMap(({ value, meaning, step }) => {
    const truth = item?.truths[step]
    if (value === null || meaning !== 'correctness' || !truth || !item) return []
    const fifth = Math.floor((FIFTHS * step) / item.truths.length)
    return [{ stated: value, correct: truth.correct, wrong: value >= 0.5 !== truth.correct, fifth }]
  })
}

function firstErrorOf({ truths }: AuditItem): number {
  return truths.findIndex((truth) => !truth.correct)
}
