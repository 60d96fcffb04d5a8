import { GradusError } from '../core/errors.ts'
import { bootstrap, groupsOf } from '../core/stats/index.ts'
import type { Benchmark, Figure, Measure } from './benchmarks/benchmark.ts'
import { BENCHMARKS } from './benchmarks/index.ts'
import type { Case, Predictor } from './cases.ts'

/** Figures of all predictors by one published rule. */
export interface Table {
  benchmark: string
  summary: string
  home: string
  cases: number
  rows: { predictor: string; trivial: boolean; missing: number; figures: Figure[] }[]
  notes: string[]
}

/** Every rule that applies to the cases, or the one that is named. */
export function evaluate(cases: readonly Case[], predictors: readonly Predictor[], only?: string): Table[] {
  return benchmarksFor(cases, only).map((benchmark) => ({
    benchmark: benchmark.name,
    summary: benchmark.summary,
    home: benchmark.home,
    cases: cases.length,
    rows: predictors.map(({ name, trivial, predictions }) => ({
      predictor: name,
      trivial,
      missing: predictions.filter((p) => p === null).length,
      figures: benchmark.measures(cases, predictions).map((m) => figureOf(m, trivial)),
    })),
    notes: [...new Set(predictors.filter((p) => !p.trivial).flatMap((p) => benchmark.notes(cases, p.predictions)))],
  }))
}

function benchmarksFor(cases: readonly Case[], only: string | undefined): readonly Benchmark[] {
  if (only === undefined) return BENCHMARKS.filter((b) => b.applies(cases))
  const named = BENCHMARKS.find((b) => b.name === only)
  if (named) return [named]
  throw new GradusError('GRD-LABEL-001', {
    found: only,
    expected: `one of ${BENCHMARKS.map((b) => b.name).join(', ')}`,
  })
}

/** Intervals by question; the trivial rows go without. */
function figureOf({ name, cases, n, statistic }: Measure, trivial: boolean): Figure {
  const groups = groupsOf(cases.map((c) => c.question))
  return { name, n, estimate: bootstrap(groups, statistic, { seed: name, ...(trivial && { resamples: 0 }) }) }
}
