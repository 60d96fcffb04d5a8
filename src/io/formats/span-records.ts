import { anyText } from '../../core/unknown.ts'
import { asList, asNumber, asObject, asText, type JsonObject, objects, pick, present } from './loose.ts'
import type { Span } from './span.ts'

/**
 * Spans of an OTLP JSON export: `resourceSpans` / `scopeSpans`, or Tempo's older `batches` /
 * `instrumentationLibrarySpans`. Empty for anything else.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function otlpSpans(document: unknown): Span[] {
  const envelope = asObject(document)
  return objects(pick(envelope, 'resourceSpans', 'resource_spans', 'batches')).flatMap((resource) =>
    objects(pick(resource, 'scopeSpans', 'scope_spans', 'instrumentationLibrarySpans')).flatMap((scope) =>
      objects(scope.spans).map(spanOfRecord),
    ),
  )
}

/**
 * A span as SDK exporters and trace stores write it: ids under any of the usual names, attributes as an object or as
 * OTLP's list. A bare map of attributes is a span of its own.
 */
export function spanOfRecord(record: JsonObject, index = 0): Span {
  const context = asObject(pick(record, 'spanContext', 'context'))
  const bare = record.attributes === undefined
  const id =
    asText(pick(record, 'spanId', 'span_id', 'spanID')) ??
    asText(pick(context, 'spanId', 'span_id')) ??
    asText(record.id)
  const parentContext = asObject(record.parentSpanContext)
  const parent =
    asText(pick(record, 'parentSpanId', 'parent_span_id', 'parentId', 'parent_id')) ?? asText(parentContext?.spanId)
  const trace = asText(pick(record, 'traceId', 'trace_id')) ?? asText(pick(context, 'traceId', 'trace_id'))
  const status = asObject(record.status)
  const code = pick(status, 'code', 'status_code') ?? record.status_code
  return present<Span>({
    id: id ?? `span-${index + 1}`,
    parent,
    trace: trace ?? '',
    name: asText(record.name) ?? '',
    start: asMillis(pick(record, 'startTimeUnixNano', 'start_time_unix_nano', 'startTime', 'start_time', 'timestamp')),
    attributes: bare ? record : readAttributes(record.attributes),
    events: objects(record.events).map((e) => ({
      name: asText(e.name) ?? '',
      attributes: readAttributes(e.attributes),
    })),
    failed: code === 2 || code === 'ERROR' || code === 'STATUS_CODE_ERROR',
  })
}

/** Attributes as an object, with OTLP's typed values unwrapped; nested objects become dotted keys. */
export function readAttributes(value: unknown): JsonObject {
  if (!Array.isArray(value)) return dotted(asObject(value) ?? {})
  return Object.fromEntries(objects(value).map(({ key, value: typed }) => [anyText(key), unwrapTyped(typed)]))
}

/** Phoenix writes attributes as a tree; the conventions name them by dotted keys. Values with content stay whole. */
function dotted(attributes: JsonObject): JsonObject {
  const out: JsonObject = {}
  const walk = (prefix: string, value: unknown): void => {
    const inner = asObject(value)
    if (inner && TREES.test(prefix)) for (const [key, v] of Object.entries(inner)) walk(`${prefix}.${key}`, v)
    else if (Array.isArray(value) && MESSAGE_LISTS.test(prefix))
      for (const [i, v] of value.entries()) walk(`${prefix}.${i}`, v)
    else out[prefix] = value
  }
  for (const [key, value] of Object.entries(attributes)) walk(key, value)
  return out
}

const TREES = /^(llm|openinference|input|output|tool|tool_call|gen_ai|agent)(\.|$)/
const MESSAGE_LISTS = /^llm\.(input|output)_messages$|\.(tool_calls|contents)$/

function unwrapTyped(typed: unknown): unknown {
  const value = asObject(typed)
  if (!value) return typed
  if (value.intValue !== undefined) return asNumber(value.intValue) ?? value.intValue
  const scalar = pick(value, 'stringValue', 'boolValue', 'doubleValue', 'bytesValue')
  if (scalar !== undefined) return scalar
  const array = asObject(value.arrayValue)
  if (array) return asList(array.values).map(unwrapTyped)
  const pairs = asObject(value.kvlistValue)
  return pairs ? readAttributes(pairs.values) : undefined
}

/** Nanoseconds (text or number), `[seconds, nanoseconds]`, or ISO text, as milliseconds; 0 where unknown. */
export function asMillis(value: unknown): number {
  if (Array.isArray(value)) return (asNumber(value[0]) ?? 0) * 1e3 + (asNumber(value[1]) ?? 0) / 1e6
  if (typeof value === 'string' && /^\d{16,}$/.test(value)) return Number(BigInt(value) / 1000n) / 1e3
  if (typeof value === 'number') return value > 1e17 ? value / 1e6 : value > 1e14 ? value / 1e3 : value
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(parsed) ? 0 : parsed
}
