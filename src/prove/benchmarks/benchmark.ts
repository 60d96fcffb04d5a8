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
  /** Are these cases of this set? */
  applies(cases: readonly Case[]): boolean
  /** What is measured of one predictor; `null` predictions (no such trace) count as wrong. */
  measures(cases: readonly Case[], predictions: readonly (Prediction | null)[]): Measure[]
  /** What the reader must know to read the figures; printed under the table. */
  notes(cases: readonly Case[], predictions: readonly (Prediction | null)[]): string[]
}

/** The share of the cases in `among` for which `right` holds. */
export function shareOf(
  name: string,
  cases: readonly Case[],
  among: (i: number) => boolean,
  right: (i: number) => boolean,
): Measure {
  const items = cases.map((_, i) => i).filter(among)
  const hit = items.map(right)
  return {
    name,
    cases: items.map((i) => cases[i]!),
    n: items.length,
    statistic(picked) {
      let hits = 0
      for (const p of picked) if (hit[p]) hits++
      return picked.length === 0 ? Number.NaN : hits / picked.length
    },
  }
}
