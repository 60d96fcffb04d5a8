import { expectedCalibrationError, type ReliabilityBin, reliability, riskCoverage } from '../core/stats/index.ts'
import { stepTable } from './benchmarks/steps.ts'
import type { Case, Predictor } from './cases.ts'

/** Points of a risk-coverage curve that are kept: more cannot be seen. */
const CURVE_POINTS = 200

/** Does a predictor know what it knows? On the labelled steps, by the probability of the class that it chose. */
export interface Calibration {
  predictor: string
  /** Steps that it decided. */
  decided: number
  /** Expected calibration error over the bins. */
  ece: number
  /** Ten bins of equal size, least certain first. */
  bins: ReliabilityBin[]
  /** Share wrong among the most certain steps; undecided steps come last and are wrong. */
  riskCoverage: { coverage: number; risk: number }[]
}

/** One entry a predictor that decides any step; trivial rows are left out. */
export function calibrations(cases: readonly Case[], predictors: readonly Predictor[]): Calibration[] {
  return predictors.flatMap(({ name, trivial, predictions }): Calibration[] => {
    if (trivial) return []
    const { predicted, gold, confidence } = stepTable(cases, predictions)
    const items = predicted.flatMap((p, i) => (p >= 0 ? [i] : []))
    if (items.length === 0) return []
    const stated = items.map((i) => confidence[i]!)
    const right = items.map((i) => predicted[i] === gold[i])
    const curve = riskCoverage(
      confidence,
      gold.map((g, i) => g === predicted[i]),
    )
    return [
      {
        predictor: name,
        decided: items.length,
        ece: expectedCalibrationError(stated, right),
        bins: reliability(stated, right),
        riskCoverage: thin(curve),
      },
    ]
  })
}

function thin<T>(curve: readonly T[]): T[] {
  const every = Math.ceil(curve.length / CURVE_POINTS)
  return curve.filter((_, i) => i % every === every - 1 || i === curve.length - 1)
}
