import { z } from 'zod'
import { checkGold, type LabelModel } from './label-model.ts'
import { voteFractions } from './majority.ts'
import { fittedFrom } from './source-report.ts'
import type { VoteMatrix } from './votes.ts'

const options = z.object({
  iterations: z.number().int().min(1).default(20).describe('rounds of voting and re-weighting without gold labels'),
  prior: z.number().min(0).default(2).describe('pseudo-votes at chance level that pull an accuracy estimate in'),
})

/**
 * Votes weighted by the log-odds of the source's accuracy, log((K - 1) a / (1 - a)), never below 0: the optimal weight
 * of independent sources whose errors are uniform (Nitzan and Paroush 1982).
 *
 * Accuracy is counted on gold labels where there are any, else against the weighted vote of the *other* sources, which
 * is repeated; a source does not confirm itself.
 */
export const weightedMajority: LabelModel<z.output<typeof options>> = {
  name: 'weighted-majority',
  summary: 'votes weighted by the log-odds of each source being right',
  paper: 'autows-bench',
  gold: 'used',
  options,
  fit(votes, given, gold) {
    const { iterations, prior } = options.parse(given ?? {})
    if (gold) checkGold(votes, gold)
    const supervised = gold?.some((g) => g >= 0) ?? false
    let weights: Float64Array = new Float64Array(votes.sources.length).fill(1)
    if (gold && supervised) {
      weights = logOdds(votes, goldAccuracy(votes, gold, prior))
    } else {
      for (let round = 0; round < iterations; round++) {
        const next = logOdds(votes, peerAccuracy(votes, weights, prior))
        const moved = next.reduce((max, w, s) => Math.max(max, Math.abs(w - weights[s]!)), 0)
        weights = next
        if (moved < 1e-9) break
      }
    }
    const notes: string[] = []
    if (weights.every((w) => w === 0)) {
      notes.push('no source is better than chance by its peers: every source has one vote')
      weights.fill(1)
    }
    const posterior = voteFractions(votes, weights)
    votes.sources.forEach((name, s) => {
      if (weights[s] === 0) notes.push(`${name} is not better than chance and has no weight`)
    })
    return fittedFrom(votes, posterior, notes)
  },
}

function logOdds(matrix: VoteMatrix, accuracy: Float64Array): Float64Array {
  const others = matrix.classes.length - 1
  return accuracy.map((a) => Math.max(0, Math.log((others * a) / (1 - a))))
}

function goldAccuracy(matrix: VoteMatrix, gold: Int8Array, prior: number): Float64Array {
  const m = matrix.sources.length
  return accuracies(matrix, prior, (item, source) => {
    const g = gold[item]!
    return g < 0 ? null : matrix.votes[item * m + source] === g ? 1 : 0
  })
}

/** Agreement with the class that wins among the other sources; an item on which no other source votes is left out. */
function peerAccuracy(matrix: VoteMatrix, weights: Float64Array, prior: number): Float64Array {
  const m = matrix.sources.length
  const sums = new Float64Array(matrix.classes.length)
  let summed = -1
  return accuracies(matrix, prior, (item, source) => {
    const base = item * m
    if (summed !== item) {
      sums.fill(0)
      for (let s = 0; s < m; s++) {
        const vote = matrix.votes[base + s]!
        if (vote >= 0) sums[vote] = sums[vote]! + weights[s]!
      }
      summed = item
    }
    const own = matrix.votes[base + source]!
    const without = (k: number): number => sums[k]! - (k === own ? weights[source]! : 0)
    let best = 0
    let ties = 1
    for (let k = 1; k < sums.length; k++) {
      const lead = without(k) - without(best)
      if (lead > 1e-12) {
        best = k
        ties = 1
      } else if (lead > -1e-12) ties++
    }
    if (without(best) <= 1e-12) return null
    return without(own) >= without(best) - 1e-12 ? 1 / ties : 0
  })
}

/** Mean of `right` over each source's votes, shrunk towards chance by `prior` pseudo-votes, kept inside (0, 1). */
function accuracies(
  matrix: VoteMatrix,
  prior: number,
  right: (item: number, source: number) => number | null,
): Float64Array {
  const m = matrix.sources.length
  const sum = new Float64Array(m).fill(prior / matrix.classes.length)
  const seen = new Float64Array(m).fill(prior)
  for (let i = 0; i < matrix.items; i++) {
    for (let s = 0; s < m; s++) {
      if (matrix.votes[i * m + s]! < 0) continue
      const r = right(i, s)
      if (r === null) continue
      sum[s] = sum[s]! + r
      seen[s] = seen[s]! + 1
    }
  }
  return sum.map((n, s) => {
    const a = seen[s] === 0 ? 1 / matrix.classes.length : n / seen[s]!
    return Math.min(1 - 1e-6, Math.max(1e-6, a))
  })
}
