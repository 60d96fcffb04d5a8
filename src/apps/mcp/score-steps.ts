import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from '../../models/rewards/aggregators.ts'
import { firstBelow } from '../../models/rewards/calibrate.ts'
import { givenTrace, TRACE_ARGUMENTS } from './given-trace.ts'
import { shownId, tool } from './tool.ts'

/** Scores that one answer holds; a model reads no more. */
const SHOWN_SCORES = 1_000

const Score = z.number().nullable()
const Output = z.object({
  id: z.string(),
  model: z.string(),
  meaning: z.enum(['correctness', 'value']).describe('P(the step is right), or P(a run from here ends right)'),
  scores: z.array(Score).describe('one a step, in [0, 1]; null = cannot say'),
  leftOut: z.number().int().describe('steps behind these whose scores are not shown'),
  unknown: z.number().int().describe('steps that the model cannot score'),
  score: Score.describe("of the whole run, by the model's own aggregate"),
  aggregate: z.string(),
  aggregates: z.object({ min: Score, product: Score, mean: Score, last: Score, 'log-odds': Score }),
  firstBelow: z
    .object({ threshold: z.number(), step: z.number().int().min(-1) })
    .optional()
    .describe('first step, from 0, that scores below the threshold of the model; -1 = none'),
})

export const scoreSteps = tool({
  name: 'score_steps',
  title: 'Score steps by the reward model',
  description:
    'Scores of the reward model of this server for each step of a run, and for the whole by every aggregate. To compare attempts at one problem; find_first_error says what is wrong, and why.',
  input: z.strictObject(TRACE_ARGUMENTS),
  output: Output,
  asksModels: true,
  async run(args, { services, signal }) {
    const { scorer } = services
    if (!scorer) throw new GradusError('GRD-SERVE-002', { found: 'no reward model', try: ['gradus mcp --reward SPEC'] })
    const { id, problem, steps, evidence } = await givenTrace(args, services, signal)
    const [scored] = await scorer.score([{ problem, steps, ...(evidence && { evidence }) }], signal)
    if (!scored?.ok) throw scored?.error ?? new GradusError('GRD-REWARD-001', { found: 'no answer' })
    const { scores } = scored
    const unknown = scores.filter((score) => score === null).length
    const by = (name: AggregatorName): number | null => rounded(aggregate(name, scores))
    const aggregates = Object.fromEntries(
      (Object.keys(AGGREGATORS) as AggregatorName[]).map((name) => [name, by(name)]),
    ) as Record<AggregatorName, number | null>
    const data = {
      id: shownId(id),
      model: scorer.name,
      meaning: scorer.meaning,
      scores: scores.slice(0, SHOWN_SCORES).map(rounded),
      leftOut: Math.max(0, scores.length - SHOWN_SCORES),
      unknown,
      score: by(scorer.aggregate),
      aggregate: scorer.aggregate,
      aggregates,
      ...(scorer.threshold !== undefined &&
        unknown < scores.length && {
          firstBelow: { threshold: scorer.threshold, step: firstBelow(scores, scorer.threshold) },
        }),
    }
    const shown = data.scores.map((score) => score ?? 'cannot say').join(', ')
    return {
      data,
      text: `${scorer.name} says ${scorer.meaning}: ${shown}. Whole run (${data.aggregate}): ${data.score}.`,
    }
  },
})

const rounded = (x: number | null): number | null => (x === null ? null : Number(x.toFixed(6)))
