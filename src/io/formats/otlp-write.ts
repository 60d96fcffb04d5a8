import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import type { JsonObject } from './loose.ts'
import { genaiAttributes } from './span-attributes-write.ts'
import { spansOfTrace, type WrittenSpan } from './spans-write.ts'

/**
 * A trace as one OTLP export: an `invoke_agent` span, a `chat` span for each message of the agent with the history as
 * its input, an `execute_tool` span for each answered call, and an EVALUATOR span (OpenInference) for each label below
 * the span of its step.
 *
 * Traces have no clock: times are the order, in milliseconds from 0. Ids that are not those of OTLP are hashed.
 */
export function writeOtlp(trace: Trace): unknown {
  return {
    resourceSpans: [
      {
        resource: { attributes: typed({ 'service.name': 'gradus' }) },
        scopeSpans: [{ scope: { name: 'gradus' }, spans: spansOfTrace(trace).map((span) => write(span, trace)) }],
      },
    ],
  }
}

function write(span: WrittenSpan, trace: Trace): JsonObject {
  const { traceId, spanId, parentSpanId, name, says } = span
  const time = String(span.order * 1_000_000)
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: says.kind === 'chat' ? 3 : 1,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes: typed({
      ...(says.kind === 'label' && { 'openinference.span.kind': 'EVALUATOR' }),
      ...genaiAttributes(span, trace),
    }),
    status: span.failed ? { code: 2 } : {},
  }
}

function typed(attributes: JsonObject): JsonObject[] {
  return Object.entries(attributes).flatMap(([key, value]): JsonObject[] => {
    if (value === undefined) return []
    if (typeof value === 'number')
      return [{ key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }]
    return [{ key, value: { stringValue: anyText(value) } }]
  })
}
