import { GradusError } from '../../core/errors.ts'
import type { Method } from '../../core/method.ts'
import type { VoteMatrix } from './votes.ts'

/** What a model thinks of one source. */
export interface SourceReport {
  name: string
  /** Expected share of right votes among its votes, in [0, 1]; null where it never voted. */
  accuracy: number | null
  /** Share of items with a vote, in [0, 1]. */
  coverage: number
  /** `confusion[k][l]` = P(vote l | class k, it votes); rows sum to 1, uniform where nothing is known. */
  confusion: number[][]
}

/** How two sources agree beyond what the class explains: correlation of their votes given the class, in [-1, 1]. */
export interface Dependence {
  a: string
  b: string
  correlation: number
}

export interface Fitted {
  classes: readonly string[]
  /** Items x classes, row-major; rows sum to 1. */
  posterior: Float64Array
  /** Calibration as the model sees itself: mean probability of the decided classes, its own guess at its accuracy. */
  statedAccuracy: number
  sources: SourceReport[]
  /** All pairs that vote together, strongest first. */
  dependence: Dependence[]
  /** For people: fallbacks, sources that were down-weighted, what could not be estimated. */
  notes: string[]
}

/**
 * Merges votes into a posterior over classes for each item.
 *
 * An abstention is never a vote. Where nobody votes the posterior is the model's class prior.
 */
export interface LabelModel<Options = Record<string, unknown>> extends Method {
  /** What the model does with gold labels. */
  gold: 'ignored' | 'used' | 'required'
  /**
   * @param options defaults are filled in
   * @param gold class index for each item, -1 = unknown
   * @throws GradusError GRD-LABEL-003 where the votes cannot be merged
   */
  fit(votes: VoteMatrix, options?: Partial<Options>, gold?: Int8Array): Fitted
}

/** Most probable class of each item; the first of equals. */
export function decide(fitted: Pick<Fitted, 'classes' | 'posterior'>): Int8Array {
  const k = fitted.classes.length
  const out = new Int8Array(fitted.posterior.length / k)
  for (let i = 0; i < out.length; i++) {
    let best = 0
    for (let c = 1; c < k; c++) {
      if (fitted.posterior[i * k + c]! > fitted.posterior[i * k + best]!) best = c
    }
    out[i] = best
  }
  return out
}

/** @throws GradusError GRD-LABEL-003 where gold labels do not fit the matrix */
export function checkGold(votes: VoteMatrix, gold: Int8Array): void {
  if (gold.length !== votes.items) {
    throw new GradusError('GRD-LABEL-003', {
      found: `${gold.length} gold labels`,
      expected: `${votes.items}, one an item`,
    })
  }
  const bad = gold.findIndex((g) => g < -1 || g >= votes.classes.length)
  if (bad >= 0) {
    throw new GradusError('GRD-LABEL-003', {
      where: { line: bad + 1, field: 'gold' },
      found: `gold class ${gold[bad]}`,
      expected: `-1 (unknown) to ${votes.classes.length - 1}`,
    })
  }
}
