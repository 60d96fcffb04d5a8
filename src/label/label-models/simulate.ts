import type { Random } from '../../core/seeds.ts'
import { ABSTAIN, type VoteMatrix, votesOfRows } from './votes.ts'

/** A planted source: right with `accuracy`, else one of the other classes alike. */
export interface PlantedSource {
  accuracy: number
  coverage: number
  /** An earlier source whose vote it repeats with probability `repeats`. */
  copies?: number
  /** Default 1. */
  repeats?: number
}

/** Independent items with a known class and votes of planted sources, for tests, benches and demonstrations. */
export function simulateVotes(
  random: Random,
  items: number,
  prior: readonly number[],
  sources: readonly PlantedSource[],
): { votes: VoteMatrix; gold: Int8Array } {
  const gold = Int8Array.from({ length: items }, () => draw(random, prior))
  const rows = Array.from(gold, (g) => {
    const row: number[] = []
    for (const source of sources) {
      const original = source.copies === undefined ? undefined : row[source.copies]
      if (random.next() >= source.coverage) row.push(ABSTAIN)
      else if (original !== undefined && original >= 0 && random.next() < (source.repeats ?? 1)) row.push(original)
      else if (random.next() < source.accuracy) row.push(g)
      else row.push((g + 1 + random.below(prior.length - 1)) % prior.length)
    }
    return row
  })
  return {
    votes: votesOfRows(
      prior.map((_, k) => `class ${k}`),
      sources.map((_, s) => `source ${s}`),
      rows,
    ),
    gold,
  }
}

/** An index with the given probabilities. */
export function draw(random: Random, probabilities: readonly number[]): number {
  let left = random.next()
  for (let k = 0; k < probabilities.length - 1; k++) {
    left -= probabilities[k]!
    if (left < 0) return k
  }
  return probabilities.length - 1
}
