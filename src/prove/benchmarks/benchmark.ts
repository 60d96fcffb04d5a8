import type { Estimate } from '../../core/stats/index.ts'
import type { Case, Prediction } from '../cases.ts'

/** A figure of one predictor before it is taken: a statistic of any multiset of its cases. */
export interface Measure {
  name: string
  /** The cases that it is taken over. */
  cases: readonly Case[]
  /** Items that it is taken over: cases, or their labelled steps. */
  n: number
  /** @param picked indices into `cases`, with repetitions; NaN where the figure is not defined for them */
  statistic(picked: readonly number[]): number
}

export interface Figure {
  name: string
  /** Between 0 and 1 unless the name says otherwise; NaN where it is not defined for these cases. */
  estimate: Estimate
  n: number
}

/** How a published set scores a predictor, by its own rule. */
export interface Benchmark {
  name: string
  summary: string
  home: string
  /** Names of the figures on which predictors are compared, pair by pair. */
  main: readonly string[]
  /** Are these cases of this set? */
  applies(cases: readonly Case[]): boolean
  /**
   * What is measured of one predictor; `null` predictions (no such trace) count as wrong. Names, order and cases of the
   * figures depend on the gold labels alone, so that predictors share resamples.
   */
  measures(cases: readonly Case[], predictions: readonly (Prediction | null)[]): Measure[]
  /** What the reader must know to read the figures; printed under the table. */
  notes(cases: readonly Case[], predictions: readonly (Prediction | null)[]): string[]
}

/**
 * A figure that depends on sums over cases alone.
 * @param rows what each case adds, all of one width
 * @param figure of the sums; NaN where it is not defined
 */
export function fromSums(
  name: string,
  cases: readonly Case[],
  n: number,
  rows: readonly (readonly number[])[],
  figure: (sums: Float64Array) => number,
): Measure {
  const width = rows[0]?.length ?? 0
  const flat = Float64Array.from(rows.flat())
  return {
    name,
    cases,
    n,
    statistic(picked) {
      const sums = new Float64Array(width)
      for (const p of picked) for (let c = 0; c < width; c++) sums[c]! += flat[p * width + c]!
      return picked.length === 0 ? Number.NaN : figure(sums)
    },
  }
}

/** The share of the cases in `among` for which `right` holds. */
export function shareOf(
  name: string,
  cases: readonly Case[],
  among: (i: number) => boolean,
  right: (i: number) => boolean,
): Measure {
  const items = cases.map((_, i) => i).filter(among)
  const rows = items.map((i) => [right(i) ? 1 : 0, 1])
  return fromSums(
    name,
    items.map((i) => cases[i]!),
    items.length,
    rows,
    ([hits, all]) => hits! / all!,
  )
}

/** How often each of `n` cases was picked. */
export function countsOf(picked: readonly number[], n: number): Int32Array {
  const counts = new Int32Array(n)
  for (const p of picked) counts[p]!++
  return counts
}

/** Do all cases come from these data sets? */
export function allFrom(cases: readonly Case[], ...datasets: string[]): boolean {
  return cases.every((c) => datasets.includes(c.trace.source.dataset))
}

/** Indices of the cases of each part (domain) of the set, in order of appearance; none where there is only one part. */
export function partsOf(cases: readonly Case[]): Map<string, Set<number>> {
  const parts = new Map<string, Set<number>>()
  cases.forEach((c, i) => {
    const part = c.trace.problem.domain ?? ''
    const known = parts.get(part)
    if (known) known.add(i)
    else parts.set(part, new Set([i]))
  })
  return parts.size > 1 ? parts : new Map()
}
