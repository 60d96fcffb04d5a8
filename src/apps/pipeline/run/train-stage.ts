import { loadReward, saveReward } from '../../../models/rewards/model-file.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import type { RewardCard } from '../../../models/rewards/reward-card.ts'
import type { RewardKind } from '../../../models/rewards/targets.ts'
import { trainReward } from '../../../models/rewards/train-reward.ts'
import { openBody } from '../open-body.ts'
import { openReward, readRewardSpec } from '../open-reward.ts'
import { type RunContext, tracesOf } from './context.ts'

export interface RunModels {
  process: RewardModel
  /** Absent where a trained process model was given: it has no twin. */
  outcome: RewardModel | null
}

/** Files of the models of a draw. */
const fileOf = (kind: RewardKind, draw: number): string => `models/${kind}-${draw}.json`

/**
 * A process model and its outcome twin for each draw: the same network, the same traces, other targets. Draws differ by
 * the seed of the training.
 */
export async function trainStages(context: RunContext): Promise<void> {
  const { config, size, folder, engine, say, signal } = context
  if (config.reward !== undefined) return
  for (let draw = 0; draw < size.seeds; draw++) {
    for (const kind of ['process', 'outcome'] as const) {
      const name = size.seeds === 1 ? `train ${kind} model` : `train ${kind} model ${draw + 1}`
      await folder.stage(name, async (tick) => {
        // Without evidence: what a tool found would stand among the features, and a candidate has none.
        const traces = (await tracesOf(folder.file('labelled.jsonl'))).map(({ evidence: _, ...trace }) => trace)
        const body = await openBody(config.body, { traces, engine, fineTune: config.fineTune })
        const { model, card } = await trainReward({
          traces,
          kind,
          body,
          ...(kind === 'process' && { labels: sourceOf(config.rule), meaning: 'correctness' as const }),
          name: `${kind}-${draw}`,
          seed: `${config.seed}/${draw}`,
          signal,
        })
        await saveReward(model, folder.file(fileOf(kind, draw)))
        say(`${kind} model: ${said(card)}`)
        model.dispose?.()
        tick(traces.length, traces.length)
      })
    }
  }
}

/** The models of a draw, from their files. */
export async function openModels(context: RunContext, draw: number): Promise<RunModels> {
  const { config, engine, folder } = context
  if (config.reward !== undefined) {
    const settings = { by: 'gradus run', ...(config.key !== undefined && { keyFrom: config.key }) }
    return { process: await openReward(readRewardSpec(config.reward), engine, settings), outcome: null }
  }
  return {
    process: await loadReward(folder.file(fileOf('process', draw)), { engine }),
    outcome: await loadReward(folder.file(fileOf('outcome', draw)), { engine }),
  }
}

/** Labels carry the name of the rule that made them. */
function sourceOf(rule: string): string {
  return /^[\w-]+/.exec(rule)?.[0] ?? rule
}

function said({ trainedOn, metrics }: RewardCard): string {
  const { fit, tune, test } = trainedOn.parts
  const steps = fit.steps + tune.steps + test.steps
  const auroc =
    metrics === null
      ? ''
      : `, AUROC ${metrics.model.auroc?.toFixed(3) ?? '-'} on problems kept back (${metrics.baseline.auroc?.toFixed(3) ?? '-'} by length and position alone)`
  return `${steps.toLocaleString('en-US')} labelled steps${auroc}`
}
