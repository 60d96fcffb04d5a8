import { z } from 'zod'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Step } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, share } from './format.ts'
import { importStepClasses, labelsDoNotMatch, orUnlabelled, type StepClass } from './gold.ts'
import { correctnessByStep } from './write.ts'

const Row = z.looseObject({
  original_question: z.string(),
  modified_question: z.string(),
  modified_process: z.array(z.string()),
  error_steps: z.array(z.number().int()),
  classification: z.string(),
  idx: z.string(),
  reason: z.string().nullish(),
})

/**
 * PRMBench: every wrong step of a perturbed solution, by kind of error; `[]` in the multi-solutions part.
 *
 * Steps count from 1. About one row in sixty names a step past the end; the steps that exist keep their label.
 */
export const prmbench: Format = {
  name: 'prmbench',
  summary: 'all wrong steps of perturbed solutions, in nine categories',
  home: 'https://github.com/ssmisya/PRMBench',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'modified_process', 'error_steps', 'classification')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const steps = row.modified_process
    const wrong = new Set(row.error_steps.map((s) => s - 1).filter((s) => s >= 0 && s < steps.length))
    if (wrong.size < new Set(row.error_steps).size)
      at.odd('error step past the end', `${row.idx} ${row.classification}`)
    const classes = steps.map((_, s): StepClass => (wrong.has(s) ? 'wrong' : 'right'))
    const extra = others(row, 'modified_process', 'modified_question', 'original_question', 'classification')
    return [
      {
        // The multi-solutions part has several solutions of one problem under one idx.
        id: `${row.idx}:${row.classification}:${at.line}`,
        problem: {
          id: contentHash(questionKey(row.original_question)).slice(0, 16),
          prompt: row.modified_question,
          question: row.original_question,
          ...(typeof row.ground_truth === 'string' && { answer: row.ground_truth }),
          domain: row.classification,
        },
        steps: steps.map((text): Step => ({ text, kind: 'thought' })),
        ...orUnlabelled(at, () => {
          if (wrong.size === 0 && row.error_steps.length > 0)
            throw labelsDoNotMatch(at, 'error_steps', row.error_steps, steps.length)
          const raws = classes.map((_, step) => row.error_steps.includes(step + 1))
          return importStepClasses(classes, raws, at, { dataset: 'prmbench' })
        }),
        source: { generator: '', dataset: 'prmbench', licence: 'Apache-2.0' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => ({
      original_question: t.problem.question ?? t.problem.prompt,
      modified_question: t.problem.prompt,
      modified_process: t.steps.map((s) => s.text),
      error_steps: correctnessByStep(t).flatMap((l, s) => (l?.value === 0 ? [s + 1] : [])),
      classification: t.problem.domain ?? '',
      idx: t.id,
      ...t.extra,
    })),
}
