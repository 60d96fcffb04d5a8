import { z } from 'zod'
import { beams, DEDUPS, eachOf } from './beam.ts'
import { best, scoreFlags, solution } from './choice.ts'
import { checkWorked, Explorer } from './explorer.ts'
import { comparing, rewardOf, type Search, settingsOf } from './search.ts'

const Options = z.object({
  k: comparing(16, 'next steps that are written in all, before the best are kept'),
  beam: z.number().int().min(1).default(4).describe('lines that are kept; divides k'),
  lookAhead: z.number().int().min(0).default(0).describe('further steps written before a step is judged'),
  dedup: z.enum(DEDUPS).default('none').describe('lines that count as the same: none, of equal text, of equal state'),
})

/**
 * Step beam: k next steps in all, the best `beam` lines kept, until they have ended.
 *
 * Each kept line is given k / beam next steps (the start k), so a round costs k steps at most. A finished line keeps
 * its place in the beam. The answer is that of the finished line with the highest score; `beam` 1 is a greedy search.
 * Lines of equal text may take several places, which gives the best line more samples; `dedup` prefers lines that differ.
 * With `lookAhead` a step is judged by the score of the line that many steps further on.
 *
 * @see papers/ovm.md (value-guided step beam), papers/alphamath.md (its SBS(B1, B2) has beam B1, k B1 x B2)
 */
export const stepBeam: Search = {
  name: 'step-beam',
  summary: 'the best lines after every step',
  paper: 'ovm',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { k, beam, lookAhead, dedup } = settingsOf(stepBeam.name, Options, given)
    const each = eachOf(stepBeam.name, { k, parts: beam, dedup }, context)
    const explorer = new Explorer(context, rewardOf(stepBeam.name, context))
    const { finished, flags } = yield* beams(explorer, { trees: 1, beam, each, lookAhead, dedup })
    return explored(explorer, finished, flags)
  },
}

/**
 * The best of finished lines as a solution.
 * @throws GradusError of the last failure where nothing came back
 */
export function explored(
  explorer: Explorer,
  finished: Parameters<Explorer['candidate']>[0][],
  flags: ReturnType<typeof scoreFlags>,
) {
  checkWorked(explorer)
  const candidates = finished.map((path) => explorer.candidate(path))
  const { purse, tree } = explorer
  return solution(candidates, best(candidates), purse, {
    tree: tree.toJSON(),
    flags: [...flags, ...scoreFlags(candidates)],
  })
}
