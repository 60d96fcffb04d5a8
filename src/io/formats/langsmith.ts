import { GradusError } from '../../core/errors.ts'
import { type Format, hasFields, place, share } from './format.ts'
import { asObject, asText, type JsonObject, objects, pick, present } from './loose.ts'
import type { Span, SpanKind } from './span.ts'
import { tracesFromSpans } from './spans.ts'
import { readUsage } from './usage.ts'

/**
 * LangSmith run batches `{post, patch}` and lists of runs.
 *
 * A run is split over post and patch; they are joined by id (the last part of `dotted_order` where a patch has none)
 * and the patch wins. Order and tree come from `dotted_order`.
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

const order = (run: JsonObject): string => asText(run.dotted_order) ?? String(run.start_time ?? '')

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
    kind: KINDS[String(run.run_type)] ?? 'other',
    usage: run.run_type === 'llm' ? readUsage(pick(outputs, 'usage_metadata', 'usage')) : undefined,
  })
}
