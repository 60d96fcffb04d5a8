import { z } from 'zod'
import { mean } from '../../core/stats/index.ts'
import type { Candidate } from './candidates.ts'
import { examined, inUnit, scoreFlags, solution } from './choice.ts'
import { Purse } from './purse.ts'
import { comparing, rewardOf, type Search, type SearchContext, settingsOf } from './search.ts'
import { blocs, heaviest } from './votes.ts'

const Options = z.object({ n: comparing(16, 'samples that vote') })

/**
 * n whole samples; the answer with the largest sum of scores, a middle way between majority and best of N. Equal sums:
 * the answer that was stated first. The chosen sample is the best of that answer.
 *
 * A sample without a score weighs as much as the others on average; where none has one this is the majority.
 *
 * @see papers/prm-lessons.md (weighted majority, Li et al. 2023)
 */
export const weightedVote: Search = {
  name: 'weighted-vote',
  summary: 'whole samples, the answer with the largest sum of scores',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { n } = settingsOf(weightedVote.name, Options, given)
    rewardOf(weightedVote.name, context)
    const purse = new Purse(context.budget)
    const taken = await context.pool.take(n, { purse })
    const candidates = await examined(taken.candidates, context)
    for (const candidate of candidates) yield { kind: 'candidate', candidate }
    const weigh = weights(candidates, context)
    const won = heaviest(blocs(candidates, context.same, weigh))
    const chosen = won?.members.reduce((a, b) => (weigh(candidates[b]!) > weigh(candidates[a]!) ? b : a)) ?? null
    return solution(candidates, chosen, purse, { flags: scoreFlags(candidates) })
  },
}

/** What a candidate's vote weighs, in [0, 1]: its score; a sum of log-odds as a probability. */
export function weights(candidates: readonly Candidate[], context: SearchContext): (candidate: Candidate) => number {
  const known = candidates.flatMap(({ score }) => (score === null ? [] : [inUnit(score, context)]))
  const unknown = known.length === 0 ? 1 : mean(known)
  return ({ score }) => (score === null ? unknown : inUnit(score, context))
}
