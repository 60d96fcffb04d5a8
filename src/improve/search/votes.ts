import type { Candidate } from './candidates.ts'
import { eligible } from './choice.ts'
import type { SearchContext } from './search.ts'

/** Candidates that say the same, in order of the first of each group. */
export interface Bloc {
  answer: string
  /** Numbers among the candidates. */
  members: number[]
  /** Sum of what the members' votes weigh. */
  weight: number
}

/**
 * The candidates that may be chosen, by what they say. An answer joins the first group whose first answer says the
 * same; a candidate without an answer has no vote.
 */
export function blocs(
  candidates: readonly Candidate[],
  same: SearchContext['same'],
  weigh: (candidate: Candidate) => number = () => 1,
): Bloc[] {
  const found: Bloc[] = []
  for (const i of eligible(candidates)) {
    const candidate = candidates[i]!
    const answer = candidate.trace.answer ?? ''
    const bloc = found.find((one) => one.answer === answer || same(one.answer, answer))
    if (bloc) {
      bloc.members.push(i)
      bloc.weight += weigh(candidate)
    } else found.push({ answer, members: [i], weight: weigh(candidate) })
  }
  return found
}

/** The heaviest; equal weights: the one that was said first. */
export function heaviest(found: readonly Bloc[]): Bloc | null {
  return found.reduce<Bloc | null>((a, b) => (a === null || b.weight > a.weight ? b : a), null)
}
