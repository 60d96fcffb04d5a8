import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Step, Trace } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, place, share } from './format.ts'
import { importStepClasses } from './gold.ts'
import { cannotHold, correctnessByStep } from './write.ts'

const Row = z.looseObject({
  prompt: z.string(),
  completions: z.array(z.string()),
  labels: z.array(z.boolean()),
})

/**
 * TRL's stepwise supervision rows `{prompt, completions, labels}`: one boolean a step.
 *
 * The last TRL release with a trainer for them is 1.13. A trace with steps that cannot be judged is cut before the
 * first of them, since a boolean cannot say "unknown"; one without any judged step cannot be written.
 */
export const trl: Format = {
  name: 'trl',
  summary: 'TRL stepwise supervision: prompt, completions, boolean labels',
  home: 'https://huggingface.co/docs/trl/dataset_formats#stepwise-supervision',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'prompt', 'completions', 'labels')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    if (row.labels.length !== row.completions.length) {
      throw new GradusError('GRD-IO-003', {
        where: place(at, 'labels'),
        found: `${row.labels.length} labels for ${row.completions.length} completions`,
        expected: 'one label a completion',
      })
    }
    const extra = others(row, 'prompt', 'completions', 'labels')
    return [
      {
        id: `${at.stem}-${at.line}`,
        problem: { id: contentHash(questionKey(row.prompt)).slice(0, 16), prompt: row.prompt },
        steps: row.completions.map((text): Step => ({ text, kind: 'thought' })),
        ...importStepClasses(
          row.labels.map((l) => (l ? 'right' : 'wrong')),
          row.labels,
          at,
          { dataset: 'trl' },
        ),
        source: { generator: '', dataset: at.stem, licence: 'unknown' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => {
      const { texts, labels } = judgedPrefix(t, 'trl')
      return { prompt: t.problem.prompt, completions: texts, labels: labels.map((v) => v >= 0.5) }
    }),
}

/**
 * The steps up to the first that has no value, with their values; a first-error label fills in where step labels lack.
 * @throws GradusError GRD-IO-011 where not even the first step has one
 */
export function judgedPrefix(t: Trace, format: string): { texts: string[]; labels: number[] } {
  const byStep = correctnessByStep(t)
  const soft = new Map(
    (t.labels ?? []).flatMap((l) => (l.meaning === 'value' && l.value !== null ? [[l.step, l.value] as const] : [])),
  )
  const labels: number[] = []
  for (let step = 0; step < t.steps.length; step++) {
    const value = byStep[step]?.value ?? soft.get(step)
    if (value === undefined || value === null) break
    labels.push(value)
  }
  if (labels.length === 0) throw cannotHold(t, format, 'no judged step at the start', 'correctness or value labels')
  return { texts: t.steps.slice(0, labels.length).map((s) => s.text), labels }
}
