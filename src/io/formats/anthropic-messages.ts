import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, place, type Sample, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, unwrapJson } from './loose.ts'
import { readMessages, readTextOrMessages, readTools } from './messages.ts'
import { looksLikeEvents, readEvents, recordedBody } from './sse.ts'
import { readUsage } from './usage.ts'

const NAME = 'anthropic-messages'

/**
 * Anthropic Messages API: response bodies, request bodies with their history, pairs of both, recorded HTTP exchanges
 * and the text of event streams, whose blocks are joined by index.
 *
 * Results of server tools stand inside the assistant message; usage counts cache tokens as prompt tokens.
 */
export const anthropicMessages: Format = {
  name: NAME,
  summary: 'messages of the Anthropic API: bodies, recordings and event streams',
  home: 'https://docs.anthropic.com/en/api/messages',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => (isStream(sample) ? 1 : Math.max(share(sample, isBody), 0.9 * share(sample, isRequest))),
  read(record, at) {
    const body = bodyOf(record)
    const said = objects(body?.content).length > 0 || Array.isArray(body?.content)
    if (!body || !(said || Array.isArray(body.messages))) {
      const found = asText(asObject(body?.error)?.message) ?? 'no message'
      throw new GradusError('GRD-IO-012', { where: place(at, 'content'), found, expected: 'content or messages' })
    }
    const response = said ? { role: 'assistant', content: body.content } : undefined
    const messages = [
      ...readTextOrMessages(body.system, 'system', at).map((m): Message => ({ ...m, role: 'system' })),
      ...readMessages(body.messages, 'user', at),
      ...(response ? readMessages(response, 'assistant', at) : []),
    ]
    const head = {
      id: asText(body.id) ?? `${at.stem}-${at.line}`,
      generator: asText(body.model) ?? '',
      dataset: NAME,
      usage: readUsage(body.usage),
      extra: others(body, 'content', 'messages', 'system', 'tools', 'type', 'role'),
    }
    return [traceFromConversation({ messages, tools: readTools(body.tools) }, head, at)]
  },
  write: (traces) => traces.map(write),
}

function bodyOf(record: unknown): JsonObject | undefined {
  if (typeof record === 'string') return looksLikeEvents(record) ? joinStream(record) : undefined
  const object = asObject(record)
  if (!object) return undefined
  const recorded = recordedBody(object)
  if (typeof recorded === 'string') {
    return looksLikeEvents(recorded) ? joinStream(recorded) : asObject(unwrapJson(recorded))
  }
  return object.response === undefined ? object : { ...asObject(object.request), ...bodyOf(object.response) }
}

/** The message that an event stream tells; tool input comes as pieces of JSON text, possibly none. */
function joinStream(text: string): JsonObject {
  let message: JsonObject = {}
  const blocks: JsonObject[] = []
  const inputs = new Map<number, string>()
  for (const event of readEvents(text)) {
    const index = asNumber(event.index) ?? 0
    const delta = asObject(event.delta)
    if (event.type === 'message_start') message = { ...asObject(event.message) }
    else if (event.type === 'content_block_start') blocks[index] = { ...asObject(event.content_block) }
    else if (event.type === 'content_block_delta') addDelta(blocks[index], delta, index, inputs)
    else if (event.type === 'message_delta') {
      const usage = { ...asObject(message.usage), ...asObject(event.usage) }
      message = { ...message, ...delta, usage }
    } else if (event.type === 'error') message = { ...message, error: event.error }
  }
  for (const [index, json] of inputs) {
    const block = blocks[index]
    if (block && json !== '') block.input = unwrapJson(json)
  }
  return { ...message, content: blocks.filter((b) => b !== undefined) }
}

function addDelta(
  block: JsonObject | undefined,
  delta: JsonObject | undefined,
  index: number,
  inputs: Map<number, string>,
): void {
  if (!block || !delta) return
  if (delta.type === 'input_json_delta')
    inputs.set(index, (inputs.get(index) ?? '') + anyText(delta.partial_json ?? ''))
  for (const field of ['text', 'thinking', 'signature']) {
    if (typeof delta[field] === 'string') block[field] = `${block[field] ?? ''}${delta[field]}`
  }
}

function isStream(sample: Sample): boolean {
  return sample.container === 'text' && looksLikeEvents(sample.head) && sample.head.includes('message_start')
}

function isBody(record: unknown): boolean {
  const body = bodyOf(record)
  return body?.type === 'message' && body.role === 'assistant' && Array.isArray(body.content)
}

const BLOCK = /^(tool_use|tool_result|thinking|redacted_thinking|server_tool_use)$/

function isRequest(record: unknown): boolean {
  const body = bodyOf(record)
  if (!hasFields(body, 'messages')) return false
  const messages = objects(body?.messages)
  const blocks = messages.flatMap((m) => objects(m.content))
  return blocks.some((b) => BLOCK.test(anyText(b.type))) || (body?.system !== undefined && messages.length > 0)
}

function write(trace: Trace): unknown {
  const { messages, tools } = conversationFromTrace(trace)
  const system = messages.flatMap((m) => (m.role === 'system' ? m.parts : []))
  const own = trace.source.dataset === NAME && trace.extra ? others(trace.extra, 'failedCalls') : undefined
  return {
    ...own,
    ...(system.length > 0 && { system: system.flatMap(writeBlock) }),
    ...(tools && {
      tools: tools.map(({ name, description, parameters }) => ({
        name,
        ...(description !== undefined && { description }),
        input_schema: parameters ?? { type: 'object' },
      })),
    }),
    messages: messages
      .filter((m) => m.role !== 'system')
      .map((m) => ({ role: m.role === 'assistant' ? 'assistant' : 'user', content: m.parts.flatMap(writeBlock) })),
  }
}

/** A content block; a call's input that is no object is put into one. */
export function writeBlock(part: Part): JsonObject[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }]
    case 'reasoning':
      return [{ type: 'thinking', thinking: part.text, signature: '' }]
    case 'call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: asObject(part.input) ?? { input: part.input } }]
    case 'result':
      return [
        { type: 'tool_result', tool_use_id: part.id, content: part.output, ...(part.isError && { is_error: true }) },
      ]
    case 'image':
      return [{ type: 'image', source: writeSource(part.path, part.mediaType) }]
  }
}

function writeSource(path: string, mediaType: string): JsonObject {
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(path)
  return data
    ? { type: 'base64', media_type: data[1], data: data[2] }
    : { type: 'url', url: path, media_type: mediaType }
}
