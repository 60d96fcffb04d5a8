import { half, questionKey, questionOf } from '../core/split.ts'
import {
  bootstrap,
  type Estimate,
  expectedCalibrationError,
  groupsOf,
  mean,
  pairedBootstrap,
  rankAssociation,
} from '../core/stats/index.ts'
import type { Trace } from '../core/words.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from '../models/rewards/aggregators.ts'
import type { RewardModel } from '../models/rewards/reward.ts'
import { fitLogistic } from '../models/training/logistic.ts'
import { sigmoid } from '../models/training/rows.ts'
import { type AuditLine, type LocatorFigure, locateBy } from './reward-locator.ts'

export interface RewardAudit {
  lines: number
  steps: number
  /** Lines of several scored steps whose one lowest score is the last step's, and the share that chance would give. */
  lastMinima: { share: Estimate; chance: number; lines: number } | null
  /** Among lines that end right: does the score tell clean ones from those with a wrong step? */
  rightAnswer: {
    lines: number
    /** Share with a wrong step all the same. */
    flawed: Estimate
    /** Mean score of clean and of flawed ones. */
    clean: number
    wrong: number
    /** Chance that a clean one scores above a flawed one. */
    auroc: Estimate
  } | null
  /** Rank correlation of score and number of steps among lines that end right (all where no outcomes are known). */
  length: { aggregate: AggregatorName; correlation: Estimate }[]
  /** Stated against observed, by number of the step from 0; the last entry holds all later ones. */
  byStep: { step: number; n: number; stated: number; observed: number; error: number }[]
  /** Of steps on the report half: the model beside a regression on position and length fitted on the tune half. */
  baseline: { steps: number; model: Estimate; plain: Estimate; difference: Estimate } | null
  /** AUROC of the outcome by each aggregator; null where all lines end alike. */
  outcome: { aggregate: AggregatorName; auroc: Estimate }[] | null
  /** The model as a locator of first wrong steps; null where these are not known. */
  locator: LocatorFigure | null
}

/** Later steps are few; they share a row. */
const STEPS_SHOWN = 10

/**
 * What is known to go wrong with reward models of steps, counted (papers/prm-lessons.md, section "Method" 6).
 *
 * A step's truth is its label where the model says correctness and labels are known, else the outcome of its line.
 */
export function auditReward(
  lines: readonly AuditLine[],
  { meaning, aggregate: how }: Pick<RewardModel, 'meaning' | 'aggregate'>,
  seed = 'audit',
): RewardAudit {
  const said = lines.filter(({ scores }) => scores.some((score) => score !== null))
  return {
    lines: said.length,
    steps: said.reduce((sum, { scores }) => sum + scores.filter((score) => score !== null).length, 0),
    lastMinima: lastMinima(said, seed),
    rightAnswer: rightAnswer(said, how, seed),
    length: lengthBias(said, seed),
    byStep: byStep(stepsOf(said, meaning)),
    baseline: baseline(stepsOf(said, meaning), seed),
    outcome: outcome(said, seed),
    locator: locateBy(said, meaning, `${seed}/locator`),
  }
}

/** The lines of scored traces; a trace whose step labels of `truth` are known says which steps are right. */
export function auditLines(
  traces: readonly Trace[],
  scores: readonly (readonly (number | null)[])[],
  truth?: string,
): AuditLine[] {
  return traces.map((trace, i): AuditLine => {
    const question = questionOf(trace.problem)
    const known = truthOf(trace, truth)
    return {
      question: questionKey(question),
      half: half(question),
      scores: scores[i] ?? [],
      lengths: trace.steps.map(({ text }) => text.length),
      ...(trace.outcome !== undefined && { right: trace.outcome > 0.5 }),
      ...(known && { truth: known }),
    }
  })
}

/** Of one source: step labels, or a first error, after which nothing is known. */
function truthOf({ labels = [], steps }: Trace, source: string | undefined): (boolean | null)[] | null {
  const own = labels.filter((label) => label.source === source && label.value !== null)
  const truth: (boolean | null)[] = new Array(steps.length).fill(null)
  for (const label of own) {
    if (label.meaning !== 'first-error' || label.value === null) continue
    const wrong = label.value === -1 ? steps.length : label.value
    truth.forEach((_, t) => {
      if (t <= wrong) truth[t] = t < wrong
    })
  }
  for (const label of own)
    if (label.meaning === 'correctness' && label.value !== null) truth[label.step] = label.value >= 0.5
  return truth.some((t) => t !== null) ? truth : null
}

function lastMinima(lines: readonly AuditLine[], seed: string): RewardAudit['lastMinima'] {
  const several = lines.filter(({ scores }) => scores.length > 1 && scores.every((score) => score !== null))
  if (several.length === 0) return null
  const last = several.map(({ scores }) => {
    const before = Math.min(...scores.slice(0, -1).map((score) => score!))
    return Number(scores.at(-1)! < before)
  })
  return {
    share: meanBy(several, last, `${seed}/minima`),
    chance: mean(several.map(({ scores }) => 1 / scores.length)),
    lines: several.length,
  }
}

function rightAnswer(lines: readonly AuditLine[], how: AggregatorName, seed: string): RewardAudit['rightAnswer'] {
  const known = lines.flatMap((line) => {
    const { truth, right, scores } = line
    if (!right || !truth) return []
    const flawed = truth.includes(false)
    if (!flawed && truth.includes(null)) return []
    return [{ line, flawed, score: aggregate(how, scores)! }]
  })
  const own = known.map(({ line }) => line)
  const flawed = known.map((one) => Number(one.flawed))
  if (known.length === 0) return null
  const scores = known.map(({ score }) => score)
  return {
    lines: known.length,
    flawed: meanBy(own, flawed, `${seed}/flawed`),
    clean: mean(scores.filter((_, i) => flawed[i] === 0)),
    wrong: mean(scores.filter((_, i) => flawed[i] === 1)),
    auroc: bootstrap(
      groupsOf(own.map(({ question }) => question)),
      areaOf(
        scores,
        flawed.map((f) => 1 - f),
      ),
      { seed: `${seed}/right answer`, resamples: RANK_RESAMPLES },
    ),
  }
}

function lengthBias(lines: readonly AuditLine[], seed: string): RewardAudit['length'] {
  const ending = lines.filter(({ right }) => right)
  const own = ending.length > 1 ? ending : lines
  const groups = groupsOf(own.map(({ question }) => question))
  const steps = own.map(({ scores }) => scores.length)
  return (Object.keys(AGGREGATORS) as AggregatorName[]).map((name) => {
    const scores = own.map((line) => aggregate(name, line.scores)!)
    const correlation = bootstrap(groups, association(steps, scores, 'spearman'), {
      seed: `${seed}/length`,
      resamples: RANK_RESAMPLES,
    })
    return { aggregate: name, correlation }
  })
}

/** Rank statistics of thousands of lines are slow; 200 resamples give the ends to about a tenth of the width. */
const RANK_RESAMPLES = 200

function outcome(lines: readonly AuditLine[], seed: string): RewardAudit['outcome'] {
  const ended = lines.filter(({ right }) => right !== undefined)
  const rights = ended.map(({ right }) => right === true)
  if (new Set(rights).size < 2) return null
  const groups = groupsOf(ended.map(({ question }) => question))
  return (Object.keys(AGGREGATORS) as AggregatorName[]).map((name) => {
    const scores = ended.map((line) => aggregate(name, line.scores)!)
    const area = areaOf(scores, rights.map(Number))
    return { aggregate: name, auroc: bootstrap(groups, area, { seed: `${seed}/outcome`, resamples: RANK_RESAMPLES }) }
  })
}

interface AuditStep {
  line: AuditLine
  step: number
  score: number
  truth: boolean
  plain: [number, number]
}

function stepsOf(lines: readonly AuditLine[], meaning: RewardModel['meaning']): AuditStep[] {
  return lines.flatMap((line) =>
    line.scores.flatMap((score, step): AuditStep[] => {
      const own = meaning === 'correctness' && line.truth ? (line.truth[step] ?? null) : (line.right ?? null)
      if (score === null || own === null) return []
      return [{ line, step, score, truth: own, plain: [step + 1, Math.log1p(line.lengths[step] ?? 0)] }]
    }),
  )
}

function byStep(steps: readonly AuditStep[]): RewardAudit['byStep'] {
  const bins = [...Map.groupBy(steps, ({ step }) => Math.min(step, STEPS_SHOWN - 1))].sort(([a], [b]) => a - b)
  return bins.map(([step, own]) => {
    const scores = own.map(({ score }) => score)
    const truths = own.map(({ truth }) => truth)
    return {
      step,
      n: own.length,
      stated: mean(scores),
      observed: mean(truths.map(Number)),
      error: expectedCalibrationError(scores, truths),
    }
  })
}

function baseline(steps: readonly AuditStep[], seed: string): RewardAudit['baseline'] {
  const [tune, report] = (['tune', 'report'] as const).map((side) => steps.filter(({ line }) => line.half === side))
  const bothClasses = (own: readonly AuditStep[] = []): boolean => new Set(own.map(({ truth }) => truth)).size === 2
  if (!tune || !report || !bothClasses(tune) || !bothClasses(report)) return null
  const features = (own: readonly AuditStep[]): Float32Array => Float32Array.from(own.flatMap(({ plain }) => plain))
  const { head } = fitLogistic({
    width: 2,
    features: features(tune),
    targets: Float32Array.from(tune, ({ truth }) => Number(truth)),
  })
  const plain = Array.from(head.logits(features(report)), sigmoid)
  const model = report.map(({ score }) => score)
  const truths = report.map(({ truth }) => truth)
  const area = (scores: readonly number[]) => areaOf(scores, truths.map(Number))
  const groups = groupsOf(report.map(({ line }) => line.question))
  const options = { seed: `${seed}/baseline`, resamples: RANK_RESAMPLES }
  return {
    steps: report.length,
    model: bootstrap(groups, area(model), options),
    plain: bootstrap(groups, area(plain), options),
    difference: pairedBootstrap(groups, area(model), area(plain), options),
  }
}

/** A rank statistic of resampled items; ranks are made once. */
function association(
  x: readonly number[],
  y: readonly number[],
  name: 'somersD' | 'spearman',
): (items: readonly number[]) => number {
  const ranked = rankAssociation(x, y)
  return (items) => {
    const counts = new Uint32Array(x.length)
    for (const i of items) counts[i]!++
    return ranked(counts)[name]
  }
}

/** AUROC of resampled items: half of Somers' D of the score on the class, and a half. */
function areaOf(scores: readonly number[], positive: readonly number[]): (items: readonly number[]) => number {
  const somersD = association(positive, scores, 'somersD')
  return (items) => (somersD(items) + 1) / 2
}

function meanBy(lines: readonly AuditLine[], values: readonly number[], seed: string): Estimate {
  return bootstrap(groupsOf(lines.map(({ question }) => question)), (items) => mean(items.map((i) => values[i]!)), {
    seed,
  })
}
