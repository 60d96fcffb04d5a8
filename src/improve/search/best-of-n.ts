import { z } from 'zod'
import type { Candidate, Search } from './search.ts'

const Options = z.object({
  n: z.number().int().min(1).default(16).describe('samples to choose from'),
})

/**
 * n whole samples; the one with the highest score is the answer. Equal scores: the earlier sample.
 * @see papers/ovm.md (re-ranking), papers/prm-lessons.md
 */
export const bestOfN: Search = {
  name: 'best-of-n',
  summary: 'whole samples, the best by the reward model',
  options: Options,
  needs: ['reward'],
  async *solve({ pool }, given) {
    const { n } = Options.parse(given ?? {})
    const { candidates, usage } = await pool.take(n)
    for (const candidate of candidates) yield { kind: 'candidate', candidate }
    const chosen = best(candidates)
    const answer = chosen === null ? null : (candidates[chosen]?.trace.answer ?? null)
    return { answer, chosen, candidates, tree: null, usage, outOfBudget: false }
  },
}

/** Number of the highest score, the first where several are equal; samples without an answer are not chosen. */
export function best(candidates: readonly Candidate[]): number | null {
  let at: number | null = null
  for (const [i, { score, trace }] of candidates.entries()) {
    if (trace.answer === undefined) continue
    const before = at === null ? undefined : candidates[at]
    if (before === undefined || (score ?? -Infinity) > (before.score ?? -Infinity)) at = i
  }
  return at
}
