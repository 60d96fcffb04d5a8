import { z } from 'zod'
import type { Evidence, Meaning, StepLabel } from '../../core/words.ts'
import { judgementScore } from '../../models/rewards/judge.ts'
import { toolVerdicts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  veto: z.boolean().default(true).describe('a step that a tool refutes is wrong, whatever its scores'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('a step whose mean is below is wrong, others are right, also for chances of success (ProcessBench)'),
})

/**
 * What reward models say: the mean of scores and judgements on the step.
 *
 * A judgement counts as P(right): its verdict, as sure as the log-probability of the decision says, where there is one.
 * Scores of another meaning are never mixed in: where anything speaks of correctness, chances of success are left out.
 * A judgement that could not be read and a score that is null say nothing. With a threshold, steps after the first wrong
 * one have no label: a model of chances of success is low there whatever they are.
 */
export const scores: LabelRule = {
  name: 'scores',
  summary: 'mean of the scores of reward models and the judgements of judges',
  options: Options,
  apply(steps, evidence, options) {
    const { veto, threshold } = Options.parse(options)
    const tools = toolVerdicts(steps, evidence)
    const meaning: Meaning = evidence.some((e) => said(e, 'correctness') !== null) ? 'correctness' : 'value'
    const labels = tools.map((tool, step): StepLabel => {
      if (veto && tool === false) return { step, meaning: 'correctness', source: scores.name, value: 0 }
      const head = { step, meaning, source: scores.name }
      const seen = evidence.filter((e) => e.step === step && (e.kind === 'score' || e.kind === 'judgement'))
      const values = seen.flatMap((e) => said(e, meaning) ?? [])
      if (values.length > 0) return { ...head, value: values.reduce((a, b) => a + b, 0) / values.length }
      const neutral = seen.some((e) => e.kind === 'judgement' && e.verdict === 'neutral')
      return { ...head, value: null, reason: neutral ? 'neutral' : seen.length > 0 ? 'parse-failure' : 'no-evidence' }
    })
    return threshold === undefined ? labels : cut(labels, threshold)
  },
}

function cut(labels: readonly StepLabel[], threshold: number): StepLabel[] {
  const first = labels.findIndex((l) => l.value !== null && l.value < threshold)
  return labels.map(({ value, reason, step, source }): StepLabel => {
    const head = { step, meaning: 'correctness', source } as const
    if (first >= 0 && step > first) return { ...head, value: null, reason: 'after-first-error' }
    return value === null
      ? { ...head, value, ...(reason && { reason }) }
      : { ...head, value: value < threshold ? 0 : 1 }
  })
}

/** In [0, 1], null where the evidence says nothing of this meaning. */
function said(e: Evidence, meaning: Meaning): number | null {
  if (e.kind === 'score') return e.meaning === meaning ? e.value : null
  return e.kind === 'judgement' && meaning === 'correctness' ? judgementScore(e) : null
}
