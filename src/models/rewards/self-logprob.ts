import { NO_USAGE, type Step } from '../../core/words.ts'
import type { RewardModel } from './reward.ts'

/**
 * How sure the policy itself was of its words: exp(mean token log-probability) of each step. It costs nothing, and
 * knows nothing that the policy does not know; a step whose tokens are not known has no score.
 */
export const selfLogprob: RewardModel = {
  name: 'logprob',
  identity: 'self-logprob',
  meaning: 'correctness',
  aggregate: 'mean',
  score: async (lines) => lines.map(({ steps }) => ({ ok: true, scores: steps.map(meanProbability), usage: NO_USAGE })),
}

function meanProbability({ tokens }: Step): number | null {
  const logprobs = tokens?.logprobs ?? []
  if (logprobs.length === 0) return null
  return Math.min(1, Math.exp(logprobs.reduce((a, b) => a + b, 0) / logprobs.length))
}
