import { GradusError } from '../../core/errors.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { writeBlock } from './anthropic-messages.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type At, type Format, place, share } from './format.ts'
import { asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages } from './messages.ts'
import { call, readPart, result } from './messages-parts.ts'
import { readUsage, totalUsage } from './usage.ts'
import { cannotHold } from './write.ts'
import { objectInput, withoutSystem } from './write-messages.ts'

/**
 * Anthropic managed-agent sessions: lines `[method, payload]` of the client's calls and of the event stream.
 *
 * An event that was sent comes back on the stream; the stream's copy counts. Usage is summed over the model requests;
 * the session's own total repeats it.
 *
 * Written as the stream of one session a file, all calls as those of custom tools. Names of agents, definitions of
 * tools, costs and the number of calls have no place, input that is no object is put into one; a trace with two calls
 * of the same id cannot be held.
 */
export const anthropicManagedAgents: Format = {
  name: 'anthropic-managed-agents',
  summary: 'sessions of Anthropic managed agents: client calls and event stream',
  home: 'https://docs.anthropic.com/en/api/beta/sessions',
  container: 'jsonl',
  unit: 'document',
  detect: (sample) => share(sample, isLine),
  read(record, at) {
    const lines = (record as unknown[]).filter(isLine) as [string, unknown][]
    const created = asObject(lines.find(([method]) => method.endsWith('sessions.create'))?.[1])
    const agent = asObject(created?.agent)
    const messages: Message[] = []
    const system = asText(agent?.system)
    if (system !== undefined) messages.push({ role: 'system', parts: [{ type: 'text', text: system }] })
    const usage = new Map<string, Usage | undefined>()
    for (const event of eventsOf(lines)) {
      const id = asText(event.id)
      if (event.type === 'span.model_request_end') usage.set(id ?? `${usage.size}`, readUsage(event.model_usage))
      const message = readEvent(event, at)
      if (message) messages.push({ ...message, ...(id !== undefined && { origin: id }) })
    }
    if (messages.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at), found: 'no events of a session' })
    const head = {
      id: asText(created?.id) ?? at.stem,
      generator: asText(asObject(agent?.model)?.id) ?? '',
      dataset: 'anthropic-managed-agents',
      usage: totalUsage([...usage.values()]),
    }
    return [traceFromConversation({ messages }, head, at)]
  },
  single: true,
  write: (traces) => traces.flatMap(write),
}

const isLine = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && value[0].includes('sessions')

/** Events in order, each once: what was sent stays out where the stream shows it too. */
function eventsOf(lines: readonly [string, unknown][]): JsonObject[] {
  const streamed = new Map<string, number>()
  const seen = new Set<string>()
  for (const [method, payload] of lines) {
    const event = method.endsWith('.stream') ? asObject(payload) : undefined
    if (event) streamed.set(contentKey(event), (streamed.get(contentKey(event)) ?? 0) + 1)
  }
  return lines.flatMap(([method, payload]) => {
    if (method.endsWith('.stream')) {
      const event = asObject(payload)
      if (!event || (typeof event.id === 'string' && seen.has(event.id))) return []
      if (typeof event.id === 'string') seen.add(event.id)
      return [event]
    }
    if (!method.endsWith('.send') || !Array.isArray(payload)) return []
    return payload
      .flatMap((part) => objects(asObject(part)?.events))
      .filter((event) => {
        const left = streamed.get(contentKey(event)) ?? 0
        if (left > 0) streamed.set(contentKey(event), left - 1)
        return left === 0
      })
  })
}

function contentKey(event: JsonObject): string {
  const { type, content, custom_tool_use_id, tool_use_id, result: outcome } = event
  const texts = objects(content).map((block) => [block.type, block.text])
  return JSON.stringify([type, texts, custom_tool_use_id ?? tool_use_id ?? null, outcome ?? null])
}

function readEvent(event: JsonObject, at: At): Message | undefined {
  const failed = event.is_error === true || undefined
  switch (event.type) {
    case 'user.message':
      return readMessages({ role: 'user', content: event.content }, 'user', at)[0]
    case 'agent.message':
      return readMessages({ role: 'assistant', content: event.content }, 'assistant', at)[0]
    case 'agent.thinking':
      return { role: 'assistant', parts: [{ type: 'reasoning', text: thinkingOf(event, at) }] }
    case 'agent.tool_use':
    case 'agent.custom_tool_use':
    case 'agent.mcp_tool_use':
      return { role: 'assistant', parts: [call(event.id, event.name, event.input)] }
    case 'agent.tool_result':
      return { role: 'tool', parts: [result(event.tool_use_id, undefined, event.content, failed)] }
    case 'agent.mcp_tool_result':
      return { role: 'tool', parts: [result(event.mcp_tool_use_id, undefined, event.content, failed)] }
    case 'user.custom_tool_result':
      return { role: 'tool', parts: [result(event.custom_tool_use_id, undefined, event.content, failed)] }
    default:
      return undefined
  }
}

function thinkingOf(event: JsonObject, at: At): string {
  return objects(event.content)
    .flatMap((block) => readPart(block, 'assistant', at))
    .map((part) => ('text' in part ? part.text : ''))
    .join('\n')
}

function write(trace: Trace): [string, unknown][] {
  const ids = trace.steps.flatMap((s) => s.action?.id ?? [])
  if (new Set(ids).size !== ids.length)
    throw cannotHold(trace, 'anthropic-managed-agents', 'two calls of the same id', 'an id of its own for each call')
  const { system, turns } = withoutSystem(conversationFromTrace(trace).messages)
  const { usage } = trace
  const agent = present<JsonObject>({
    type: 'agent',
    model: { id: trace.source.generator },
    system: system.length > 0 ? system.join('\n\n') : undefined,
  })
  const events = turns.flatMap((m) => m.parts.map((part) => writeEvent(part, m.role)))
  if (usage) {
    const model_usage = {
      input_tokens: usage.promptTokens - usage.cachedTokens,
      cache_read_input_tokens: usage.cachedTokens,
      output_tokens: usage.completionTokens,
    }
    events.push({ type: 'span.model_request_end', model_usage })
  }
  return [
    ['client.beta.sessions.create', { id: trace.id, type: 'session', agent }],
    ...events.map((event, i): [string, unknown] => [
      'client.beta.sessions.events.stream',
      { id: `event-${i}`, ...event },
    ]),
  ]
}

function writeEvent(part: Part, role: Message['role']): JsonObject {
  switch (part.type) {
    case 'reasoning':
      return { type: 'agent.thinking', content: [{ type: 'text', text: part.text }] }
    case 'call':
      return present<JsonObject>({
        type: 'agent.custom_tool_use',
        id: part.id,
        name: part.name,
        input: objectInput(part.input),
      })
    case 'result':
      return present<JsonObject>({
        type: 'user.custom_tool_result',
        custom_tool_use_id: part.id,
        content: [{ type: 'text', text: part.output }],
        is_error: part.isError,
      })
    default:
      return { type: role === 'assistant' ? 'agent.message' : 'user.message', content: writeBlock(part) }
  }
}
