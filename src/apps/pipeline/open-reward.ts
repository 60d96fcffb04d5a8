import type { Engine } from '../../engine/engine.ts'
import { loadReward } from '../../models/rewards/model-file.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { selfLogprob } from '../../models/rewards/self-logprob.ts'

/** A reward model as it stands on the command line. */
export type RewardSpec = { kind: 'free'; name: FreeReward } | { kind: 'file'; path: string }

/** Reward models that need no file, no endpoint and no training. */
const FREE = {
  logprob: () => selfLogprob,
  oracle: () => oracleReward(),
  'oracle:value': () => oracleReward('value'),
} as const satisfies Record<string, () => RewardModel>
type FreeReward = keyof typeof FREE

/** For help texts. */
export const REWARD_FORMS = 'model.json (of gradus train reward), logprob, oracle or oracle:value'

export interface RewardSettings {
  /** Folder of the embedded policies' weights; the package's own where not given. */
  root?: string
}

/** `logprob`, `oracle`, `oracle:value`; else the path of a model that `gradus train reward` wrote. */
export function readRewardSpec(text: string): RewardSpec {
  return Object.hasOwn(FREE, text) ? { kind: 'free', name: text as FreeReward } : { kind: 'file', path: text }
}

/**
 * The reward model, ready to score.
 * @throws GradusError GRD-MODEL-* for files, GRD-CALL-* for an endpoint
 */
export async function openReward(
  spec: RewardSpec,
  engine: Engine,
  settings: RewardSettings = {},
): Promise<RewardModel> {
  if (spec.kind === 'free') return FREE[spec.name]()
  return loadReward(spec.path, { engine, ...settings })
}
