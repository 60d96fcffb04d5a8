import { z } from 'zod'
import type { Step, Trace } from '../../core/words.ts'
import { type At, type Format, hasFields, others, parseRecord, share } from './format.ts'
import { type Imported, importedEvidence, importStepClasses, type StepClass } from './gold.ts'
import { correctnessByStep } from './write.ts'

const Mark = z.union([z.literal(1), z.literal(0), z.literal(-1)])

/** People's and judges' files have this shape. */
const Labels = z.looseObject({
  dataset: z.string(),
  record_id: z.string(),
  data_source: z.string(),
  query_index: z.number(),
  sample_index: z.number(),
  annotator: z.string().optional(),
  step_labels: z.record(z.string().regex(/^\d+$/), Mark.nullable()),
  final_label: Mark.nullable(),
  explanations: z.looseObject({ steps: z.record(z.string(), z.string().nullable()).optional() }).nullish(),
})

const Message = z.looseObject({
  role: z.string(),
  content: z.string().nullish(),
  name: z.string().optional(),
  tool_calls: z
    .array(
      z.looseObject({
        id: z.string().optional(),
        function: z.looseObject({ name: z.string(), arguments: z.unknown() }),
      }),
    )
    .nullish(),
})

const Trajectory = z.looseObject({
  data_source: z.string(),
  query_index: z.number(),
  sample_index: z.number(),
  question: z.string(),
  answer_text: z.string().nullish(),
  messages: z.array(Message),
})

const CLASS = { 1: 'right', 0: 'neutral', '-1': 'wrong' } as const satisfies Record<number, StepClass>

/**
 * AgentProcessBench: trajectories, and step labels of people and of judge models over them.
 *
 * Labels are keyed by message number from 0 and stand for assistant turns only; a step here is such a turn and its
 * message number is `origin`. Trace ids are `data_source:query_index:sample_index` in all three kinds of file, so that
 * they join.
 */
export const agentprocessbench: Format = {
  name: 'agentprocessbench',
  summary: 'tool-using trajectories with step labels +1 / 0 / -1 of people and of 13 judges',
  home: 'https://huggingface.co/datasets/LulaCola/AgentProcessBench',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isLabels(r) || isTrajectory(r)),
  read: (record, at) => [isTrajectory(record) ? readTrajectory(record, at) : readLabels(record, at)],
  write: (traces) => traces.map(write),
}

const isLabels = (r: unknown): boolean => hasFields(r, 'step_labels', 'data_source', 'query_index')
const isTrajectory = (r: unknown): boolean => hasFields(r, 'messages', 'data_source', 'query_index', 'sample_index')

function readLabels(record: unknown, at: At): Trace {
  const row = parseRecord(Labels, record, at)
  const marked = Object.keys(row.step_labels)
    .map(Number)
    .sort((a, b) => a - b)
  const steps = marked.map((origin): Step => ({ text: '', kind: 'thought', origin }))
  if (marked.length === 0) at.odd('no step labels', row.record_id)
  if (marked.some((m) => row.step_labels[m] === null)) at.odd('step without a readable label', row.record_id)
  const extra = others(row, 'data_source', 'query_index', 'sample_index', 'step_labels')
  return {
    ...head(row, at),
    steps,
    ...importMarks(
      marked.map((m) => row.step_labels[m]),
      row,
      marked,
      at,
    ),
    ...(extra && { extra }),
  }
}

function importMarks(
  marks: readonly (1 | 0 | -1 | null | undefined)[],
  row: z.output<typeof Labels>,
  origins: number[],
  at: At,
): Imported {
  const dataset = 'agentprocessbench'
  const annotator = row.annotator ?? 'people'
  const imported = importStepClasses(
    marks.map((m) => (m === undefined ? undefined : m === null ? null : CLASS[m])),
    marks,
    at,
    { dataset, annotator, reasons: origins.map((o) => row.explanations?.steps?.[String(o)] ?? undefined) },
  )
  imported.evidence.push(importedEvidence(null, row.final_label, at, { dataset, annotator }))
  return imported
}

function readTrajectory(record: unknown, at: At): Trace {
  const row = parseRecord(Trajectory, record, at)
  const steps: Step[] = []
  row.messages.forEach((message, origin) => {
    const last = steps.at(-1)
    if (message.role === 'assistant') steps.push(assistantStep(message, origin))
    else if (message.role === 'tool' && last?.action) last.observation = join(last.observation, message.content ?? '')
  })
  const extra = others(row, 'data_source', 'query_index', 'sample_index', 'question', 'answer_text')
  return {
    ...head(row, at),
    problem: {
      id: `${row.data_source}:${row.query_index}`,
      prompt: row.question,
      question: `${row.data_source}:${row.query_index}`,
      domain: row.data_source,
    },
    steps,
    ...(typeof row.answer_text === 'string' && { answer: row.answer_text }),
    ...(extra && { extra }),
  }
}

function assistantStep(message: z.output<typeof Message>, origin: number): Step {
  const call = message.tool_calls?.[0]
  const text = message.content ?? ''
  if (!call) return { text, kind: 'thought', origin }
  const { name, arguments: input } = call.function
  return { text, kind: 'action', origin, action: { tool: name, input, ...(call.id !== undefined && { id: call.id }) } }
}

function head(
  row: { data_source: string; query_index: number; sample_index: number },
  at: At,
): Pick<Trace, 'id' | 'problem' | 'source'> {
  const question = `${row.data_source}:${row.query_index}`
  return {
    id: `${question}:${row.sample_index}`,
    problem: { id: question, prompt: question, question, domain: at.stem.replace(/_final$/, '') },
    source: { generator: '', dataset: 'agentprocessbench', licence: 'MIT' },
  }
}

function join(before: string | undefined, text: string): string {
  return before === undefined ? text : `${before}\n${text}`
}

function write(trace: Trace): unknown {
  const [sample, query, ...source] = trace.id.split(':').reverse()
  const identity = { data_source: source.reverse().join(':'), query_index: Number(query), sample_index: Number(sample) }
  if (isTrajectory({ ...trace.extra, ...identity })) {
    return { ...trace.extra, ...identity, question: trace.problem.prompt, answer_text: trace.answer }
  }
  const marks = correctnessByStep(trace).flatMap((label, step): [string, number | null][] => {
    if (label === undefined) return []
    if (label.value === null && label.reason !== 'neutral' && label.reason !== 'parse-failure') return []
    const mark = label.reason === 'neutral' ? 0 : label.value === null ? null : label.value >= 0.5 ? 1 : -1
    return [[String(trace.steps[step]?.origin ?? step), mark]]
  })
  return { ...trace.extra, ...identity, step_labels: Object.fromEntries(marks) }
}
