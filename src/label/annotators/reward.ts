import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Evidence, Trace } from '../../core/words.ts'
import { answerTokens, JUDGE_OPTIONS, rangesOf } from '../../models/rewards/judge.ts'
import { critiquePrompt } from '../../models/rewards/judge-prompt.ts'
import { PRM_ADAPTERS } from '../../models/rewards/prm-adapters/index.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { checkScores } from '../../models/rewards/scores.ts'
import type { AnnotateContext, Annotator, Sent } from './annotator.ts'

/**
 * Any reward model as an annotator, `reward:<name>`: what it says of each step, as a judgement where it gives words, else
 * as a score. A trace that it cannot score gets no evidence; the failure is told to the context.
 *
 * The model itself comes with the context, since opening it may ask an endpoint.
 */
export function rewardAnnotator(
  name: string,
  about: Partial<Pick<Annotator, 'summary' | 'paper' | 'options' | 'expect'>> = {},
): Annotator {
  const source = `reward:${name}`
  return {
    name: source,
    summary: 'scores of a reward model',
    options: z.object({}),
    ...about,
    needs: ['reward'],
    rule: 'scores',
    runsCode: false,
    applies: (trace) => trace.steps.length > 0,
    async annotate(trace, context, options) {
      const model = modelOf(name, context, options)
      const { problem, steps, evidence: known } = trace
      const [scored] = await model.score([{ problem, steps, ...(known && { evidence: known }) }], context.signal)
      if (scored) context.spend(scored.usage)
      if (!scored?.ok) {
        const error = scored?.error ?? new GradusError('GRD-REWARD-001', { found: 'no answer' })
        // A run that is over must not leave a trace that looks as if nothing could be said of it.
        if (error.code.startsWith('GRD-RUN-')) throw error
        context.failed?.(error)
        return []
      }
      const { evidence, scores, usage } = scored
      if (evidence) return evidence.map((e) => ({ ...e, source }))
      return checkScores(scores, trace.steps.length).map(
        (value, step): Evidence => ({
          kind: 'score',
          source,
          step,
          value,
          meaning: model.meaning,
          ...(step === 0 && { usage }),
        }),
      )
    },
  }
}

function modelOf(name: string, { rewards }: AnnotateContext, options: unknown): RewardModel {
  const model = rewards?.(name, options)
  if (model) return model
  throw new GradusError('GRD-LABEL-004', {
    found: `reward:${name} without the model`,
    expected: 'a judge or a reward model',
    try: ['--judge http://127.0.0.1:8000/v1#NAME', `--reward prm:${name}@http://127.0.0.1:8000/v1#NAME`],
  })
}

const judge = rewardAnnotator('judge', {
  summary: 'a language model reads the trace and judges each step',
  paper: 'prm-lessons',
  options: JUDGE_OPTIONS,
  expect(trace: Trace, options) {
    const read = JUDGE_OPTIONS.parse(options ?? {})
    const each = read.samples * (read.repair ? 2 : 1)
    const sent: Sent = { calls: 0, characters: 0, completion: 0, secrets: 0 }
    for (const range of rangesOf(trace.steps.length, read)) {
      const { messages, secrets } = critiquePrompt({ problem: trace.problem, steps: trace.steps }, '', range)
      sent.calls += each
      sent.characters += each * messages.reduce((n, m) => n + m.content.length, 0)
      sent.completion += each * answerTokens(range.to - range.from, read)
      // Each part shows the parts before it again.
      sent.secrets = secrets
    }
    return { rollouts: 0, sent }
  },
})

/** Reward models that are known by name; a model from a file is an annotator too, by its own. */
export const REWARD_ANNOTATORS: readonly Annotator[] = [
  judge,
  ...PRM_ADAPTERS.map(({ name, summary, paper }) =>
    rewardAnnotator(name, {
      summary,
      ...(paper !== undefined && { paper }),
      expect(trace: Trace) {
        const characters = [trace.problem.prompt, ...trace.steps.map((s) => s.text)].join(' ').length
        return { rollouts: 0, sent: { calls: 1, characters, completion: 0, secrets: 0 } }
      },
    }),
  ),
]
