import { auroc, brier, expectedCalibrationError, mean } from '../../core/stats/index.ts'
import { fitLogistic } from '../training/logistic.ts'
import type { Rows } from '../training/rows.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from './aggregators.ts'
import { calibrated, firstErrorF1, type Located, logLoss } from './calibrate.ts'
import { type Learnt, rowsOf } from './learnt.ts'
import type { RewardCard } from './reward-card.ts'

/** Figures of a model on traces of questions that it has not seen, beside what position and length alone say. */
export function metricsOf(
  learnt: readonly Learnt[],
  scoreOf: (one: Learnt) => number[],
  located: readonly Located[] | null,
  threshold: number | null,
): RewardCard['metrics'] {
  const test = learnt.filter((one) => one.part === 'test')
  const targets = test.flatMap(({ steps }) => steps.map(({ target }) => target))
  const scores = test.flatMap((one) => {
    const all = scoreOf(one)
    return one.steps.map(({ step }) => all[step]!)
  })
  const plain = fitLogistic(plainRows(learnt.filter((one) => one.part === 'fit'))).head
  const baseline = Array.from(plain.logits(plainRows(test).features), (z) =>
    calibrated(z, { shift: 0, temperature: 1 }),
  )
  const clear = located !== null && threshold !== null && located.some((l) => l.firstError >= 0)
  return {
    model: ratesOf(scores, targets),
    baseline: ratesOf(baseline, targets),
    firstError:
      clear && located.some((l) => l.firstError < 0)
        ? { traces: located.length, ...rounded(firstErrorF1(located, threshold)) }
        : null,
    outcome: outcomeAurocs(test, scoreOf),
  }
}

/** Position and length: what can be known of a step without reading it. */
function plainRows(learnt: readonly Learnt[]): Rows {
  return rowsOf(
    learnt.map((one) => ({
      ...one,
      features: Float32Array.from(one.trace.steps.flatMap(({ text }, at) => [at + 1, Math.log1p(text.length)])),
    })),
    2,
  )
}

function ratesOf(scores: readonly number[], targets: readonly number[]) {
  const area = auroc(
    scores,
    targets.map((target) => target > 0.5),
  )
  return {
    steps: targets.length,
    auroc: Number.isNaN(area) ? null : round(area),
    ...rounded({
      share: mean(targets),
      brier: brier(scores, targets),
      logLoss: logLoss(scores, targets),
      calibrationError: expectedCalibrationError(scores, targets),
    }),
  }
}

function outcomeAurocs(test: readonly Learnt[], scoreOf: (one: Learnt) => number[]): Record<string, number> | null {
  const ended = test.filter(({ trace }) => trace.outcome !== undefined)
  const right = ended.map(({ trace }) => trace.outcome! > 0.5)
  if (!right.includes(true) || !right.includes(false)) return null
  const scores = ended.map(scoreOf)
  return Object.fromEntries(
    (Object.keys(AGGREGATORS) as AggregatorName[]).map((name) => [
      name,
      round(
        auroc(
          scores.map((s) => aggregate(name, s) ?? 0),
          right,
        ),
      ),
    ]),
  )
}

function round(x: number): number {
  return Number(x.toFixed(4))
}

function rounded<T extends Record<string, number>>(figures: T): T {
  return Object.fromEntries(Object.entries(figures).map(([name, x]) => [name, round(x)])) as T
}
