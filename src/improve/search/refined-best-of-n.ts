import { z } from 'zod'
import { random } from '../../core/seeds.ts'
import { type Attempt, attempts, corrected, firstDoubted, thresholdOf, thresholdOption } from './attempts.ts'
import type { Candidate } from './candidates.ts'
import { best, examined, scoreFlags, solution, verdictsOf } from './choice.ts'
import { Purse } from './purse.ts'
import { comparing, rewardOf, type Search, type SearchContext, settingsOf } from './search.ts'

const Options = z.object({
  n: comparing(8, 'attempts in all'),
  split: z.number().gt(0).lt(1).default(0.5).describe('share of them that are plain samples'),
  threshold: thresholdOption('counts as wrong'),
  cut: z
    .enum(['first-wrong', 'random'])
    .default('first-wrong')
    .describe('where a doubted sample is cut; random is the control'),
  rewrite: z.boolean().default(true).describe('ask whoever corrects for better words; else the policy tries again'),
  onUnflagged: z
    .enum(['keep', 'resample'])
    .default('keep')
    .describe('what follows from a sample without a doubted step: nothing, or a fresh sample'),
  rounds: z.number().int().min(1).default(1).describe('how often the newest attempts are refined'),
})

/**
 * Refined best of N: some whole samples; each that the reward model doubts is cut before its first wrong step and
 * written on from there; the best of all is the answer.
 *
 * The cut step is replaced by what `correct` of the context says, where it says something else than the step; without
 * it the policy itself tries again (`rewritten` false under `extra` of the trace, with `from`, the number of the
 * attempt that was cut, and `cut`, the step). `cut: random` cuts the same samples at a random step: what is gained by
 * knowing where.
 *
 * @see papers/gm-prm.md
 */
export const refinedBestOfN: Search = {
  name: 'refined-best-of-n',
  summary: 'whole samples, and doubted ones written anew from the first wrong step',
  paper: 'gm-prm',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const options = settingsOf(refinedBestOfN.name, Options, given)
    rewardOf(refinedBestOfN.name, context)
    const purse = new Purse(context.budget)
    const plain = Math.max(1, Math.round(options.n * options.split))
    const taken = await context.pool.take(plain, { purse })
    const candidates = await examined(taken.candidates, context)
    for (const candidate of candidates) yield { kind: 'candidate', candidate }
    let newest = candidates.map((candidate, number) => ({ candidate, number }))
    let next = plain
    for (let round = 0; round < options.rounds && next < options.n && !purse.out; round++) {
      const wanted: Attempt[] = []
      for (const { candidate, number } of newest) {
        if (next >= options.n) break
        const attempt = await refinement(candidate, number, next, options, context, purse)
        if (!attempt) continue
        wanted.push(attempt)
        next++
      }
      if (wanted.length === 0) break
      const written = (await attempts(context, purse, wanted)).filter((one) => one !== null)
      newest = written.map((candidate, i) => ({ candidate, number: candidates.length + i }))
      candidates.push(...written)
      for (const candidate of written) yield { kind: 'candidate', candidate }
    }
    return solution(candidates, best(candidates), purse, { flags: scoreFlags(candidates) })
  },
}

/** What follows from an attempt; null = nothing. */
async function refinement(
  candidate: Candidate,
  number: number,
  sample: number,
  { threshold, cut, rewrite, onUnflagged }: z.output<typeof Options>,
  context: SearchContext,
  purse: Purse,
): Promise<Attempt | null> {
  const { steps } = candidate.trace
  const doubted = firstDoubted(candidate, thresholdOf(threshold, context))
  if (doubted === null) {
    return onUnflagged === 'keep' ? null : { prompt: [], prefix: [], sample, about: { fresh: true } }
  }
  const draw = random(`${context.seed}/${context.problem.id}/cut/${number}`)
  const at = cut === 'random' ? draw.below(steps.length) : doubted
  const before = steps.slice(0, at)
  const better = rewrite ? await corrected(context, purse, steps.slice(0, at + 1)) : null
  const stands = better !== null && !(await refutes(context, candidate, [...before, better]))
  const prefix = stands && better ? [...before, better] : before
  return { prompt: prefix, prefix, sample, about: { from: number, cut: at, rewritten: stands } }
}

/** Does the veto refute the last of these steps? */
async function refutes({ veto, signal }: SearchContext, { trace }: Candidate, steps: Candidate['trace']['steps']) {
  return veto !== undefined && (await verdictsOf(veto, { ...trace, steps }, signal)).at(-1) === 'incorrect'
}
