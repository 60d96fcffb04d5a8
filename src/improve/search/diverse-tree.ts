import { z } from 'zod'
import { beams, eachOf } from './beam.ts'
import { Explorer } from './explorer.ts'
import { comparing, rewardOf, type Search, settingsOf } from './search.ts'
import { explored } from './step-beam.ts'

const Options = z.object({
  k: comparing(16, 'next steps that are written in all, before the best are kept'),
  width: comparing(4, 'next steps of a tree, of which one is kept; divides k'),
  lookAhead: z.number().int().min(0).default(0).describe('further steps written before a step is judged'),
})

/**
 * Diverse verifier tree search: k / width greedy searches that know nothing of each other, so that one early favourite
 * cannot take all places as in a beam. The answer is that of the best of their ends.
 *
 * @see papers/alphamath.md (SBS), Beeching et al. 2024 (diverse verifier tree search)
 */
export const diverseTree: Search = {
  name: 'diverse-tree',
  summary: 'greedy searches that know nothing of each other, the best of their ends',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { k, width, lookAhead } = settingsOf(diverseTree.name, Options, given)
    const trees = eachOf(diverseTree.name, { k, parts: width, dedup: 'none' }, context)
    const explorer = new Explorer(context, rewardOf(diverseTree.name, context))
    const shape = { trees, beam: 1, each: width, lookAhead, dedup: 'none' } as const
    const { finished, flags } = yield* beams(explorer, shape)
    return explored(explorer, finished, flags)
  },
}
