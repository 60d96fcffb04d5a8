import { GradusError } from '../../core/errors.ts'
import { anyText, entryOf } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, type Result, traceFromConversation } from './conversation.ts'
import { type At, type Format, others, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, pick, present } from './loose.ts'
import { readTools } from './messages.ts'
import { call, readPart, result, textOf } from './messages-parts.ts'
import { totalUsage } from './usage.ts'

const NAME = 'atif'
/** Version that is written; every field of it is in the later ones too. */
const VERSION = 'ATIF-v1.6'
/** Who speaks an observation that answers no call. */
const ENVIRONMENT = 'environment'

/**
 * Agent Trajectory Interchange Format of Harbor: steps by `source`, an agent's step with its own calls and results.
 *
 * Subagents that a document embeds, or that stand in one file under names, are traces of their own. Usage is summed
 * over the steps; the totals may go over continued trajectories, so that they count only where no step has metrics.
 */
export const atif: Format = {
  name: NAME,
  summary: 'agent trajectories in the interchange format of Harbor and Terminal-Bench',
  home: 'https://www.harborframework.com/docs/agents/trajectory-format',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isAtif(r) || named(r).length > 0),
  unroll(document) {
    const inner = named(document)
    return inner.length > 0 ? inner : [document]
  },
  read(record, at) {
    const body = asObject(record)
    if (!body || !isAtif(body))
      throw new GradusError('GRD-IO-006', { where: place(at, 'schema_version'), found: 'no ATIF' })
    return readTrajectory(body, `${at.stem}-${at.line}`, at)
  },
  write: (traces) => traces.map(write),
}

const isAtif = (value: unknown): boolean => {
  const body = asObject(value)
  return /^ATIF/.test(anyText(body?.schema_version)) && Array.isArray(body?.steps)
}

/** Trajectories under names in one object. */
function named(document: unknown): JsonObject[] {
  const inner = Object.values(asObject(document) ?? {})
  return inner.length > 0 && inner.every(isAtif) ? objects(inner) : []
}

function readTrajectory(body: JsonObject, fallback: string, at: At): Trace[] {
  const agent = asObject(body.agent)
  const steps = objects(body.steps)
  const id = asText(pick(body, 'trajectory_id', 'session_id')) ?? fallback
  const head = {
    id,
    generator: asText(agent?.model_name) ?? asText(agent?.name) ?? '',
    dataset: NAME,
    usage: usageOf(steps, asObject(body.final_metrics)),
    extra: others(body, 'steps', 'final_metrics', 'subagent_trajectories', 'schema_version'),
  }
  const conversation = {
    messages: steps.flatMap((s, i) => readStep(s, i, at)),
    tools: readTools(agent?.tool_definitions),
  }
  const subagents = objects(body.subagent_trajectories).filter(isAtif)
  return [
    traceFromConversation(conversation, head, at),
    ...subagents.flatMap((s, i) => readTrajectory(s, `${id}-${i + 1}`, at)),
  ]
}

const ROLES: Record<string, Message['role']> = { system: 'system', user: 'user', agent: 'assistant' }

function readStep(step: JsonObject, index: number, at: At): Message[] {
  const role = entryOf(ROLES, step.source) ?? 'user'
  const origin = asNumber(step.step_id) ?? index + 1
  const said = typeof step.message === 'string' ? [step.message] : objects(step.message)
  const thinking = asText(step.reasoning_content)
  const parts: Part[] = [
    ...(thinking === undefined ? [] : [{ type: 'reasoning', text: thinking } satisfies Part]),
    ...said.flatMap((part) => readPart(part, role, at)),
  ]
  const calls = objects(step.tool_calls).map((c) => call(c.tool_call_id, c.function_name, c.arguments))
  const messages: Message[] = [{ role, parts: [...parts, ...calls], origin }]
  const open = calls.map((c) => c.id)
  objects(asObject(step.observation)?.results).forEach((r, i) => {
    const of = asText(r.source_call_id) ?? open[0]
    if (of !== undefined && open.includes(of)) {
      open.splice(open.indexOf(of), 1)
      messages.push({ role: 'tool', parts: [result(of, undefined, r.content)] })
    } else if (r.source_call_id !== undefined && r.source_call_id !== null) {
      messages.push({
        role: 'tool',
        parts: [result(r.source_call_id, undefined, r.content)],
        origin: `${origin}.result${i}`,
      })
    } else if (textOf(r.content) !== '') {
      const observed: Part = { type: 'text', text: textOf(r.content) }
      messages.push({ role: 'user', agent: ENVIRONMENT, parts: [observed], origin: `${origin}.observation${i}` })
    }
  })
  return messages
}

function usageOf(steps: readonly JsonObject[], totals: JsonObject | undefined): Usage | undefined {
  const measured = steps.flatMap((step): Usage[] => {
    const metrics = asObject(step.metrics)
    const calls = asNumber(step.llm_call_count) ?? 1
    return metrics ? [tokensOf(metrics, '', calls)] : []
  })
  if (measured.length > 0) return totalUsage(measured)
  if (!totals || asNumber(totals.total_prompt_tokens) === undefined) return undefined
  return tokensOf(
    totals,
    'total_',
    asNumber(asObject(totals.extra)?.llm_calls) ?? steps.filter((s) => s.source === 'agent').length,
  )
}

function tokensOf(metrics: JsonObject, prefix: string, calls: number): Usage {
  const n = (name: string): number | undefined => asNumber(metrics[`${prefix}${name}`])
  return present<Usage>({
    calls,
    promptTokens: n('prompt_tokens') ?? 0,
    completionTokens: n('completion_tokens') ?? 0,
    cachedTokens: n('cached_tokens') ?? 0,
    seconds: 0,
    cost: n('cost_usd'),
  })
}

function write(trace: Trace): unknown {
  const { messages, tools } = conversationFromTrace(trace)
  const own = trace.source.dataset === NAME && trace.extra ? others(trace.extra, 'failedCalls') : undefined
  const steps: JsonObject[] = []
  for (const message of messages) {
    const last = steps.at(-1)
    const results = message.parts.flatMap((p): Result[] => (p.type === 'result' ? [p] : []))
    const alone = message.agent === ENVIRONMENT && last !== undefined && last.tool_calls === undefined
    if (last && (results.length > 0 || alone)) {
      const told = alone
        ? [{ content: textIn(message) }]
        : results.map((r) => ({ source_call_id: r.id, content: r.output }))
      last.observation = { results: [...objects(asObject(last.observation)?.results), ...told] }
    } else steps.push(writeStep(message, steps.length + 1))
  }
  const { usage } = trace
  return {
    schema_version: VERSION,
    ...(own?.trajectory_id === undefined && { session_id: trace.id }),
    agent: present({
      name: 'unknown',
      version: 'unknown',
      model_name: asText(trace.source.generator),
      tool_definitions: tools?.map((tool) => ({ type: 'function', function: tool })),
    }),
    ...own,
    steps,
    ...(usage && {
      final_metrics: present({
        total_prompt_tokens: usage.promptTokens,
        total_completion_tokens: usage.completionTokens,
        total_cached_tokens: usage.cachedTokens,
        total_cost_usd: usage.cost,
        total_steps: steps.length,
        extra: { llm_calls: usage.calls },
      }),
    }),
  }
}

const SOURCES: Record<Message['role'], string> = { system: 'system', user: 'user', assistant: 'agent', tool: 'system' }

function writeStep(message: Message, step_id: number): JsonObject {
  const images = message.parts.some((p) => p.type === 'image')
  const calls = message.parts.flatMap((p) =>
    p.type === 'call' ? [{ tool_call_id: p.id, function_name: p.name, arguments: p.input }] : [],
  )
  const thinking = message.parts.flatMap((p) => (p.type === 'reasoning' ? [p.text] : []))
  return present({
    step_id,
    source: SOURCES[message.role],
    message: images ? message.parts.flatMap(writePart) : textIn(message),
    reasoning_content: thinking.length > 0 ? thinking.join('\n\n') : undefined,
    tool_calls: calls.length > 0 ? calls : undefined,
  })
}

const textIn = (message: Message): string =>
  message.parts.flatMap((p) => (p.type === 'text' ? [p.text] : [])).join('\n\n')

function writePart(part: Part): JsonObject[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }]
  return part.type === 'image' ? [{ type: 'image', source: { media_type: part.mediaType, path: part.path } }] : []
}
