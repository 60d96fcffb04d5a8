import { z } from 'zod'
import { best, examined, scoreFlags, solution } from './choice.ts'
import { Purse } from './purse.ts'
import { comparing, rewardOf, type Search, settingsOf } from './search.ts'

const Options = z.object({ n: comparing(16, 'samples to choose from') })

/**
 * n whole samples; the one with the highest score is the answer. Equal scores: the earlier sample.
 * @see papers/ovm.md (re-ranking), papers/prm-lessons.md
 */
export const bestOfN: Search = {
  name: 'best-of-n',
  summary: 'whole samples, the best by the reward model',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { n } = settingsOf(bestOfN.name, Options, given)
    rewardOf(bestOfN.name, context)
    const purse = new Purse(context.budget)
    const taken = await context.pool.take(n, { purse })
    const candidates = await examined(taken.candidates, context)
    for (const candidate of candidates) yield { kind: 'candidate', candidate }
    return solution(candidates, best(candidates), purse, { flags: scoreFlags(candidates) })
  },
}
