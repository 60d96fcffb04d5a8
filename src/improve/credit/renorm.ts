import { z } from 'zod'
import { type Attempt, type Credit, checkGroup, credited, creditOptions, outcomePart, unscoredFlag } from './credit.ts'

const Options = z.object({
  form: z
    .enum(['renorm', 'additive', 'gated'])
    .default('renorm')
    .describe('reward of a step: score + outcome - 1; weight × score; or score × outcome (renorm)'),
  weight: z.number().min(0).default(1).describe('of scores in the additive form (1)'),
  share: z
    .enum(['sum', 'mean'])
    .default('sum')
    .describe('`mean` divides by the number of steps, so that long successes are not paid more (sum)'),
  as: z
    .enum(['turn', 'return'])
    .default('turn')
    .describe('a step answers for its own reward, or for all rewards from it on (turn)'),
})
type Form = 'renorm' | 'additive' | 'gated'

/** Rewards that spread less are equal but for rounding. */
const EPSILON = 1e-12

/**
 * Step scores tied to the outcome, r = score + outcome - 1: steps of a success earn their score, steps of a failure
 * what is missing to 1, so that well-scored steps of a hopeless run cannot be collected.
 *
 * Rewards are standardised over all steps of the group. As `turn` they stand beside the outcome's advantage; as
 * `return` the standardised rewards from the step on are added up and the outcome's advantage once.
 * @see papers/ppr-renorm.md; the additive and gated forms are its controls
 */
export const renorm: Credit = {
  name: 'renorm',
  summary: 'step scores tied to the outcome: score + outcome - 1, compared over the steps of the group',
  paper: 'ppr-renorm',
  options: Options,
  needs: ['scores'],
  credit(group, given) {
    const { as, ...settings } = creditOptions(renorm.name, Options, given)
    checkGroup(group)
    const { outcome, flags } = outcomePart(group, { baseline: 'group', scale: 'std' })
    const rewards = group.map((attempt) => stepRewards(attempt, settings))
    const all = rewards.flatMap((own) => own.filter((r) => r !== null))
    const mean = all.reduce((a, b) => a + b, 0) / Math.max(1, all.length)
    const spread = Math.sqrt(all.reduce((s, r) => s + (r - mean) ** 2, 0) / Math.max(1, all.length))
    // Standardising takes the weight of the additive form out again.
    const weight = settings.form === 'additive' ? settings.weight : 1
    return group.map((attempt, i) => {
      const own = (rewards[i] ?? []).map((r) => (r === null || spread < EPSILON ? 0 : (weight * (r - mean)) / spread))
      const step = as === 'turn' ? own : own.map((_, t) => own.slice(t).reduce((a, b) => a + b, 0))
      const parts = { outcome: outcome[i] ?? [], step }
      return credited(attempt, parts, [...flags, ...unscoredFlag(attempt, rewards[i] ?? [])])
    })
  },
}

/** The reward of each step; null where it has no score, the policy did not write it or the outcome is unknown. */
export function stepRewards(
  { steps, outcome }: Attempt,
  { form, weight, share }: { form: Form; weight: number; share: 'sum' | 'mean' },
): (number | null)[] {
  const written = steps.filter(({ tokens, score }) => tokens > 0 && score !== null).length
  return steps.map(({ tokens, score }) => {
    if (tokens === 0 || score === null || outcome === null) return null
    const reward = form === 'renorm' ? score + outcome - 1 : form === 'gated' ? score * outcome : weight * score
    return share === 'mean' ? reward / written : reward
  })
}
