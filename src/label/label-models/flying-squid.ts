import { z } from 'zod'
import { type DistinctRows, distinctRows, spread } from './distinct-rows.ts'
import type { LabelModel } from './label-model.ts'
import { voteFractions } from './majority.ts'
import { fittedFrom } from './source-report.ts'
import { type VoteMatrix, voteShares } from './votes.ts'

const options = z.object({
  minCommon: z.number().int().min(1).default(10).describe('items on which a pair must both vote to be used'),
  minProduct: z.number().gt(0).default(0.02).describe('triplets that divide by a smaller mean product are left out'),
})
type Options = z.output<typeof options>

/** Accuracies of exactly 1 or 0 would let one source decide alone. */
const MOST = 0.98

/**
 * Accuracies in closed form from triplets of sources, no iterations.
 *
 * Binary, votes in {-1, 0, 1}: with a_j = E[L_j Y] and sources independent given Y, E[L_i L_j] = a_i a_j, hence
 * |a_i| = sqrt |E_ij E_ik / E_jk|; the median over triplets is taken, the sign is + (better than chance). More classes:
 * one class against the rest, one after the other, then normalised.
 *
 * With fewer than three usable sources every source has one vote, and `notes` says so.
 *
 * @see Fu and others, Fast and three-rious: speeding up weak supervision with triplet methods, ICML 2020
 */
export const flyingSquid: LabelModel<Options> = {
  name: 'flying-squid',
  summary: 'accuracies of sources in closed form from triplets',
  paper: 'autows-bench',
  gold: 'ignored',
  options,
  fit(votes, given) {
    const settings = options.parse(given ?? {})
    const notes: string[] = []
    const rows = distinctRows(votes)
    const posterior = spread(triplets(votes, rows, settings, notes), rows.rowOf, votes.classes.length)
    return fittedFrom(votes, posterior, notes, rows)
  },
}

/** Posterior of each distinct row, rows x classes. */
function triplets(votes: VoteMatrix, rows: DistinctRows, settings: Options, notes: string[]): Float64Array {
  const m = votes.sources.length
  const classes = votes.classes.length
  const prior = voteShares(votes)
  const out = new Float64Array(rows.rows * classes)
  // Two classes need one pass: the second is its mirror.
  for (let k = 0; k < (classes === 2 ? 1 : classes); k++) {
    const accuracy = accuracies(meanProducts(rows, m, k, settings.minCommon), m, settings.minProduct)
    if (accuracy.every((a) => a === null)) {
      notes.push('no triplet of sources overlaps enough: every source has one vote')
      return voteFractions({ ...votes, items: rows.rows, votes: rows.votes }, new Float64Array(m).fill(1), prior)
    }
    accuracy.forEach((a, s) => {
      if (a === null) notes.push(`${votes.sources[s]} is in no usable triplet for ${votes.classes[k]}: not used there`)
    })
    const balance = Math.min(1 - 1e-6, Math.max(1e-6, prior[k]!))
    const weight = accuracy.map((a) => (a === null ? 0 : Math.log((1 + a) / (1 - a))))
    for (let i = 0; i < rows.rows; i++) {
      let logOdds = Math.log(balance / (1 - balance))
      for (let s = 0; s < m; s++) {
        const vote = rows.votes[i * m + s]!
        if (vote >= 0) logOdds += (vote === k ? 1 : -1) * weight[s]!
      }
      out[i * classes + k] = 1 / (1 + Math.exp(-logOdds))
      if (classes === 2) out[i * classes + 1] = 1 / (1 + Math.exp(logOdds))
    }
  }
  for (let i = 0; i < rows.rows; i++) {
    let total = 0
    for (let k = 0; k < classes; k++) total += out[i * classes + k]!
    // All classes denied beyond the smallest number: nothing is known.
    for (let k = 0; k < classes; k++) out[i * classes + k] = total > 0 ? out[i * classes + k]! / total : 1 / classes
  }
  return out
}

/** E[L_i L_j] over common items, L = 1 for a vote for `klass`, -1 for another; NaN where too few. */
function meanProducts(rows: DistinctRows, m: number, klass: number, minCommon: number): Float64Array {
  const sum = new Float64Array(m * m)
  const seen = new Float64Array(m * m)
  for (let r = 0; r < rows.rows; r++) {
    const count = rows.count[r]!
    for (let a = 0; a < m; a++) {
      const va = rows.votes[r * m + a]!
      if (va < 0) continue
      for (let b = a + 1; b < m; b++) {
        const vb = rows.votes[r * m + b]!
        if (vb < 0) continue
        sum[a * m + b] = sum[a * m + b]! + ((va === klass) === (vb === klass) ? count : -count)
        seen[a * m + b] = seen[a * m + b]! + count
      }
    }
  }
  const out = new Float64Array(m * m).fill(Number.NaN)
  for (let a = 0; a < m; a++) {
    for (let b = a + 1; b < m; b++) {
      if (seen[a * m + b]! >= minCommon) out[a * m + b] = out[b * m + a] = sum[a * m + b]! / seen[a * m + b]!
    }
  }
  return out
}

/** Median over triplets of sqrt |E_ij E_ik / E_jk|; null for a source in no usable triplet. */
function accuracies(products: Float64Array, m: number, minProduct: number): (number | null)[] {
  return Array.from({ length: m }, (_, i) => {
    const found: number[] = []
    for (let j = 0; j < m; j++) {
      for (let k = j + 1; k < m; k++) {
        if (j === i || k === i) continue
        const below = products[j * m + k]!
        const above = products[i * m + j]! * products[i * m + k]!
        if (Number.isFinite(above) && Math.abs(below) >= minProduct) found.push(Math.sqrt(Math.abs(above / below)))
      }
    }
    if (found.length === 0) return null
    found.sort((a, b) => a - b)
    const middle = found.length >> 1
    const median = found.length % 2 === 1 ? found[middle]! : (found[middle - 1]! + found[middle]!) / 2
    return Math.min(MOST, median)
  })
}
