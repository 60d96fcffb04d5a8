import { differenceOf, type Estimate, estimateOf, groupsOf, harmonic, resampled } from '../core/stats/index.ts'

/** Step scores of one trace beside its known first error. */
export interface ScoredTrace {
  question: string
  /** Index of the first wrong step, -1 = none. */
  gold: number
  scores: readonly (number | null)[]
}

/** A way to read a first error from scores: -1 = none. */
export type Locator = (scores: readonly (number | null)[], threshold: number) => number

/**
 * For scores of value: the first step whose value has fallen by more than the threshold since the step before. What
 * stands before the first step is `start`, the share of runs that end right.
 */
export function firstDrop(start: number): Locator {
  return (scores, threshold) => {
    let before = start
    return scores.findIndex((s) => {
      if (s === null) return false
      const fell = before - s > threshold
      before = s
      return fell
    })
  }
}

/** Steps of the thresholds that are tried. */
const GRID = Array.from({ length: 199 }, (_, i) => (i + 1) / 200)

/** The threshold with the highest F1; of several equal ones the middle, which is farthest from both cliffs. */
export function tunedThreshold(traces: readonly ScoredTrace[], locate: Locator): number {
  const all = GRID.map((threshold) => f1(traces.map((t) => [t.gold, locate(t.scores, threshold)])))
  const most = Math.max(...all.map((v) => (Number.isNaN(v) ? -1 : v)))
  const best = GRID.filter((_, i) => all[i] === most)
  return best[Math.floor(best.length / 2)] ?? 0.5
}

export interface LocatorRow {
  name: string
  f1: Estimate
  /** Share of traces with an error whose first error is found exactly, and of clean ones that are called clean. */
  erroneous: Estimate
  clean: Estimate
}

/**
 * First-error F1 (harmonic mean of the accuracies on traces with and without an error, as ProcessBench) of several
 * locators on the same traces, and the difference of the first to each other one, bootstrapped by question.
 * @param said first errors by locator, one a trace
 */
export function compareLocators(
  traces: readonly Pick<ScoredTrace, 'question' | 'gold'>[],
  said: Readonly<Record<string, readonly number[]>>,
  seed: string,
): { rows: LocatorRow[]; differences: { other: string; f1: Estimate }[] } {
  const names = Object.keys(said)
  const pairs = (name: string, items: readonly number[]): [number, number][] =>
    items.map((i) => [traces[i]!.gold, said[name]![i]!])
  const of = (statistic: (pairs: readonly [number, number][]) => number) =>
    resampled(
      groupsOf(traces.map((t) => t.question)),
      names.map((name) => (items: readonly number[]) => statistic(pairs(name, items))),
      { seed },
    )
  const [f, wrong, clean] = [of(f1), of((p) => accuracy(p, true)), of((p) => accuracy(p, false))]
  return {
    rows: names.map((name, i) => ({
      name,
      f1: estimateOf(f[i]!),
      erroneous: estimateOf(wrong[i]!),
      clean: estimateOf(clean[i]!),
    })),
    differences: names.slice(1).map((other, i) => ({ other, f1: differenceOf(f[0]!, f[i + 1]!) })),
  }
}

function f1(pairs: readonly (readonly [number, number])[]): number {
  const [wrong, clean] = [accuracy(pairs, true), accuracy(pairs, false)]
  return Number.isNaN(wrong) || Number.isNaN(clean) ? Number.NaN : harmonic(wrong, clean)
}

function accuracy(pairs: readonly (readonly [number, number])[], erroneous: boolean): number {
  let hits = 0
  let all = 0
  for (const [gold, said] of pairs) {
    if (gold >= 0 !== erroneous) continue
    all++
    if (gold === said) hits++
  }
  return all === 0 ? Number.NaN : hits / all
}
