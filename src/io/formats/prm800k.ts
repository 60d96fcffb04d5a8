import { z } from 'zod'
import type { Step, Trace } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, share } from './format.ts'
import { importStepClasses, type StepClass } from './gold.ts'
import { correctnessByStep } from './write.ts'

const Completion = z.looseObject({ text: z.string(), rating: z.number().nullable() })
const LabelledStep = z.looseObject({
  completions: z.array(Completion).nullable(),
  human_completion: Completion.nullish(),
  chosen_completion: z.number().int().nullable(),
})
const Row = z.looseObject({
  labeler: z.string().nullish(),
  question: z.looseObject({ problem: z.string(), ground_truth_answer: z.unknown() }),
  label: z.looseObject({ steps: z.array(LabelledStep), finish_reason: z.string() }),
})

const CLASS: Record<string, StepClass> = { 1: 'right', 0: 'neutral', '-1': 'wrong' }

/**
 * PRM800K, phase 1 and 2: at every step several completions with a rating of -1, 0 or +1.
 *
 * The trace follows the chosen completion (or the one that the labeller wrote, which has no rating); where none was
 * chosen the trace ends with the first completion, as the wrong step of `found_error`. All completions stay in `extra`.
 */
export const prm800k: Format = {
  name: 'prm800k',
  summary: 'step ratings -1 / 0 / +1 by people, several completions a step',
  home: 'https://github.com/openai/prm800k',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) =>
    share(
      sample,
      (r) => hasFields(r, 'question', 'label') && hasFields((r as { label: unknown }).label, 'steps', 'finish_reason'),
    ),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const path = row.label.steps.flatMap((s) => {
      const taken =
        s.chosen_completion === null ? (s.human_completion ?? s.completions?.[0]) : s.completions?.[s.chosen_completion]
      return taken ? [taken] : []
    })
    if (path.length < row.label.steps.length) at.odd('step without a completion', `line ${at.line}`)
    const answer = row.question.ground_truth_answer
    const extra = others(row)
    return [
      {
        id: `${at.stem}-${at.line}`,
        problem: {
          id: row.question.problem,
          prompt: row.question.problem,
          ...(typeof answer === 'string' && { answer }),
        },
        steps: path.map((c): Step => ({ text: c.text, kind: 'thought' })),
        ...(row.label.finish_reason === 'solution' && { outcome: 1 }),
        ...importStepClasses(
          path.map((c) => (c.rating === null ? undefined : CLASS[String(c.rating)])),
          path.map((c) => c.rating),
          at,
          { dataset: 'prm800k', ...(row.labeler && { annotator: row.labeler }) },
        ),
        source: { generator: '', dataset: 'prm800k', licence: 'MIT' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) => traces.map((t) => (hasFields(t.extra, 'question', 'label') ? t.extra : write(t))),
}

function write(t: Trace): unknown {
  const labels = correctnessByStep(t)
  const rating = (step: number): number | null => {
    const label = labels[step]
    if (!label || (label.value === null && label.reason !== 'neutral')) return null
    return label.value === null ? 0 : label.value >= 0.5 ? 1 : -1
  }
  const ended = labels.some((l) => l?.value === 0)
  return {
    labeler: null,
    question: { problem: t.problem.prompt, ground_truth_answer: t.problem.answer ?? null },
    label: {
      steps: t.steps.map((s, i) => ({
        completions: [{ text: s.text, rating: rating(i), flagged: false }],
        human_completion: null,
        chosen_completion: rating(i) === -1 ? null : 0,
      })),
      finish_reason: ended ? 'found_error' : 'solution',
    },
  }
}
