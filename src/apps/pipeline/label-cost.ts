import type { Trace } from '../../core/words.ts'
import { costOf, estimateTokens } from '../../models/endpoints/wire.ts'
import { type LabelPlan, refusalsOf } from './label-plan.ts'
import { hostOf, type PolicySpec } from './open-policy.ts'
import { type RewardSpec, rewardHost } from './open-reward.ts'
import type { RolloutCheck } from './rollout-check.ts'

/** What a labelling run asks of its policy at most, before anything is asked. */
export interface LabelCost {
  /** Where traces go; null = nowhere. */
  host: string | null
  /** What is counted: problems where a method explores. */
  of: 'traces' | 'problems'
  traces: number
  /** Traces that some annotator asks the policy about. */
  covered: number
  /** Traces that some annotator cannot look at, by code. */
  refused: Record<string, number>
  rollouts: number
  /** Of the rollouts, those that measure how often wrong prefixes recover. */
  recoveryRollouts: number
  /** Given texts that are weighed. */
  texts: number
  /** Guessed from the lengths: of an endpoint a quarter of the characters, of a model in this process all. */
  tokens: { prompt: number; completion: number }
  /** US dollars, where a price is known. */
  cost?: number
  /** What judges and reward models are asked, where the run has some. */
  rewards?: RewardCost
}

interface RewardCost {
  hosts: string[]
  /** Traces that they read. */
  traces: number
  /** Repairs included. */
  calls: number
  /** Guessed from the lengths, a quarter of the characters; written ones are the most that is allowed. */
  tokens: { prompt: number; completion: number }
  /** Secrets that are taken out of the traces before they are sent. */
  secrets: number
  /** US dollars, where a price is known. */
  cost?: number
}

type Price = { prompt: number; completion: number } | null

/** @param prices dollars for a million tokens */
export async function labelCost(
  traces: AsyncIterable<readonly Trace[]>,
  plan: LabelPlan,
  {
    spec,
    check,
    rewards = [],
  }: { spec: PolicySpec | null; check: RolloutCheck | undefined; rewards?: readonly RewardSpec[] },
  prices: { policy: Price; rewards: Price },
): Promise<LabelCost> {
  const cost: LabelCost = {
    host: spec === null ? null : hostOf(spec),
    of: plan.explorer ? 'problems' : 'traces',
    traces: 0,
    covered: 0,
    refused: {},
    rollouts: 0,
    recoveryRollouts: 0,
    texts: 0,
    tokens: { prompt: 0, completion: 0 },
  }
  const asked: RewardCost = {
    hosts: [...new Set(rewards.flatMap((spec) => rewardHost(spec) ?? []))],
    traces: 0,
    calls: 0,
    tokens: { prompt: 0, completion: 0 },
    secrets: 0,
  }
  const tokensOf = (characters: number): number => {
    return spec?.kind === 'http' || spec?.kind === 'gguf' ? estimateTokens(characters) : Math.round(characters)
  }
  for await (const batch of traces) {
    // As the run does: the first traces are those that recovery is measured on.
    if (cost.traces === 0 && check && plan.needs.rollouts) cost.recoveryRollouts = check.recoveryRollouts(batch)
    for (const trace of batch) {
      cost.traces++
      const { explorer } = plan
      for (const { code } of refusalsOf(plan, trace)) cost.refused[code] = (cost.refused[code] ?? 0) + 1
      const asking = explorer
        ? [explorer].filter((a) => !a.refuses?.(trace))
        : plan.annotators.filter((a) => a.expect && a.applies(trace))
      if (asking.some((a) => !a.needs.includes('reward'))) cost.covered++
      if (asking.some((a) => a.needs.includes('reward'))) asked.traces++
      // How long the runs of a problem are is guessed from its solution, where it has one, else from the problem.
      const texts = explorer ? (trace.problem.solution ?? [trace.problem.prompt]) : trace.steps.map((step) => step.text)
      const written = texts.reduce((n, text) => n + text.length + 1, 0)
      for (const { expect } of asking) {
        const { rollouts, texts: weighed = 0, sent } = expect?.(trace) ?? { rollouts: 0 }
        asked.calls += sent?.calls ?? 0
        asked.tokens.prompt += estimateTokens(sent?.characters ?? 0)
        asked.tokens.completion += sent?.completion ?? 0
        asked.secrets += sent?.secrets ?? 0
        cost.rollouts += rollouts
        cost.texts += weighed
        // From the middle: half a trace is read, half is written.
        cost.tokens.prompt += tokensOf((rollouts + weighed) * (trace.problem.prompt.length + written / 2))
        cost.tokens.prompt += tokensOf((weighed * written) / 2)
        cost.tokens.completion += tokensOf((rollouts * written) / 2)
      }
    }
  }
  if (cost.rollouts > 0) {
    // Those of the recovery rate are taken to be as long as the others.
    const more = 1 + cost.recoveryRollouts / cost.rollouts
    cost.tokens = { prompt: Math.ceil(cost.tokens.prompt * more), completion: Math.ceil(cost.tokens.completion * more) }
    cost.rollouts += cost.recoveryRollouts
  }
  const priced = priceOf(cost, prices.policy)
  return rewards.length === 0 ? priced : { ...priced, rewards: priceOf(asked, prices.rewards) }
}

function priceOf<C extends { tokens: { prompt: number; completion: number } }>(
  cost: C,
  price: Price,
): C & { cost?: number } {
  if (!price) return cost
  const { prompt, completion } = cost.tokens
  return { ...cost, cost: costOf({ promptTokens: prompt, completionTokens: completion, cachedTokens: 0 }, price) }
}
