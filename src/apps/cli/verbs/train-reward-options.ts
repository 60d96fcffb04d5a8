import { z } from 'zod'
import { AGGREGATORS, type AggregatorName } from '../../../models/rewards/aggregators.ts'
import { REWARD_KINDS } from '../../../models/rewards/targets.ts'

/** Options of `gradus train reward` beside those of `gradus train policy`. */
export const REWARD_OPTIONS = {
  kind: z
    .enum(REWARD_KINDS)
    .default('process')
    .describe('reward: labels of steps, the outcome at the end, or the outcome at every step'),
  body: z
    .string()
    .default('features')
    .describe(
      'reward: who reads steps: features, embedded[:name], likelihood[:name], [hidden:]http://host/v1#model, or several joined by +',
    ),
  learner: z
    .string()
    .optional()
    .describe(
      'reward: who learns the head, with options as in mlp:hidden=32; logistic on features and likelihood, else mlp',
    ),
  fineTune: z.boolean().default(false).describe('reward: train the embedded transformer with the head'),
  labels: z.string().optional().describe('reward: source of the labels where the traces have several'),
  meaning: z.enum(['correctness', 'value']).optional().describe('reward: meaning of the labels where there are both'),
  harden: z.number().min(0).max(1).optional().describe('reward: labels become 1 above this and 0 else'),
  balance: z
    .enum(['yes', 'no'])
    .optional()
    .describe('reward: both classes weigh the same while learning; yes for process'),
  aggregate: z
    .enum(Object.keys(AGGREGATORS) as [AggregatorName, ...AggregatorName[]])
    .optional()
    .describe('reward: how step scores become one; min for correctness, last else'),
  name: z.string().optional().describe('reward: name for `source`; made of kind and body where not given'),
  key: z.string().optional().describe('reward: NAME of the environment variable with the key of the endpoint'),
} as const

export type RewardOptions = z.output<z.ZodObject<typeof REWARD_OPTIONS>> & {
  output?: string | undefined
  seed?: string | undefined
  json: boolean
}
