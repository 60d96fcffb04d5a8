/** Predictions against people's labels. */
export { type Agreement, type AgreementPair, agreements, GOLD } from './agreement.ts'
export type { Benchmark, Figure, Measure } from './benchmarks/benchmark.ts'
export { BENCHMARKS } from './benchmarks/index.ts'
export { type OutcomeRow, type OutcomeTable, outcomeTables } from './benchmarks/outcome.ts'
export {
  type BonCandidate,
  type BonDifference,
  type BonOptions,
  type BonQuestion,
  type BonRow,
  type BonScorer,
  type BonTable,
  bestArm,
  bestOfNCurves,
  poolOf,
} from './bon.ts'
export { type Calibration, calibrations } from './calibration.ts'
export {
  type Case,
  casesOf,
  type Gold,
  type Prediction,
  type Predictor,
  predictionOf,
  predictorOf,
  type Rating,
  trivialPredictors,
} from './cases.ts'
export { type Difference, evaluate, type Table } from './evaluate.ts'
export { auditLines, auditReward, type RewardAudit } from './reward-audits.ts'
export { type AuditLine, drops, type LocatorFigure, type LocatorKind, locateBy } from './reward-locator.ts'
