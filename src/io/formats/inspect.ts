import { GradusError } from '../../core/errors.ts'
import { anyText, entryOf } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, others, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages } from './messages.ts'
import { inPlainOrder } from './write-messages.ts'

/**
 * Inspect evaluation logs (JSON): a trace for each sample, `task:id:epoch`.
 *
 * The outcome is the first score: C = 1, P = 0.5, I and N = 0, numbers as they are. Texts that the log keeps once, as
 * attachments, are put back. Usage is the sample's sum over models, calls of graders included.
 *
 * Written is one log for each task, model and data set, without events; a trace's outcome becomes a score where it has
 * none of its own. Tools, names of agents and costs have no place; the number of calls is that of assistant messages.
 */
export const inspect: Format = {
  name: 'inspect',
  summary: 'evaluation logs of Inspect, with messages, scores and usage of each sample',
  home: 'https://inspect.aisi.org.uk/eval-logs.html',
  container: 'json',
  unit: 'document',
  detect: (sample) => share(sample, isLog),
  read(record, at) {
    const logs = objects(record).filter(isLog)
    if (logs.length === 0) throw new GradusError('GRD-IO-012', { where: place(at), found: 'no evaluation log' })
    return logs.flatMap((log) => {
      const samples = objects(log.samples)
      if (samples.length === 0) at.odd('no samples', asText(log.status) ?? '')
      return samples.map((sample) => readSample(sample, asObject(log.eval) ?? {}, at))
    })
  },
  write: writeLogs,
}

const isLog = (record: unknown): boolean =>
  hasFields(record, 'eval', 'status', 'plan') || hasFields(record, 'eval', 'samples')

function readSample(sample: JsonObject, evaluation: JsonObject, at: At): Trace {
  const attachments = asObject(sample.attachments) ?? {}
  const messages = readMessages(attached(sample.messages, attachments), 'user', at)
  const task = asText(evaluation.task) ?? at.stem
  const scores = asObject(sample.scores)
  const targets = [sample.target].flat().filter((t) => typeof t === 'string' && t !== '')
  const extra = others(
    sample,
    'id',
    'epoch',
    'input',
    'messages',
    'events',
    'transcript',
    'attachments',
    'model_usage',
    'output',
  )
  const head = {
    id: `${task}:${anyText(sample.id)}:${asNumber(sample.epoch) ?? 1}`,
    generator: asText(evaluation.model) ?? '',
    dataset: asText(asObject(evaluation.dataset)?.name) ?? task,
    domain: task,
    reference: targets.length === 1 ? anyText(targets[0]) : undefined,
    usage: usageOf(sample),
    outcome: scores ? outcomeOf(objects(Object.values(scores))[0]?.value) : undefined,
    extra,
  }
  return traceFromConversation({ messages }, head, at)
}

const MARKS: Record<string, number> = { C: 1, P: 0.5, I: 0, N: 0 }

function outcomeOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  const number = typeof value === 'string' ? (entryOf(MARKS, value) ?? asNumber(value)) : asNumber(value)
  return number !== undefined && number >= 0 && number <= 1 ? number : undefined
}

/** Model calls are counted by the log's events. Cache reads are inside `input_tokens` or not, by provider: the total says. */
function usageOf(sample: JsonObject): Usage | undefined {
  const models = objects(Object.values(asObject(sample.model_usage) ?? {}))
  if (models.length === 0) return undefined
  const sum = (of: (m: JsonObject) => number): number => models.reduce((n, m) => n + of(m), 0)
  const n = (m: JsonObject, name: string): number => asNumber(m[name]) ?? 0
  const events = objects(sample.events ?? asObject(sample.transcript)?.events)
  const generated = objects(sample.messages).filter((m) => m.role === 'assistant' && m.source === 'generate')
  return {
    calls: events.filter((e) => e.event === 'model').length || generated.length,
    promptTokens: sum((m) => Math.max(n(m, 'input_tokens'), n(m, 'total_tokens') - n(m, 'output_tokens'))),
    completionTokens: sum((m) => n(m, 'output_tokens')),
    cachedTokens: sum((m) => n(m, 'input_tokens_cache_read')),
    seconds: asNumber(sample.working_time) ?? asNumber(sample.total_time) ?? 0,
  }
}

function attached(value: unknown, attachments: JsonObject): unknown {
  if (typeof value === 'string') {
    const key = /^(?:attachment|tc):\/\/(\w+)$/.exec(value)?.[1]
    return key === undefined ? value : (attachments[key] ?? value)
  }
  if (Array.isArray(value)) return value.map((v) => attached(v, attachments))
  const object = asObject(value)
  if (!object) return value
  return Object.fromEntries(Object.entries(object).map(([key, v]) => [key, attached(v, attachments)]))
}

function writeLogs(traces: readonly Trace[]): unknown[] {
  const taskOf = ({ problem, source }: Trace): string => problem.domain ?? source.dataset
  const logs = Map.groupBy(traces, (t) => JSON.stringify([taskOf(t), t.source.generator, t.source.dataset]))
  return [...logs.values()].flatMap((own): unknown[] => {
    const [first] = own
    if (!first) return []
    const task = taskOf(first)
    const { generator: model, dataset: name } = first.source
    return [
      {
        version: 2,
        status: 'success',
        eval: { task, model, dataset: { name } },
        plan: {},
        samples: own.map((trace) => writeSample(trace, task)),
      },
    ]
  })
}

/** Members of a sample that were kept because the trace came from a log. */
const KEPT = ['metadata', 'scores', 'store', 'target', 'choices', 'error', 'uuid'] as const

function writeSample(trace: Trace, task: string): JsonObject {
  const own = trace.extra ?? {}
  const [, id, epoch] = trace.id.startsWith(`${task}:`)
    ? (/^(.*):(\d+)$/s.exec(trace.id.slice(task.length + 1)) ?? [])
    : []
  const { usage, outcome } = trace
  const messages = inPlainOrder(conversationFromTrace(trace).messages)
  let calls = usage?.calls ?? 0
  const kept = Object.fromEntries(KEPT.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])))
  const scored = outcomeOf(objects(Object.values(asObject(kept.scores) ?? {}))[0]?.value)
  return present<JsonObject>({
    ...kept,
    id: id ?? trace.id,
    epoch: Number(epoch ?? 1),
    input: trace.problem.prompt,
    target: trace.problem.answer ?? kept.target ?? '',
    messages: messages.map((m) => writeMessage(m, m.role === 'assistant' && calls-- > 0)),
    scores: outcome === scored ? kept.scores : outcome === undefined ? undefined : { outcome: { value: outcome } },
    model_usage: usage && {
      [trace.source.generator || 'unknown']: {
        input_tokens: usage.promptTokens,
        output_tokens: usage.completionTokens,
        total_tokens: usage.promptTokens + usage.completionTokens,
        input_tokens_cache_read: usage.cachedTokens,
      },
    },
    working_time: usage && usage.seconds > 0 ? usage.seconds : undefined,
  })
}

function writeMessage(message: Message, generated: boolean): JsonObject {
  const [first] = message.parts
  if (first?.type === 'result') {
    return present<JsonObject>({
      role: 'tool',
      content: first.output,
      tool_call_id: first.id,
      function: first.name,
      error: first.isError ? { type: 'unknown', message: first.output } : undefined,
    })
  }
  const calls = message.parts.flatMap((p) =>
    p.type === 'call' ? [{ id: p.id, type: 'function', function: p.name, arguments: p.input }] : [],
  )
  return present<JsonObject>({
    role: message.role,
    source: generated ? 'generate' : undefined,
    content: message.parts.flatMap(writeContent),
    tool_calls: calls.length > 0 ? calls : undefined,
  })
}

function writeContent(part: Part): JsonObject[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }]
  if (part.type === 'reasoning') return [{ type: 'reasoning', reasoning: part.text }]
  return part.type === 'image' ? [{ type: 'image', image: part.path, mediaType: part.mediaType }] : []
}
