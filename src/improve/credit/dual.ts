import { z } from 'zod'
import {
  type Attempt,
  type Credit,
  checkGroup,
  credited,
  creditOptions,
  OutcomeOptions,
  outcomePart,
  unscoredFlag,
} from './credit.ts'

const Options = z.object({
  ...OutcomeOptions,
  coef: z.number().min(0).default(0.3).describe('weight of the part of the step (.3)'),
  norm: z
    .enum(['token', 'step', 'index'])
    .default('token')
    .describe(
      'scores are compared over all tokens of the group, all its steps, or its steps of the same number (token)',
    ),
})

/** Keeps a standard deviation of scores from being 0 in the published form. */
const EPSILON = 1e-8

/**
 * Outcome advantage + coef × standardised score of the step.
 *
 * The published form compares over tokens, each with the score of its step, so that a long step weighs more: two
 * steps of 5 and 100 tokens with scores 1.8 and 1.2 stand at 4.47 and -.22, by steps at 1 and -1.
 * @see papers/prorag.md; `index` is the normalisation of papers/openclaw-rl.md, step 7
 */
export const dual: Credit = {
  name: 'dual',
  summary: 'outcome advantage and, beside it, the standardised score of each step',
  paper: 'prorag',
  options: Options,
  needs: ['scores'],
  credit(group, given) {
    const settings = creditOptions(dual.name, Options, given)
    checkGroup(group)
    const { outcome, flags } = outcomePart(group, settings)
    const steps = standardised(group, settings.norm)
    return group.map((attempt, i) => {
      const scores = attempt.steps.map(({ score }) => score)
      const step = (steps[i] ?? []).map((z) => settings.coef * z)
      return credited(attempt, { outcome: outcome[i] ?? [], step }, [...flags, ...unscoredFlag(attempt, scores)])
    })
  },
}

/** (score - mean) / standard deviation over the group; 0 for a step without a score and where all are equal. */
function standardised(group: readonly Attempt[], norm: 'token' | 'step' | 'index'): number[][] {
  const buckets = new Map<number, { weight: number; score: number }[]>()
  for (const { steps, outcome } of group) {
    for (const [t, { tokens, score }] of steps.entries()) {
      if (tokens === 0 || score === null || outcome === null) continue
      const at = norm === 'index' ? t : 0
      const bucket = buckets.get(at) ?? []
      bucket.push({ weight: norm === 'token' ? tokens : 1, score })
      buckets.set(at, bucket)
    }
  }
  const scales = new Map(
    [...buckets].map(([at, items]) => {
      const total = items.reduce((sum, { weight }) => sum + weight, 0)
      const mean = items.reduce((sum, { weight, score }) => sum + weight * score, 0) / total
      const variance = items.reduce((sum, { weight, score }) => sum + weight * (score - mean) ** 2, 0) / total
      return [at, { mean, spread: Math.sqrt(variance) }] as const
    }),
  )
  return group.map(({ steps }) =>
    steps.map(({ tokens, score }, t) => {
      const scale = scales.get(norm === 'index' ? t : 0)
      if (!scale || score === null || tokens === 0 || scale.spread < EPSILON) return 0
      return (score - scale.mean) / (scale.spread + EPSILON)
    }),
  )
}
