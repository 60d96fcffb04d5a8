import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import type { Message } from './conversation.ts'
import { type At, type Format, place, share } from './format.ts'
import { asObject, type JsonObject, objects, pick } from './loose.ts'
import type { Span } from './span.ts'
import { aiSdkAttributes, genaiAttributes, openinferenceAttributes } from './span-attributes-write.ts'
import { asMillis, readAttributes, spanOfRecord } from './span-records.ts'
import { tracesFromSpans } from './spans.ts'
import { spansOfTrace, type WrittenSpan } from './spans-write.ts'
import { inPlainOrder } from './write-messages.ts'

/** Spans one by one, as exporters write them, or bare maps of their attributes; told apart by the convention. */
function spanFormat(
  head: Pick<Format, 'name' | 'summary' | 'home'>,
  belongs: (attributes: JsonObject) => boolean,
  write: (span: WrittenSpan, trace: Trace) => JsonObject,
  arrange?: (messages: readonly Message[]) => Message[],
): Format {
  return {
    ...head,
    container: 'jsonl',
    unit: 'document',
    detect: (sample) => share(sample, (r) => belongs(attributesOf(r))),
    read: (record, at) => readRecords(objects(record), head.name, at),
    write: (traces) =>
      traces.flatMap((trace) => spansOfTrace(trace, arrange).map((span) => writeRecord(span, write(span, trace)))),
  }
}

/** GenAI attributes of the OpenTelemetry conventions, current or deprecated. */
export const otelGenai = spanFormat(
  {
    name: 'otel-genai',
    summary: 'spans or attribute maps by the GenAI conventions of OpenTelemetry',
    home: 'https://opentelemetry.io/docs/specs/semconv/gen-ai/',
  },
  (a) => has(a, /^gen_ai\./) && !has(a, /^(ai\.operationId$|openinference\.)/),
  genaiAttributes,
)

/** OpenInference attributes, flattened or as a tree. */
export const openinference = spanFormat(
  {
    name: 'openinference',
    summary: 'spans or attribute maps by the OpenInference conventions',
    home: 'https://github.com/Arize-ai/openinference',
  },
  (a) => has(a, /^openinference\.span\.kind$/),
  openinferenceAttributes,
)

/** Telemetry of the AI SDK; its outer span repeats text and usage of the inner one. */
export const aiSdkSpans = spanFormat(
  {
    name: 'ai-sdk-spans',
    summary: 'telemetry spans of the Vercel AI SDK',
    home: 'https://ai-sdk.dev/docs/ai-sdk-core/telemetry',
  },
  (a) => has(a, /^ai\.operationId$/),
  aiSdkAttributes,
  inPlainOrder,
)

/** A span as the SDKs' exporters write it; times are the order, in milliseconds from 0. */
function writeRecord(span: WrittenSpan, attributes: JsonObject): JsonObject {
  const time = String(span.order * 1_000_000)
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
    name: span.name,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes,
    status: span.failed ? { code: 2 } : {},
  }
}

const has = (attributes: JsonObject, key: RegExp): boolean => Object.keys(attributes).some((name) => key.test(name))

function attributesOf(record: unknown): JsonObject {
  const object = asObject(record)
  if (!object || 'resourceSpans' in object || 'observations' in object) return {}
  return object.attributes === undefined ? object : readAttributes(object.attributes)
}

/** Spans without a trace id stand alone. */
function readRecords(records: readonly JsonObject[], dataset: string, at: At): Trace[] {
  const spans = records.map((record, i) => {
    const span = spanOfRecord(record, i)
    return span.trace === '' ? { ...span, trace: `${at.stem}-${i + 1}` } : span
  })
  const traces = tracesFromSpans(joinByTime(spans, records), dataset, at)
  if (traces.length === 0)
    throw new GradusError('GRD-IO-012', { where: place(at), found: 'no span of a model or a tool' })
  return traces
}

/**
 * The AI SDK's inner spans where neither a parent nor a common trace id is left: they belong to the outer span of the
 * same function that was open at the time.
 */
function joinByTime(spans: readonly Span[], records: readonly JsonObject[]): Span[] {
  const operation = (span: Span): string => anyText(span.attributes['ai.operationId'] ?? '')
  const ends = new Map(spans.map((span, i) => [span, asMillis(pick(records[i], 'endTime', 'end_time'))]))
  const known = new Set(spans.map((s) => s.id))
  return spans.map((span) => {
    const inner = /^ai\.(\w+\.do[A-Z]|toolCall)/.test(operation(span))
    if (!inner || (span.parent !== undefined && known.has(span.parent))) return span
    const outer = spans.find(
      (s) =>
        s !== span &&
        (operation(span).startsWith(`${operation(s)}.do`) || operation(span) === 'ai.toolCall') &&
        operation(s) !== '' &&
        s.attributes['ai.telemetry.functionId'] === span.attributes['ai.telemetry.functionId'] &&
        s.start <= span.start &&
        (ends.get(span) ?? 0) <= (ends.get(s) ?? 0),
    )
    return outer ? { ...span, parent: outer.id, trace: outer.trace } : span
  })
}
