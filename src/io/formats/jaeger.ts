import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import { type Format, hasFields, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import type { Span } from './span.ts'
import { genaiAttributes } from './span-attributes-write.ts'
import { tracesFromSpans } from './spans.ts'
import { spansOfTrace, type WrittenSpan } from './spans-write.ts'

/**
 * Jaeger's query JSON: `data[].spans[]`, parents in `references`, attributes in `tags`, times in microseconds.
 *
 * Written with the attributes of the GenAI conventions; times are the order.
 */
export const jaeger: Format = {
  name: 'jaeger',
  summary: 'traces as the Jaeger query API gives them',
  home: 'https://www.jaegertracing.io/docs/latest/architecture/apis/',
  container: 'json',
  unit: 'document',
  detect: (sample) => share(sample, (r) => objects(asObject(r)?.data).some(isTrace) || isTrace(r)),
  read(record, at) {
    const stored = objects(record).flatMap((r) => (isTrace(r) ? [r] : objects(r.data)))
    const traces = tracesFromSpans(
      stored.flatMap((t) => objects(t.spans).map(readJaegerSpan)),
      'jaeger',
      at,
    )
    if (traces.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at), found: 'no span of a model or a tool' })
    return traces
  },
  write: (traces) => traces.map((trace) => ({ data: [write(trace)] })),
}

const isTrace = (value: unknown): boolean => hasFields(value, 'traceID', 'spans')

function readJaegerSpan(span: JsonObject): Span {
  const attributes = tags(span.tags)
  const parent = objects(span.references).find((r) => r.refType === 'CHILD_OF')
  return present<Span>({
    id: asText(span.spanID) ?? '',
    parent: asText(parent?.spanID),
    trace: asText(span.traceID) ?? '',
    name: asText(span.operationName) ?? '',
    start: (asNumber(span.startTime) ?? 0) / 1e3,
    attributes,
    events: objects(span.logs).map((log) => {
      const fields = tags(log.fields)
      return { name: anyText(fields.event ?? fields.name ?? ''), attributes: fields }
    }),
    failed: attributes['otel.status_code'] === 'ERROR' || attributes.error === true,
  })
}

const tags = (list: unknown): JsonObject =>
  Object.fromEntries(objects(list).map(({ key, value }) => [anyText(key), value]))

function write(trace: Trace): JsonObject {
  const spans = spansOfTrace(trace)
  return {
    traceID: spans[0]?.traceId,
    spans: spans.map((span) => writeSpan(span, trace)),
    processes: { p1: { serviceName: 'gradus', tags: [] } },
  }
}

function writeSpan(span: WrittenSpan, trace: Trace): JsonObject {
  const { traceId: traceID, spanId: spanID, parentSpanId, name, order } = span
  const tags = Object.entries(genaiAttributes(span, trace)).map(([key, value]) => {
    const type = typeof value !== 'number' ? 'string' : Number.isInteger(value) ? 'int64' : 'float64'
    return { key, type, value }
  })
  return {
    traceID,
    spanID,
    operationName: name,
    references: parentSpanId === '' ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parentSpanId }],
    startTime: order * 1000,
    duration: 0,
    tags: span.failed ? [...tags, { key: 'error', type: 'bool', value: true }] : tags,
    logs: [],
    processID: 'p1',
  }
}
