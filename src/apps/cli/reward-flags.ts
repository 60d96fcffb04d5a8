import { z } from 'zod'
import { REWARD_FORMS, type RewardSettings } from '../pipeline/open-reward.ts'

/** Options of every verb that asks reward models. */
export const REWARD_FLAGS = {
  judge: z.string().optional().describe('language model that judges steps (reward:judge): http://host/v1#model'),
  reward: z.string().optional().describe(`reward model: ${REWARD_FORMS}`),
  judgeKey: z.string().optional().describe('NAME of the variable with their key; --key where not given'),
  judgePrice: z
    .array(z.number().min(0))
    .length(2)
    .optional()
    .describe('their dollars for a million prompt, completion tokens; --price where not given'),
} as const

const flags = z.object({
  ...REWARD_FLAGS,
  key: z.string().optional(),
  price: z.array(z.number()).optional(),
})
type RewardFlags = Pick<z.output<typeof flags>, keyof z.output<typeof flags>>

export function rewardSettings(options: RewardFlags, more: Pick<RewardSettings, 'seed' | 'by'>): RewardSettings {
  const keyFrom = options.judgeKey ?? options.key
  const [prompt, completion] = options.judgePrice ?? options.price ?? []
  return {
    ...more,
    ...(keyFrom !== undefined && { keyFrom }),
    ...(prompt !== undefined && completion !== undefined && { price: { prompt, completion } }),
  }
}
