import { z } from 'zod'
import { anyText } from '../../core/unknown.ts'
import type { Step } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, share } from './format.ts'
import { importFirstError, labelsDoNotMatch } from './gold.ts'
import { importedFirstError } from './write.ts'

const Row = z.looseObject({
  history: z.array(z.looseObject({ content: z.string().nullish(), role: z.string(), name: z.string().optional() })),
  question: z.string(),
  ground_truth: z.unknown(),
  question_ID: z.string(),
  mistake_agent: z.string(),
  mistake_step: z.union([z.string(), z.number()]),
  mistake_reason: z.string().nullish(),
})

/**
 * Who&When: the agent and the message that caused a multi-agent run to fail, with a reason.
 *
 * `mistake_step` counts from 0 in `history`. The label says which message decided the failure, not that all before it
 * are right, and all runs failed: outcome is 0. The agent of a step is `name` (algorithm-generated) or `role`.
 */
export const whoAndWhen: Format = {
  name: 'who-and-when',
  summary: 'the agent and the step that made a multi-agent run fail',
  home: 'https://github.com/mingyin1/Agents_Failure_Attribution',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'history', 'mistake_agent', 'mistake_step')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const mistake = Number(row.mistake_step)
    if (!Number.isInteger(mistake)) throw labelsDoNotMatch(at, 'mistake_step', row.mistake_step, row.history.length)
    const steps = row.history.map((m): Step => ({ text: m.content ?? '', kind: 'thought', agent: m.name ?? m.role }))
    if (agentName(steps[mistake]?.agent) !== agentName(row.mistake_agent))
      at.odd('the step was written by another agent than the label names', row.question_ID)
    const extra = others(row, 'question', 'ground_truth', 'mistake_step')
    return [
      {
        id: typeof row._file === 'string' ? row._file : row.question_ID,
        problem: {
          id: row.question_ID,
          prompt: row.question,
          answer: anyText(row.ground_truth ?? ''),
          domain: at.stem,
        },
        steps,
        outcome: 0,
        ...importFirstError(mistake, steps.length, at, {
          dataset: 'who-and-when',
          field: 'mistake_step',
          raw: row.mistake_step,
          ...(row.mistake_reason && { reason: row.mistake_reason }),
        }),
        source: { generator: '', dataset: 'who-and-when', licence: 'MIT' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => ({
      question: t.problem.prompt,
      ground_truth: t.problem.answer ?? '',
      mistake_step: String(importedFirstError(t, 'who-and-when')),
      ...t.extra,
    })),
}

/** `Orchestrator (thought)` and `Orchestrator` are one agent. */
export function agentName(name: string | undefined): string {
  return (name ?? '')
    .replace(/\s*(\(.*\)|->.*)$/, '')
    .trim()
    .toLowerCase()
}
