import { z } from 'zod'
import { plainSamples, stepEvent } from './beam.ts'
import { compareDescending } from './choice.ts'
import { Explorer, type Path } from './explorer.ts'
import { comparing, rewardOf, type Search, settingsOf } from './search.ts'
import { explored } from './step-beam.ts'

const Options = z.object({
  proposals: comparing(8, 'next steps that are asked for at each line'),
  beam: z.number().int().min(1).default(5).describe('lines that are kept after each step'),
})

/**
 * Breadth-first tree of thoughts: propose, value, select.
 *
 * Every line that is kept is given up to `proposals` next steps (a policy that has no more stops), each is valued, the
 * best `beam` of all are kept; a finished line competes on with its value. Tie rule, as in the published runs: equal
 * values are kept in the order of their lines and proposals, and what was already proposed in the same round is worth
 * 0 the second time. The answer is that of the best line at the end; the candidates are all that are kept then.
 *
 * It differs from `step-beam` in that each line has as many proposals as it likes, and that finished lines can be
 * pushed out.
 *
 * @see Yao et al. 2023, Tree of Thoughts
 */
export const treeOfThoughts: Search = {
  name: 'tree-of-thoughts',
  summary: 'propose, value, select: breadth first',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { proposals, beam } = settingsOf(treeOfThoughts.name, Options, given)
    const explorer = new Explorer(context, rewardOf(treeOfThoughts.name, context))
    let kept: Path[] = [explorer.start()]
    while (kept.some(({ end }) => end === null) && !explorer.purse.out) {
      const open = kept.filter(({ end }) => end === null)
      const grown = await explorer.expand(open.map((path) => ({ path, count: proposals })))
      const proposed = kept.flatMap((path) =>
        path.end === null ? (grown[open.indexOf(path)] ?? []).filter(({ node }) => node !== path.node) : [path],
      )
      if (proposed.length === 0) break
      const chosen = select(proposed, beam)
      for (const path of proposed) if (!kept.includes(path)) yield stepEvent(path, chosen.includes(path))
      kept = chosen
    }
    const ended = kept.filter(({ end }) => end !== null)
    const lost = ended.length === 0 && !explorer.purse.out
    const { finished, flags } = lost ? await plainSamples(explorer, 1) : { finished: ended, flags: [] }
    for (const path of finished) yield { kind: 'candidate', candidate: explorer.candidate(path) }
    return explored(explorer, finished, flags)
  },
}

function select(proposed: readonly Path[], beam: number): Path[] {
  const seen = new Set<number>()
  return proposed
    .filter(({ end }) => end !== 'refuted')
    .map((path) => {
      const repeated = seen.has(path.node)
      seen.add(path.node)
      return { path, score: repeated ? 0 : path.score }
    })
    .sort(compareDescending)
    .slice(0, beam)
    .map(({ path }) => path)
}
