import type { Solution } from '../../improve/search/search.ts'

/**
 * Number of the candidate to show: the chosen one; where no candidate states an answer that can be told (a letter, a
 * poem), the one with the highest score, the first where none has one.
 */
export function chosenOf({ chosen, candidates }: Solution): number {
  if (chosen !== null) return chosen
  const scores = candidates.map(({ score }) => score ?? Number.NEGATIVE_INFINITY)
  return Math.max(0, scores.indexOf(Math.max(...scores)))
}
