import { z } from 'zod'
import type { LabelModel } from './label-model.ts'
import { fittedFrom } from './source-report.ts'
import { type VoteMatrix, voteShares } from './votes.ts'

/**
 * Share of votes for each class.
 *
 * Ties go to the class that has more votes in the whole matrix (a share of a millionth of a vote), so that the order
 * of classes never decides; an item without votes gets the vote shares of the whole matrix.
 */
export const majority: LabelModel = {
  name: 'majority',
  summary: 'every source has one vote',
  paper: 'autows-bench',
  gold: 'ignored',
  options: z.object({}),
  fit(votes) {
    const posterior = voteFractions(votes, new Float64Array(votes.sources.length).fill(1))
    return fittedFrom(votes, posterior, [])
  },
}

/** Weight, in votes, of the vote shares of the whole matrix: breaks ties and decides nothing else. */
const TIE_WEIGHT = 1e-6

/**
 * Normalised weighted votes, items x classes.
 *
 * @param weights one a source, at least 0
 * @param shares what breaks ties, one a class
 */
export function voteFractions(
  matrix: VoteMatrix,
  weights: Float64Array,
  shares: Float64Array = voteShares(matrix),
): Float64Array {
  const m = matrix.sources.length
  const classes = matrix.classes.length
  const out = new Float64Array(matrix.items * classes)
  for (let i = 0; i < matrix.items; i++) {
    const row = i * classes
    let total = TIE_WEIGHT
    for (let k = 0; k < classes; k++) out[row + k] = TIE_WEIGHT * shares[k]!
    for (let s = 0; s < m; s++) {
      const vote = matrix.votes[i * m + s]!
      if (vote < 0) continue
      out[row + vote] = out[row + vote]! + weights[s]!
      total += weights[s]!
    }
    for (let k = 0; k < classes; k++) out[row + k] = out[row + k]! / total
  }
  return out
}
