import { z } from 'zod'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Evidence, Step } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, share } from './format.ts'
import { importFirstError } from './gold.ts'
import { importedFirstError } from './write.ts'

const Judged = z.looseObject({
  correctness_pred: z.string().nullish(),
  error_step_pred: z.union([z.string(), z.number()]).nullish(),
  error_reason: z.string().nullish(),
})

const Row = z.looseObject({
  uuid: z.string(),
  question: z.string(),
  ground_truth_answer: z.union([z.string(), z.number()]),
  model_output_steps: z.array(z.string()),
  model_output_answer_correctness: z.string(),
  model_output_solution_correctness: z.string(),
  model_output_solution_first_error_step: z.union([z.string(), z.number()]).nullish(),
  model_output_solution_first_error_reason: z.string().nullish(),
})

const MODELLED = [
  'uuid',
  'question',
  'ground_truth_answer',
  'model_output_steps',
  'model_output_answer_correctness',
] as const

/**
 * MR-GSM8K's own files and its judges' runs: people's first wrong step, and a judge's verdict under `*_eval_output`.
 *
 * Both count from 1. A judge's verdict becomes the trace's verdict, so that `gradus eval` scores the judge.
 */
export const mrGsm8k: Format = {
  name: 'mr-gsm8k',
  summary: 'first wrong step of GSM8K solutions, with runs of judges',
  home: 'https://github.com/dvlab-research/MR-GSM8K',
  container: 'json',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'model_output_steps', 'model_output_solution_correctness')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const steps = row.model_output_steps
    const raw = row.model_output_solution_first_error_step
    const firstError = row.model_output_solution_correctness === 'correct' ? -1 : Number(raw) - 1
    const judge = Object.entries(row).find(([key]) => key.endsWith('_eval_output'))
    const extra = others(row, ...MODELLED)
    const gold = importFirstError(firstError, steps.length, at, {
      dataset: 'mr-gsm8k',
      field: 'model_output_solution_first_error_step',
      raw: raw ?? null,
      ...(row.model_output_solution_first_error_reason && { reason: row.model_output_solution_first_error_reason }),
    })
    const said =
      judge === undefined ? null : judged(judge[1], steps.length, `judge:${judge[0].replace('_eval_output', '')}`)
    if (judge !== undefined && said === null) at.odd('verdict of the judge could not be read', row.uuid)
    return [
      {
        id: row.uuid,
        problem: {
          id: contentHash(questionKey(row.question)).slice(0, 16),
          prompt: row.question,
          answer: String(row.ground_truth_answer),
          domain: 'gsm8k',
        },
        steps: steps.map((text): Step => ({ text, kind: 'thought' })),
        outcome: row.model_output_answer_correctness === 'correct' ? 1 : 0,
        evidence: [...gold.evidence, ...(said?.evidence ?? [])],
        labels: gold.labels,
        ...(said && { verdict: said.verdict }),
        source: { generator: '', dataset: 'mr-gsm8k', licence: 'MIT' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => {
      const firstError = importedFirstError(t, 'mr-gsm8k')
      return {
        uuid: t.id,
        question: t.problem.prompt,
        ground_truth_answer: t.problem.answer ?? '',
        model_output_steps: t.steps.map((s) => s.text),
        model_output_answer_correctness: (t.outcome ?? 0) >= 0.5 ? 'correct' : 'wrong',
        model_output_solution_correctness: firstError === -1 ? 'correct' : 'wrong',
        model_output_solution_first_error_step: firstError === -1 ? 'N/A' : firstError + 1,
        ...t.extra,
      }
    }),
}

function judged(output: unknown, steps: number, source: string) {
  const parsed = Judged.safeParse(output)
  if (!parsed.success) return null
  const { correctness_pred: correctness, error_step_pred: step, error_reason: reason } = parsed.data
  const right = /^correct/i.test(correctness ?? '')
  const number = Number(/\d+/.exec(String(step ?? ''))?.[0] ?? Number.NaN) - 1
  const firstError = right ? -1 : number
  if (!Number.isInteger(firstError) || firstError >= steps || firstError < -1) return null
  const at = firstError === -1 ? steps : firstError
  const evidence: Evidence[] =
    firstError === -1
      ? []
      : [{ kind: 'judgement', source, step: firstError, verdict: 'incorrect', reason: reason ?? '' }]
  const verdict = {
    risk: Array.from({ length: steps }, (_, t) => (t < at ? 0 : t === at ? 1 : null)),
    firstErrorProb: Array.from({ length: steps + 1 }, (_, t) => (t === at ? 1 : 0)),
    firstError,
    source,
  }
  return { evidence, verdict }
}
