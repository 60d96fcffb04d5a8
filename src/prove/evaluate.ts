import { GradusError } from '../core/errors.ts'
import { differenceOf, type Estimate, estimateOf, groupsOf, type Resampled, resampled } from '../core/stats/index.ts'
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
  const real = predictors.filter((p) => !p.trivial)
  const trivial = predictors.filter((p) => p.trivial)
  return benchmarksFor(cases, only).map((benchmark) => {
    const taken = new Map([...take(benchmark, cases, real), ...take(benchmark, cases, trivial, 0)])
    return {
      benchmark: benchmark.name,
      summary: benchmark.summary,
      home: benchmark.home,
      cases: cases.length,
      rows: predictors.map((p) => ({
        predictor: p.name,
        trivial: p.trivial,
        missing: missing(p),
        figures: taken.get(p)!.map(({ name, n, resamples }) => ({ name, n, estimate: estimateOf(resamples) })),
      })),
      differences: differencesOf(benchmark, real, taken),
      notes: notesOf(benchmark, cases, real),
    }
  })
}

/** A figure before its interval is made. */
interface Taken {
  name: string
  n: number
  resamples: Resampled
}

/**
 * Figures of predictors by one rule, resampled by question; the predictors share the resamples of a figure.
 * @param resamples 0 for the trivial rows, which go without intervals
 */
function take(
  benchmark: Benchmark,
  cases: readonly Case[],
  predictors: readonly Predictor[],
  resamples?: number,
): [Predictor, Taken[]][] {
  const measured = predictors.map((p): readonly Measure[] => benchmark.measures(cases, p.predictions))
  const columns = (measured[0] ?? []).map(({ name, cases: own }, f) =>
    resampled(
      groupsOf(own.map((c) => c.question)),
      measured.map((m) => m[f]!.statistic),
      { seed: name, ...(resamples !== undefined && { resamples }) },
    ),
  )
  return predictors.map((p, i) => [p, measured[i]!.map(({ name, n }, f) => ({ name, n, resamples: columns[f]![i]! }))])
}

function differencesOf(
  { main }: Benchmark,
  [first, ...others]: readonly Predictor[],
  taken: ReadonlyMap<Predictor, Taken[]>,
): Difference[] {
  if (first === undefined) return []
  const figure = (p: Predictor, name: string): Taken | undefined => taken.get(p)!.find((t) => t.name === name)
  return main.flatMap((name) =>
    others.flatMap((other): Difference[] => {
      const [a, b] = [figure(first, name), figure(other, name)]
      if (a === undefined || b === undefined) return []
      return [{ figure: name, first: first.name, other: other.name, estimate: differenceOf(a.resamples, b.resamples) }]
    }),
  )
}

/** What a rule says of all predictors once, what it says of some with their names. */
function notesOf(benchmark: Benchmark, cases: readonly Case[], predictors: readonly Predictor[]): string[] {
  const notes = predictors.flatMap(({ name, predictions }) =>
    benchmark.notes(cases, predictions).map((note) => ({ name, note })),
  )
  const said = [...Map.groupBy(notes, ({ note }) => note)].map(([note, own]) =>
    own.length === predictors.length ? note : `${own.map(({ name }) => name).join(', ')}: ${note}`,
  )
  const absent = predictors.flatMap((p) => {
    const n = missing(p)
    return n === 0 ? [] : [`${p.name}: ${n} of ${cases.length} traces are not in the file and count as wrong`]
  })
  return [...said, ...absent]
}

function missing({ predictions }: Predictor): number {
  return predictions.filter((said) => said === null).length
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
