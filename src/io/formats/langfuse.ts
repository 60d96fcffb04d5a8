import { GradusError } from '../../core/errors.ts'
import { anyText, entryOf } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import { type Format, hasFields, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, pick, present, unwrapJson } from './loose.ts'
import type { Span, SpanKind } from './span.ts'
import { genaiAttributes, writeGenaiMessage } from './span-attributes-write.ts'
import { asMillis, readAttributes } from './span-records.ts'
import { tracesFromSpans } from './spans.ts'
import { spansOfTrace, type WrittenSpan } from './spans-write.ts'
import { ownExtra } from './write-messages.ts'

/**
 * Langfuse trace exports: `{trace, observations}`, or a trace with its observations inside.
 *
 * Of two copies of the observations the one at top level counts. Input, output and metadata are JSON inside texts or
 * objects; the metadata may hold the span's original attributes. Scores stay under `extra`.
 *
 * Written with the attributes of the GenAI conventions in the metadata, usage and labels among them; times are the
 * order.
 */
export const langfuse: Format = {
  name: 'langfuse',
  summary: 'traces exported from Langfuse',
  home: 'https://langfuse.com/docs',
  container: 'json',
  unit: 'record',
  detect: (sample) => share(sample, isExport),
  read(record, at) {
    const body = asObject(record) ?? {}
    const trace = asObject(body.trace) ?? body
    const listed = objects(body.observations)
    const spans = (listed.length > 0 ? listed : objects(trace.observations)).map(readObservation)
    const id = asText(trace.id) ?? at.stem
    const traces = tracesFromSpans(
      spans.map((span) => ({ ...span, trace: id })),
      'langfuse',
      at,
    )
    const [read] = traces
    if (!read)
      throw new GradusError('GRD-IO-012', { where: place(at, 'observations'), found: 'no generation and no tool' })
    const scores = objects(trace.scores).map((s) =>
      present({ name: s.name, value: s.value, comment: s.comment, source: s.source }),
    )
    const extra = present({ name: asText(trace.name), scores: scores.length > 0 ? scores : undefined, ...read.extra })
    return [{ ...read, ...(Object.keys(extra).length > 0 && { extra }) }]
  },
  write: (traces) => traces.map(write),
}

function isExport(record: unknown): boolean {
  const list = objects(asObject(record)?.observations)
  const inner = objects(asObject(asObject(record)?.trace)?.observations)
  return [...list, ...inner].some((o) => hasFields(o, 'traceId', 'type', 'startTime') && 'parentObservationId' in o)
}

const KINDS: Record<string, SpanKind> = { GENERATION: 'model', TOOL: 'tool' }

function readObservation(o: JsonObject): Span {
  const metadata = asObject(unwrapJson(o.metadata)) ?? {}
  const original = readAttributes(unwrapJson(metadata.attributes))
  const events = objects(unwrapJson(original.events))
  const attributes: JsonObject = present({
    ...original,
    'gen_ai.request.model': asText(o.model) ?? original['gen_ai.request.model'],
    'tool.name':
      original['gen_ai.tool.name'] ??
      original['tool.name'] ??
      asText(o.name)?.replace(/^(execute_tool |running tool: |tool\.)/, ''),
    'agent.name': o.type === 'AGENT' ? asText(o.name) : undefined,
    events: events.length > 0 ? events : undefined,
    input: unwrapPython(unwrapJson(o.input)),
    output: unwrapPython(unwrapJson(o.output)),
  })
  return present<Span>({
    id: asText(o.id) ?? '',
    parent: asText(o.parentObservationId),
    trace: asText(o.traceId) ?? '',
    name: asText(o.name) ?? '',
    start: asMillis(o.startTime),
    attributes,
    events: [],
    failed: o.level === 'ERROR',
    kind: entryOf(KINDS, o.type) ?? toolKind(o, original),
    usage: usageOf(o),
  })
}

/** Exports before the type TOOL have tools as plain spans, known by their attributes. */
function toolKind(o: JsonObject, attributes: JsonObject): SpanKind {
  // a tool's start and end may be marked by spans of the same kind that say nothing
  const says = asText(o.input) !== undefined || asText(o.output) !== undefined
  const tool =
    attributes['openinference.span.kind'] === 'TOOL' || attributes['gen_ai.operation.name'] === 'execute_tool'
  return says && (tool || /^tool\.\w+$/.test(anyText(o.name))) ? 'tool' : 'other'
}

/** A python literal `None` is no text. */
const unwrapPython = (value: unknown): unknown => (value === 'None' || value === null ? undefined : value)

function usageOf(o: JsonObject): Span['usage'] {
  if (o.type !== 'GENERATION') return undefined
  const usage = asObject(pick(o, 'usageDetails', 'usage'))
  const n = (...names: string[]): number | undefined => asNumber(pick(usage, ...names))
  const input = n('input', 'promptTokens')
  const output = n('output', 'completionTokens')
  if (input === undefined && output === undefined) return undefined
  const total = n('total', 'totalTokens')
  const cachedTokens =
    n('prompt_details.cache_read', 'input_cache_read', 'cache_read_input_tokens', 'input_cached_tokens') ?? 0
  const cost = asNumber(asObject(o.costDetails)?.total) ?? asNumber(o.calculatedTotalCost)
  return {
    calls: 1,
    promptTokens: input ?? 0,
    completionTokens: Math.max(output ?? 0, (total ?? 0) - (input ?? 0)),
    cachedTokens,
    seconds: 0,
    ...(cost !== undefined && { cost }),
  }
}

function write(trace: Trace): JsonObject {
  const own = ownExtra(trace, 'langfuse')
  return {
    trace: present<JsonObject>({ id: trace.id, name: own?.name, scores: own?.scores }),
    observations: spansOfTrace(trace).map((span) => writeObservation(span, trace)),
  }
}

const TYPES = { agent: 'SPAN', chat: 'GENERATION', tool: 'TOOL', label: 'EVALUATOR' } as const

function writeObservation(span: WrittenSpan, trace: Trace): JsonObject {
  const { says } = span
  const {
    'gen_ai.input.messages': _input,
    'gen_ai.output.messages': _output,
    'gen_ai.system_instructions': _system,
    ...attributes
  } = genaiAttributes(span, trace)
  const time = new Date(span.order).toISOString()
  return present<JsonObject>({
    id: span.spanId,
    traceId: trace.id,
    type: TYPES[says.kind],
    name: says.kind === 'tool' ? says.name : span.name,
    parentObservationId: span.parentSpanId === '' ? null : span.parentSpanId,
    startTime: time,
    endTime: time,
    level: span.failed ? 'ERROR' : 'DEFAULT',
    metadata: { attributes },
    ...(says.kind === 'tool' && { input: says.input, output: says.output }),
    ...(says.kind === 'chat' && {
      model: trace.source.generator || undefined,
      input: [...says.system.map((part) => ({ role: 'system', parts: [part] }) as const), ...says.before].map((m) =>
        writeGenaiMessage({ ...m, parts: [...m.parts] }),
      ),
      output: says.answer ? [writeGenaiMessage(says.answer)] : null,
    }),
  })
}
