import type { Engine } from '../../engine/engine.ts'
import type { AnnotateContext } from '../../label/annotators/annotator.ts'
import { JUDGE_OPTIONS, judgeReward } from '../../models/rewards/judge.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { openJudge, openReward, type RewardSettings, type RewardSpec, rewardName } from './open-reward.ts'

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
