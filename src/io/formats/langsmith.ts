import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import type { Message } from './conversation.ts'
import { type Format, hasFields, place, share } from './format.ts'
import { asObject, asText, type JsonObject, objects, pick, present } from './loose.ts'
import { writeChatMessage } from './openai-chat.ts'
import type { Span, SpanKind } from './span.ts'
import { tracesFromSpans } from './spans.ts'
import { spansOfTrace, type WrittenSpan } from './spans-write.ts'
import { readUsage } from './usage.ts'
import { inPlainOrder } from './write-messages.ts'

/**
 * LangSmith run batches `{post, patch}` and lists of runs.
 *
 * A run is split over post and patch; they are joined by id (the last part of `dotted_order` where a patch has none)
 * and the patch wins. Order and tree come from `dotted_order`.
 *
 * Written as a batch for each trace: a chain, a run for each message of the model and each answered call; times are the
 * order. Usage stands whole with the first answer; outcome, labels, costs and the number of calls have no place.
 */
export const langsmith: Format = {
  name: 'langsmith',
  summary: 'run batches and exported runs of LangSmith',
  home: 'https://docs.smith.langchain.com/reference/data_formats/run_data_format',
  container: 'jsonl',
  unit: 'document',
  detect: (sample) => share(sample, (r) => isBatch(r) || isRun(r)),
  read(record, at) {
    const runs = new Map<string, JsonObject>()
    const lines = objects(record)
    for (const run of [
      ...lines.flatMap((l) => (isBatch(l) ? objects(l.post) : [l])),
      ...lines.flatMap((l) => objects(l.patch)),
    ]) {
      const id = idOf(run)
      if (id !== undefined) runs.set(id, merged(runs.get(id), run))
    }
    const ordered = [...runs].sort(([, a], [, b]) => order(a).localeCompare(order(b), 'en'))
    const traces = tracesFromSpans(
      ordered.map(([id, run], i) => spanOf(id, run, i)),
      'langsmith',
      at,
    )
    if (traces.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at), found: 'no run of a model or a tool' })
    return traces
  },
  write: (traces) => traces.map(write),
}

function isBatch(value: unknown): boolean {
  const batch = asObject(value)
  return (
    (Array.isArray(batch?.post) || Array.isArray(batch?.patch)) &&
    [...objects(batch?.post), ...objects(batch?.patch)].every((r) => 'trace_id' in r)
  )
}

const isRun = (value: unknown): boolean => hasFields(value, 'run_type', 'inputs') && hasFields(value, 'trace_id')

function idOf(run: JsonObject): string | undefined {
  return asText(run.id) ?? asText(run.dotted_order)?.split('.').at(-1)?.split('Z').at(-1)
}

/** What the patch says wins, except where it says nothing. */
function merged(before: JsonObject | undefined, run: JsonObject): JsonObject {
  const said = Object.entries(run).filter(([, value]) => {
    const object = asObject(value)
    return value !== null && value !== undefined && !(object && Object.keys(object).length === 0)
  })
  return { ...before, ...Object.fromEntries(said) }
}

const order = (run: JsonObject): string => asText(run.dotted_order) ?? anyText(run.start_time ?? '')

const KINDS: Record<string, SpanKind> = { llm: 'model', tool: 'tool' }

function spanOf(id: string, run: JsonObject, index: number): Span {
  const outputs = asObject(run.outputs)
  const inputs = asObject(run.inputs)
  const metadata = asObject(asObject(run.extra)?.metadata)
  const above = asText(run.dotted_order)?.split('.').at(-2)?.split('Z').at(-1)
  const tool = run.run_type === 'tool'
  return present<Span>({
    id,
    parent: asText(run.parent_run_id) ?? above,
    trace: asText(run.trace_id) ?? id,
    name: asText(run.name) ?? '',
    start: index,
    attributes: present({
      'gen_ai.request.model': pick(outputs, 'model') ?? pick(inputs, 'model') ?? metadata?.ls_model_name,
      'gen_ai.tool.name': tool ? asText(run.name) : undefined,
      'gen_ai.tool.call.id': tool ? (pick(inputs, 'tool_call_id') ?? outputs?.tool_call_id) : undefined,
      input: tool ? (pick(inputs, 'input') ?? inputs) : inputs,
      output: tool ? (pick(outputs, 'output') ?? outputs) : outputs,
    }),
    events: [],
    failed: asText(run.error) !== undefined,
    kind: KINDS[anyText(run.run_type)] ?? 'other',
    usage: run.run_type === 'llm' ? readUsage(pick(outputs, 'usage_metadata', 'usage')) : undefined,
  })
}

function write(trace: Trace): JsonObject {
  const spans = spansOfTrace(trace, inPlainOrder).filter(({ says }) => says.kind !== 'label')
  const measured = spans.find(({ says }) => says.kind === 'chat' && says.answer !== undefined)
  const root = spans[0]
  const post = spans.map((span) =>
    writeRun(span, trace, orderOf(span, span === root ? undefined : root), span === measured),
  )
  return { post, patch: [] }
}

/** `<time>Z<id>` of the run and of those above it; the time is the order, in milliseconds. */
function orderOf(span: WrittenSpan, above: WrittenSpan | undefined): string {
  const own = `${new Date(span.order).toISOString().replace(/[-:.Z]/g, '')}000Z${span.spanId}`
  return above ? `${orderOf(above, undefined)}.${own}` : own
}

const RUN_TYPES = { agent: 'chain', chat: 'llm', tool: 'tool', label: 'chain' } as const

function writeRun(span: WrittenSpan, trace: Trace, dotted_order: string, measured: boolean): JsonObject {
  const { says } = span
  const time = new Date(span.order).toISOString()
  const { usage } = trace
  const tokens = measured &&
    usage && {
      input_tokens: usage.promptTokens,
      input_token_details: { cache_read: usage.cachedTokens },
      output_tokens: usage.completionTokens,
      total_tokens: usage.promptTokens + usage.completionTokens,
    }
  return present<JsonObject>({
    id: span.spanId,
    trace_id: span.traceId,
    parent_run_id: span.parentSpanId || undefined,
    dotted_order,
    name: says.kind === 'tool' ? says.name : span.name,
    run_type: RUN_TYPES[says.kind],
    start_time: time,
    end_time: time,
    inputs: {},
    ...(says.kind === 'tool' && {
      inputs: present<JsonObject>({ input: says.input, tool_call_id: says.id }),
      outputs: { output: says.output },
      error: span.failed ? says.output || 'failed' : undefined,
    }),
    ...(says.kind === 'chat' && {
      inputs: {
        messages: [...says.system.map((part): Message => ({ role: 'system', parts: [part] })), ...says.before].map(
          writeChatMessage,
        ),
      },
      outputs: says.answer && {
        choices: [{ message: writeChatMessage(says.answer) }],
        ...(tokens && { usage_metadata: tokens }),
      },
      extra: { metadata: { ls_model_name: trace.source.generator } },
    }),
  })
}
