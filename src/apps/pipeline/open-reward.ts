import type { Engine } from '../../engine/engine.ts'
import { loadReward } from '../../models/rewards/model-file.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'

/** A reward model as it stands on the command line. */
export type RewardSpec = { kind: 'file'; path: string }

export interface RewardSettings {
  /** Folder of the embedded policies' weights; the package's own where not given. */
  root?: string
}

/** `model.json`: a model that `gradus train reward` wrote. */
export function readRewardSpec(text: string): RewardSpec {
  return { kind: 'file', path: text }
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
  return loadReward(spec.path, { engine, ...settings })
}
