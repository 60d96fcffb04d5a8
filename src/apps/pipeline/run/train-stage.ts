import type { Trace } from '../../../core/words.ts'
import { loadReward, saveReward } from '../../../models/rewards/model-file.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import type { RewardCard } from '../../../models/rewards/reward-card.ts'
import type { RewardKind } from '../../../models/rewards/targets.ts'
import { isAtHand, toolReward, toolsAtHand } from '../../../models/rewards/tools-at-hand.ts'
import { trainReward } from '../../../models/rewards/train-reward.ts'
import { openBody } from '../open-body.ts'
import { openReward, readRewardSpec } from '../open-reward.ts'
import { type RunContext, tracesOf } from './context.ts'

export interface RunModels {
  process: RewardModel
  /** Absent where a trained process model was given: it has no twin. */
  outcome: RewardModel | null
}

/** Fact of the run: sources of evidence that the models hear. */
const TOOLS = 'tools'

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
        const traces = (await tracesOf(folder.file('labelled.jsonl'))).map(asCandidate)
        folder.state.facts[TOOLS] = sourcesIn(traces)
        const body = await openBody(config.body, { traces, engine, fineTune: config.fineTune })
        const { model, card } = await trainReward({
          traces,
          kind,
          body,
          ...(hasFeatures(config.body) && { learner: config.learner }),
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

/** What the tools say alone that the models of this run hear; null where they hear none. */
export function toolsAlone({ folder }: RunContext): RewardModel | null {
  const tools = toolsAtHand((folder.state.facts[TOOLS] as string[] | undefined) ?? [])
  return tools.length > 0 ? toolReward(tools) : null
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

function sourcesIn(traces: readonly Trace[]): string[] {
  return [...new Set(traces.flatMap(({ evidence = [] }) => evidence.map(({ source }) => source)))].sort()
}

/** The trace as candidates are scored: with what tools find in any line, without judges and tools that run code. */
function asCandidate({ evidence = [], ...trace }: Trace): Trace {
  return { ...trace, evidence: evidence.filter(isAtHand) }
}

/** Hidden states have a head of their own. */
function hasFeatures(body: string): boolean {
  return body.split('+').includes('features')
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
