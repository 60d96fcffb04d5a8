import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { AnnotateContext } from '../../label/annotators/annotator.ts'
import { JUDGE_OPTIONS, judgeReward } from '../../models/rewards/judge.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import {
  openJudge,
  openReward,
  REWARD_FORMS,
  type RewardSettings,
  type RewardSpec,
  readJudgeSpec,
  readRewardSpec,
  rewardName,
} from '../pipeline/open-reward.ts'

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

/** @throws GradusError GRD-CLI-002 */
export function rewardSpecs({ judge, reward }: RewardFlags): RewardSpec[] {
  return [
    ...(judge === undefined ? [] : [readJudgeSpec(judge)]),
    ...(reward === undefined ? [] : [readRewardSpec(reward)]),
  ]
}

export function rewardSettings(options: RewardFlags, more: Pick<RewardSettings, 'seed' | 'by'>): RewardSettings {
  const keyFrom = options.judgeKey ?? options.key
  const [prompt, completion] = options.judgePrice ?? options.price ?? []
  return {
    ...more,
    ...(keyFrom !== undefined && { keyFrom }),
    ...(prompt !== undefined && completion !== undefined && { price: { prompt, completion } }),
  }
}

/** The reward models of a run, opened; a judge is made anew for the options of its annotator. */
export async function openRewards(
  specs: readonly RewardSpec[],
  engine: Engine,
  settings: RewardSettings,
  signal: AbortSignal,
): Promise<NonNullable<AnnotateContext['rewards']>> {
  const opened = new Map<string, (options: unknown) => RewardModel>()
  for (const spec of specs) {
    if (spec.kind === 'judge') {
      const asked = await openJudge(spec, engine, settings, signal)
      const { seed } = settings
      opened.set('judge', (options) =>
        judgeReward(asked, {
          ...(options === undefined ? spec.options : JUDGE_OPTIONS.parse(options)),
          ...(seed !== undefined && { seed }),
        }),
      )
    } else {
      const model = await openReward(spec, engine, settings, signal)
      opened.set(rewardName(spec), () => model)
    }
  }
  return (name, options) => {
    const model = opened.get(name)?.(options)
    // The first Ctrl-C lets calls arrive that are paid for, the second gives them up: the engine sees to both.
    return model && { ...model, score: (lines) => model.score(lines) }
  }
}
