import type { Trace } from '../../../core/words.ts'
import { AGGREGATORS, type AggregatorName } from '../../../models/rewards/aggregators.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import { selfLogprob } from '../../../models/rewards/self-logprob.ts'
import { type BonQuestion, type BonScorer, bestArm, bestOfNCurves, poolOf } from '../../../prove/bon.ts'
import { estimateText, type FigureData } from '../../../prove/report/figure-data.ts'
import { scoreTraces } from '../score.ts'
import { type RunContext, tracesOf, writeTraces } from './context.ts'
import { reportFile, TUNE_FILE } from './sample-stage.ts'
import { openModels, type RunModels, toolsAlone } from './train-stage.ts'

/** Names of the scorers in every figure. */
const NAMES = {
  process: 'process model',
  outcome: 'outcome twin',
  tools: 'tools alone',
  logprob: 'log-probability',
} as const

/** In the order of the figures: differences are of a scorer and those behind it. */
const ORDER = Object.values(NAMES)

/** Fact of the run: by scorer, how step scores become one. */
const AGGREGATORS_CHOSEN = 'aggregators'

/** The process model with the aggregator that was chosen on the tuning problems. */
export function asChosen(model: RewardModel, { folder }: Pick<RunContext, 'folder'>): RewardModel {
  const chosen = folder.state.facts[AGGREGATORS_CHOSEN] as Record<string, AggregatorName> | undefined
  return { ...model, aggregate: chosen?.[NAMES.process] ?? model.aggregate }
}

/**
 * Best of N over the candidates of every draw, each scored by the models of its own draw: process model, outcome twin
 * and, as controls that need no training, the tools that both hear and the policy's own log-probability. How step
 * scores become one is chosen on the tuning problems.
 */
export async function bonStage(context: RunContext): Promise<FigureData[]> {
  const { folder, size, config } = context
  const questions: BonQuestion[] = []
  let scorers: BonScorer[] = []
  for (let draw = 0; draw < size.seeds; draw++) {
    const models = await openModels(context, draw)
    const arms = { ...models, tools: toolsAlone(context) }
    if (draw === 0) {
      const tune = poolOf(await scoredBy(arms, await tracesOf(folder.file(TUNE_FILE))), ORDER)
      const best = bestAggregates(tune, config.seed)
      scorers = tune.scorers.map((scorer, i) => ({ ...scorer, aggregate: best[i]! }))
      const chosen = Object.fromEntries(scorers.map((scorer) => [scorer.name, scorer.aggregate]))
      folder.state.facts[AGGREGATORS_CHOSEN] = chosen
    }
    const scored = await scoredBy(arms, await tracesOf(folder.file(reportFile(draw))))
    await writeTraces(folder.file(`scored-${draw}.jsonl`), scored)
    questions.push(...poolOf(scored, ORDER).questions)
    models.process.dispose?.()
    models.outcome?.dispose?.()
  }
  const table = bestOfNCurves(questions, scorers, { seed: `${config.seed}/bon` })
  const chosen = new Set(['random', 'majority', 'pass@N', ...scorers.map((s) => bestArm(s.name, s.aggregate))])
  const votes = table.rows.filter(({ arm }) => arm.startsWith('vote weighted'))
  const shown = table.rows.filter(({ arm }) => chosen.has(arm)).concat(votes)
  const ways = scorers.map(({ name, aggregate: how }) => `${name}: ${how}`).join(', ')
  const draws = size.seeds === 1 ? '' : `, ${size.seeds} independent draws of candidates and trainings`
  const largest = Math.max(...table.rows.map(({ n }) => n))
  return [
    {
      id: 'best-of-n',
      title: 'Best of N',
      kind: 'line',
      columns: ['way', 'N', 'share right', 'low', 'high', 'tokens a problem'],
      rows: shown.map(({ arm, n, right, tokens }) => [arm, n, right.value, right.low, right.high, tokens]),
      x: 'N',
      y: 'share right',
      series: 'way',
      low: 'low',
      high: 'high',
      note: `${new Set(questions.map((q) => q.question)).size} problems${draws}; aggregators chosen on other problems (${ways}); intervals by question.`,
    },
    {
      id: 'best-of-n-differences',
      title: `Best of ${largest}: differences`,
      kind: 'table',
      columns: ['way', 'less', 'difference'],
      rows: table.differences.map(({ first, other, estimate }) => [first, other, estimateText(estimate)]),
      note: 'Paired on the same candidates and the same resamples of questions.',
    },
    {
      id: 'aggregators',
      title: `Every aggregator at N = ${largest}`,
      kind: 'table',
      columns: ['way', 'share right'],
      rows: table.rows.filter(({ n }) => n === largest).map(({ arm, right }) => [arm, estimateText(right)]),
    },
  ]
}

async function scoredBy(models: RunModels & { tools: RewardModel | null }, traces: readonly Trace[]): Promise<Trace[]> {
  let out: readonly Trace[] = traces
  const named: [string, RewardModel | null][] = [
    [NAMES.process, models.process],
    [NAMES.outcome, models.outcome],
    [NAMES.tools, models.tools],
    [NAMES.logprob, out.some((t) => t.steps.some((s) => s.tokens)) ? selfLogprob : null],
  ]
  for (const [name, model] of named) {
    if (!model) continue
    // A candidate that a model cannot read stays, without its scores: it is one of the N all the same.
    out = (await scoreTraces({ ...model, name }, out)).map(({ trace }) => trace)
  }
  return [...out]
}

/** For each scorer the aggregator with the most right answers at the largest N; its own where several are equal. */
export function bestAggregates({ questions, scorers }: ReturnType<typeof poolOf>, seed: string): AggregatorName[] {
  const { rows } = bestOfNCurves(questions, scorers, { seed: `${seed}/tune` })
  const largest = Math.max(...rows.map(({ n }) => n))
  const rates = new Map(rows.flatMap(({ arm, n, right }) => (n === largest ? [[arm, right.value] as const] : [])))
  return scorers.map((scorer) => {
    const rateOf = (how: AggregatorName): number => rates.get(bestArm(scorer.name, how)) ?? Number.NEGATIVE_INFINITY
    return [scorer.aggregate, ...(Object.keys(AGGREGATORS) as AggregatorName[])].reduce((best, how) =>
      rateOf(how) > rateOf(best) ? how : best,
    )
  })
}
