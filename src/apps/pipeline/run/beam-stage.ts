import { questionKey, questionOf } from '../../../core/split.ts'
import { bootstrap, type Estimate, groupsOf, mean } from '../../../core/stats/index.ts'
import type { Problem, Usage } from '../../../core/words.ts'
import { SEARCHES } from '../../../improve/search/index.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import type { FigureData } from '../../../prove/report/figure-data.ts'
import { solveProblems } from '../solve.ts'
import type { RunContext, RunPolicies } from './context.ts'
import { toolsAlone } from './train-stage.ts'

interface Arm {
  series: string
  search: string
  options: Record<string, unknown>
  /** Who scores. */
  reward: RewardModel
}

interface Point {
  series: string
  name: string
  tokens: number
  accuracy: Estimate
}

/**
 * Accuracy by the tokens that a problem costs: whole samples chosen by vote and by the process model, and a step beam
 * steered by it, or by the tools alone that it hears.
 */
export async function beamStage(
  context: RunContext,
  policies: RunPolicies,
  problems: readonly Problem[],
  reward: RewardModel,
): Promise<FigureData> {
  const { k, beam } = context.config.beam
  const sizes = [k / 4, k / 2, k].filter((n) => n >= 2 && Number.isInteger(n))
  const tools = toolsAlone(context)
  const stepBeam = (name: string, scorer: RewardModel): Arm[] =>
    sizes.map((n) => ({
      series: `step beam, ${name}`,
      search: 'step-beam',
      options: { k: n, beam: Math.max(1, Math.round((beam * n) / k)) },
      reward: scorer,
    }))
  const arms: Arm[] = [
    ...sizes.map((n) => ({ series: 'majority', search: 'majority', options: { n }, reward })),
    ...sizes.map((n) => ({ series: 'best of N, process model', search: 'best-of-n', options: { n }, reward })),
    ...stepBeam('process model', reward),
    ...(tools ? stepBeam('tools alone', tools) : []),
  ]
  const points: Point[] = []
  for (const arm of arms) points.push(await pointOf(context, policies, problems, arm))
  return {
    id: 'accuracy-by-tokens',
    title: 'Accuracy by the tokens that it costs',
    kind: 'line',
    columns: ['way', 'settings', 'completion tokens a problem', 'accuracy', 'low', 'high'],
    rows: points.map(({ series, name, tokens, accuracy }) => [
      series,
      name,
      Number(tokens.toFixed(1)),
      accuracy.value,
      accuracy.low,
      accuracy.high,
    ]),
    x: 'completion tokens a problem',
    y: 'accuracy',
    series: 'way',
    low: 'low',
    high: 'high',
    note: `${problems.length} unseen problems; intervals by question.`,
  }
}

async function pointOf(
  { config, engine, signal }: RunContext,
  policies: RunPolicies,
  problems: readonly Problem[],
  { series, search: name, options: settings, reward }: Arm,
): Promise<Point> {
  const search = SEARCHES.find((s) => s.name === name)!
  const policy = await policies.of(0)
  const right: number[] = []
  const usage: Usage[] = []
  for await (const solved of solveProblems(problems, {
    engine,
    policy,
    search,
    settings,
    reward,
    seed: config.seed,
    signal,
  })) {
    if (!solved.ok) throw solved.error
    right.push(Number(solved.right === true))
    usage.push(solved.solution.usage)
  }
  if (engine.stopped) throw engine.stopped
  const groups = groupsOf(problems.map((p) => questionKey(questionOf(p))))
  const accuracy = bootstrap(groups, (items) => mean(items.map((i) => right[i]!)), { seed: `${config.seed}/beam` })
  const shown = Object.entries(settings).map(([key, value]) => `${key}=${String(value)}`)
  return { series, name: shown.join(', '), tokens: mean(usage.map((u) => u.completionTokens)), accuracy }
}
