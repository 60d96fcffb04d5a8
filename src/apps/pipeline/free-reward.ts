import { oracleReward } from '../../models/rewards/oracle.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { selfLogprob } from '../../models/rewards/self-logprob.ts'

/** Reward models that need no file, no endpoint and no training. */
export const FREE_REWARDS = 'logprob, oracle or oracle:value'

/** `logprob`, `oracle`, `oracle:value`; null for another name. */
export function freeReward(name: string): RewardModel | null {
  if (name === 'logprob') return selfLogprob
  if (name === 'oracle') return oracleReward()
  return name === 'oracle:value' ? oracleReward('value') : null
}
