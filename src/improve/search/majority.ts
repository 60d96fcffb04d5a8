import { z } from 'zod'
import { examined, solution } from './choice.ts'
import { Purse } from './purse.ts'
import { comparing, type Search, settingsOf } from './search.ts'
import { blocs, heaviest } from './votes.ts'

const Options = z.object({ n: comparing(16, 'samples that vote') })

/**
 * n whole samples; the answer that most of them state. Equal counts: the answer that was stated first. Its first
 * sample is the chosen one. No reward model is asked or paid for.
 *
 * @see papers/ovm.md (self-consistency, Wang et al. 2023)
 */
export const majority: Search = {
  name: 'majority',
  summary: 'whole samples, the most frequent answer',
  options: Options,
  needs: [],
  async *solve(context, given) {
    const { n } = settingsOf(majority.name, Options, given)
    const purse = new Purse(context.budget)
    const taken = await context.pool.take(n, { scored: false, purse })
    const candidates = await examined(taken.candidates, context)
    for (const candidate of candidates) yield { kind: 'candidate', candidate }
    const won = heaviest(blocs(candidates, context.same))
    return solution(candidates, won?.members[0] ?? null, purse)
  },
}
