import { GradusError } from '../../core/errors.ts'
import { type Format, hasFields, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import type { Span } from './span.ts'
import { tracesFromSpans } from './spans.ts'

/** Jaeger's query JSON: `data[].spans[]`, parents in `references`, attributes in `tags`, times in microseconds. */
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
      return { name: String(fields.event ?? fields.name ?? ''), attributes: fields }
    }),
    failed: attributes['otel.status_code'] === 'ERROR' || attributes.error === true,
  })
}

const tags = (list: unknown): JsonObject =>
  Object.fromEntries(objects(list).map(({ key, value }) => [String(key), value]))
