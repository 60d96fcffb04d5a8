/** Predictions against people's labels. */
export type { Benchmark, Figure, Measure } from './benchmarks/benchmark.ts'
export { BENCHMARKS } from './benchmarks/index.ts'
export {
  type Case,
  casesOf,
  type Gold,
  type Prediction,
  type Predictor,
  predictionOf,
  predictorOf,
  trivialPredictors,
} from './cases.ts'
export { evaluate, type Table } from './evaluate.ts'
