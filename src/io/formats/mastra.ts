import { GradusError } from '../../core/errors.ts'
import { anyText, entryOf } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import { type Format, hasFields, place, share } from './format.ts'
import { asObject, asText, type JsonObject, objects, present } from './loose.ts'
import type { Span, SpanKind } from './span.ts'
import { sdkMessage, sdkMessages } from './span-attributes-write.ts'
import { asMillis } from './span-records.ts'
import { tracesFromSpans } from './spans.ts'
import { spansOfTrace, type WrittenSpan } from './spans-write.ts'
import { readUsage } from './usage.ts'

/**
 * Mastra observability traces: spans nested as `{span, children}`, or a flat list with `parentId`.
 *
 * The usage of a `model_generation` is the sum of its steps'; chunks repeat content. A tool span has no call id; the
 * event beside it that says its result came has.
 *
 * Written as a flat list of spans; times are the order. A name of the agent is held where all steps have the same;
 * outcome, labels, costs and definitions of tools have no place.
 */
export const mastra: Format = {
  name: 'mastra',
  summary: 'observability traces of Mastra',
  home: 'https://mastra.ai/docs/observability/overview',
  container: 'json',
  unit: 'record',
  detect: (sample) => share(sample, (r) => nested(r).some(({ span }) => isSpan(span))),
  read(record, at) {
    const spans = nested(record)
      .flatMap((node) => flattened(node, []))
      .filter((s) => s.span.type !== 'model_chunk')
      .map(({ span, siblings }, i) => spanOf(span, siblings, i))
    const traces = tracesFromSpans(spans, 'mastra', at)
    if (traces.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at), found: 'no span of a model or a tool' })
    return traces
  },
  write: (traces) => traces.map(write),
}

interface Nested {
  span: JsonObject
  children: JsonObject[]
}

function nested(record: unknown): Nested[] {
  return objects(asObject(record)?.spans).flatMap((entry) => {
    const span = asObject(entry.span) ?? (isSpan(entry) ? entry : undefined)
    return span ? [{ span, children: objects(entry.children) }] : []
  })
}

const isSpan = (value: unknown): boolean =>
  hasFields(value, 'traceId', 'type', 'entityType') ||
  (hasFields(value, 'traceId') && /^(agent_run|model_)/.test(anyText(asObject(value)?.type)))

function flattened(node: Nested, siblings: JsonObject[]): { span: JsonObject; siblings: JsonObject[] }[] {
  const inner = objects(node.children.map((c) => c.span))
  return [
    { span: node.span, siblings },
    ...nested({ spans: node.children }).flatMap((child) => flattened(child, inner)),
  ]
}

const KINDS: Record<string, SpanKind> = {
  model_step: 'model',
  model_generation: 'model',
  tool_call: 'tool',
  mcp_tool_call: 'tool',
}

function spanOf(span: JsonObject, siblings: readonly JsonObject[], index: number): Span {
  const attributes = asObject(span.attributes) ?? {}
  const name = asText(span.entityId) ?? asText(span.name)
  const tool = entryOf(KINDS, span.type) === 'tool'
  return present<Span>({
    id: asText(span.id) ?? `${index}`,
    parent: asText(span.parentId) ?? asText(span.parentSpanId),
    trace: asText(span.traceId) ?? '',
    name: asText(span.name) ?? '',
    start: asMillis(span.startTime) || index,
    attributes: present({
      'gen_ai.request.model': attributes.responseModel ?? attributes.model ?? modelOf(span),
      'gen_ai.tool.name': tool ? name : undefined,
      'gen_ai.tool.call.id': tool ? callIdOf(span, siblings) : undefined,
      'agent.name': span.type === 'agent_run' ? name : undefined,
      input: span.input,
      output: span.output,
    }),
    events: [],
    failed: attributes.success === false,
    kind: entryOf(KINDS, span.type) ?? 'other',
    usage: readUsage(attributes.usage),
  })
}

const modelOf = (span: JsonObject): unknown => asObject(asObject(span.metadata)?.modelMetadata)?.modelId

/** The chunk events of the same step, in order, say which ids the calls of a tool have. */
function callIdOf(span: JsonObject, siblings: readonly JsonObject[]): string | undefined {
  const runs = siblings.filter((s) => entryOf(KINDS, s.type) === 'tool' && s.entityId === span.entityId)
  const ids = siblings.flatMap((s) => {
    const metadata = asObject(s.metadata)
    return metadata?.toolName === span.entityId ? (asText(metadata?.toolCallId) ?? []) : []
  })
  return ids[runs.findIndex((run) => run.id === span.id)]
}

function write(trace: Trace): JsonObject {
  const spans = spansOfTrace(trace).filter(({ says }) => says.kind !== 'label')
  return { traceId: trace.id, spans: spans.map((span) => writeSpan(span, trace)) }
}

function writeSpan(span: WrittenSpan, trace: Trace): JsonObject {
  const { says } = span
  const agents = [...new Set(trace.steps.flatMap((s) => (s.kind === 'observation' ? [] : [s.agent])))]
  const agent = agents.length === 1 ? agents[0] : undefined
  const { usage } = trace
  const head = {
    id: span.spanId,
    traceId: trace.id,
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
    name: span.name,
    startTime: new Date(span.order).toISOString(),
  }
  if (says.kind === 'tool')
    return {
      ...head,
      type: 'tool_call',
      entityType: 'tool',
      entityId: says.name,
      input: says.input,
      output: says.output,
      attributes: { success: !span.failed },
    }
  if (says.kind === 'chat')
    return {
      ...head,
      type: 'model_generation',
      entityType: 'agent',
      input: sdkMessages(says),
      output: says.answer ? [sdkMessage(says.answer)] : null,
      attributes: { model: trace.source.generator },
    }
  return {
    ...head,
    type: agent === undefined ? 'generic' : 'agent_run',
    entityType: 'agent',
    ...(agent !== undefined && { entityId: agent }),
    attributes: usage
      ? {
          usage: {
            inputTokens: usage.promptTokens,
            outputTokens: usage.completionTokens,
            cachedInputTokens: usage.cachedTokens,
          },
        }
      : {},
  }
}
