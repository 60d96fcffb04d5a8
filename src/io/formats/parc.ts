import { z } from 'zod'
import { anyText } from '../../core/unknown.ts'
import type { Step } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, share } from './format.ts'
import { importStepClasses, type StepClass } from './gold.ts'

const Row = z.looseObject({
  question: z.string(),
  ground_truth_answer: z.unknown(),
  model_answer: z.unknown(),
  steps: z.array(z.string()),
  is_correct: z.boolean().optional(),
  error_annotation: z
    .looseObject({
      error_annotations: z
        .looseObject({
          step_level: z.array(
            z.looseObject({
              step_number: z.number(),
              has_error: z.boolean(),
              errors: z
                .array(z.looseObject({ error_type: z.string().optional(), error_description: z.string().nullish() }))
                .optional(),
            }),
          ),
        })
        .optional(),
    })
    .optional(),
})

/**
 * PARC (PERL): error flags and premises of every step.
 *
 * `step_number` counts from 1; premise 0 is the question. Premises stay under `extra.premise_annotation`.
 */
export const parc: Format = {
  name: 'parc',
  summary: 'error flags and premises of every step (PERL)',
  home: 'https://github.com/SagnikMukherjee/PARC',
  container: 'json',
  unit: 'record',
  detect: (sample) =>
    share(sample, (r) => hasFields(r, 'premise_annotation', 'steps') || hasFields(r, 'error_annotation', 'steps')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const flags = row.error_annotation?.error_annotations?.step_level ?? []
    const classes: (StepClass | undefined)[] = new Array(row.steps.length).fill(undefined)
    const reasons: (string | undefined)[] = []
    if (flags.length === 0) at.odd('no error annotation', `row ${at.line}`)
    for (const flag of flags) {
      const step = flag.step_number - 1
      if (step < 0 || step >= row.steps.length) {
        at.odd('flag for a step that is not there', `row ${at.line}`)
        continue
      }
      classes[step] = flag.has_error ? 'wrong' : 'right'
      reasons[step] =
        flag.errors?.map((e) => [e.error_type, e.error_description].filter(Boolean).join(': ')).join('; ') || undefined
    }
    const extra = others(row, 'question', 'steps', 'ground_truth_answer', 'model_answer', 'is_correct')
    return [
      {
        id: `${at.stem}-${at.line}`,
        problem: {
          id: row.question,
          prompt: row.question,
          answer: anyText(row.ground_truth_answer ?? ''),
          domain: at.stem.replace(/_.*/, ''),
        },
        steps: row.steps.map((text): Step => ({ text, kind: 'thought' })),
        answer: anyText(row.model_answer ?? ''),
        ...(row.is_correct !== undefined && { outcome: row.is_correct ? 1 : 0 }),
        ...importStepClasses(classes, flags.length === 0 ? [] : classes.map((c) => c === 'wrong'), at, {
          dataset: 'parc',
          reasons,
        }),
        source: { generator: '', dataset: 'parc', licence: 'MIT' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => ({
      question: t.problem.prompt,
      ground_truth_answer: t.problem.answer ?? '',
      model_answer: t.answer ?? '',
      steps: t.steps.map((s) => s.text),
      ...(t.outcome !== undefined && { is_correct: t.outcome >= 0.5 }),
      ...t.extra,
    })),
}
