import { GradusError } from '../core/errors.ts'
import { bootstrapTogether, type Estimate, groupsOf, pairedBootstrap } from '../core/stats/index.ts'
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
  /** The first predictor against each other one, on the rule's main figures. */
  differences: Difference[]
  notes: string[]
}

/** `first` less `other`, both taken on the same resamples of questions. */
export interface Difference {
  figure: string
  first: string
  other: string
  estimate: Estimate
}

/** Every rule that applies to the cases, or the one that is named. */
export function evaluate(cases: readonly Case[], predictors: readonly Predictor[], only?: string): Table[] {
  return benchmarksFor(cases, only).map((benchmark) => {
    const measured = predictors.map((p) => benchmark.measures(cases, p.predictions))
    const real = predictors.flatMap((p, i) => (p.trivial ? [] : [i]))
    const trivial = predictors.flatMap((p, i) => (p.trivial ? [i] : []))
    const figures: Figure[][] = []
    for (const [rows, resamples] of [
      [real, undefined],
      [trivial, 0],
    ] as const) {
      const taken = figuresOf(
        rows.map((i) => measured[i]!),
        resamples,
      )
      rows.forEach((i, at) => {
        figures[i] = taken[at]!
      })
    }
    return {
      benchmark: benchmark.name,
      summary: benchmark.summary,
      home: benchmark.home,
      cases: cases.length,
      rows: predictors.map(({ name, trivial, predictions }, i) => ({
        predictor: name,
        trivial,
        missing: predictions.filter((p) => p === null).length,
        figures: figures[i]!,
      })),
      differences: differencesOf(
        benchmark,
        real.map((i) => ({ name: predictors[i]!.name, measures: measured[i]! })),
      ),
      notes: [...new Set(predictors.filter((p) => !p.trivial).flatMap((p) => benchmark.notes(cases, p.predictions)))],
    }
  })
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

/**
 * Figures of predictors measured by one rule, with intervals by question; predictors share the resamples of a figure.
 * @param resamples 0 for the trivial rows, which go without intervals
 */
function figuresOf(predictors: readonly (readonly Measure[])[], resamples: number | undefined): Figure[][] {
  return (
    predictors[0]?.map((first, f): Figure[] => {
      const measures = predictors.map((p) => p[f]!)
      const estimates = bootstrapTogether(
        groupsOf(first.cases.map((c) => c.question)),
        measures.map((m) => m.statistic),
        { seed: first.name, ...(resamples !== undefined && { resamples }) },
      )
      return measures.map(({ name, n }, i) => ({ name, n, estimate: estimates[i]! }))
    }) ?? []
  ).reduce<Figure[][]>(
    (rows, figure) => rows.map((row, i) => [...row, figure[i]!]),
    predictors.map(() => []),
  )
}

function differencesOf(
  { main }: Benchmark,
  [first, ...others]: readonly { name: string; measures: readonly Measure[] }[],
): Difference[] {
  if (first === undefined) return []
  return main.flatMap((figure) => {
    const a = first.measures.find((m) => m.name === figure)
    return others.flatMap(({ name, measures }): Difference[] => {
      const b = measures.find((m) => m.name === figure)
      if (a === undefined || b === undefined) return []
      const groups = groupsOf(a.cases.map((c) => c.question))
      const estimate = pairedBootstrap(groups, a.statistic, b.statistic, { seed: figure })
      return [{ figure, first: first.name, other: name, estimate }]
    })
  })
}
