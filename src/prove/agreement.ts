import { cohenKappa, krippendorffAlpha } from '../core/stats/index.ts'
import { stepTable } from './benchmarks/steps.ts'
import type { Case, Predictor } from './cases.ts'

/** How far predictors agree with each other and with the gold labels, on one kind of item. */
export interface Agreement {
  /** `steps`: classes of the labelled steps. `traces`: has it an error or not. */
  on: 'steps' | 'traces'
  items: number
  /** Names in the order of the pairs; the gold labels come last. */
  raters: string[]
  /** Krippendorff's alpha over all predictors, without the gold labels; NaN for a single one. */
  alpha: number
  /** Every pair of raters, the gold labels included. */
  pairs: AgreementPair[]
}

export interface AgreementPair {
  a: string
  b: string
  /** Items that both answered; the others say nothing about agreement. */
  n: number
  /** Share of these on which both say the same. */
  same: number
  /** Cohen's kappa over these. */
  kappa: number
}

/** The name of the gold labels among the raters. */
export const GOLD = 'gold labels'

/** Agreement on steps and on traces; kinds that the gold labels do not have are left out. */
export function agreements(cases: readonly Case[], predictors: readonly Predictor[]): Agreement[] {
  const real = predictors.filter((p) => !p.trivial)
  const names = real.map((p) => p.name)
  const tables = real.map((p) => stepTable(cases, p.predictions))
  const verdict = (firstError: number | null | undefined): number =>
    firstError === null || firstError === undefined ? -1 : firstError === -1 ? 0 : 1
  return [
    agreementOn(
      'steps',
      names,
      tables.map((t) => t.predicted),
      tables[0]?.gold ?? [],
    ),
    agreementOn(
      'traces',
      names,
      real.map((p) => p.predictions.map((said) => verdict(said?.firstError))),
      cases.map((c) => verdict(c.gold.firstError)),
    ),
  ].filter((a) => a.items > 0)
}

function agreementOn(
  on: Agreement['on'],
  names: readonly string[],
  said: readonly (readonly number[])[],
  gold: readonly number[],
): Agreement {
  const raters = [...names, GOLD]
  const ratings = [...said, gold]
  const pairs = raters.flatMap((a, i) =>
    raters.slice(i + 1).map((b, j): AgreementPair => pairOf(a, b, ratings[i]!, ratings[i + 1 + j]!)),
  )
  return {
    on,
    items: gold.filter((g) => g >= 0).length,
    raters,
    alpha: names.length < 2 ? Number.NaN : krippendorffAlpha(said),
    pairs,
  }
}

function pairOf(a: string, b: string, left: readonly number[], right: readonly number[]): AgreementPair {
  const both = left.flatMap((x, i) => (x >= 0 && right[i]! >= 0 ? [i] : []))
  const same = both.filter((i) => left[i] === right[i]).length
  return { a, b, n: both.length, same: same / both.length, kappa: cohenKappa(left, right) }
}
