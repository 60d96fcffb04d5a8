import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import {
  type Conversation,
  conversationFromTrace,
  type Message,
  type Part,
  traceFromConversation,
} from './conversation.ts'
import { type At, type Format, others, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, unwrapJson } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { looksLikeEvents, readEvents, recordedBody } from './sse.ts'
import { readUsage } from './usage.ts'

const NAME = 'openai-chat'

/**
 * Chat completions of OpenAI and compatible providers: `{messages, tools?}` as for fine-tuning, response bodies, pairs
 * of request and response, recorded exchanges, event streams, and bare lists of messages.
 *
 * A body with several choices gives a trace for each; its usage stands with the first. `arguments` are parsed where
 * they are a JSON object.
 */
export const openaiChat: Format = {
  name: NAME,
  summary: 'chat completions with tool calls, of OpenAI and compatible providers',
  home: 'https://platform.openai.com/docs/api-reference/chat',
  container: 'jsonl',
  unit: 'record',
  detect(sample) {
    if (Array.isArray(sample.document) && isChat(sample.document)) return 0.8
    return Math.max(
      share(sample, (r) => isCompletion(received(r))),
      0.8 * share(sample, (r) => isChat(asObject(r)?.messages)),
    )
  },
  oneRecord: (document) => isChat(document),
  read(recorded, at) {
    const record = received(recorded)
    const exchange = asObject(record)
    const body = Array.isArray(record)
      ? { messages: record }
      : { ...asObject(exchange?.request), ...asObject(exchange?.response) }
    const whole: JsonObject = Object.keys(body).length > 0 ? body : (exchange ?? {})
    return readChat(whole, at)
  },
  write: (traces) => traces.map(writeChat),
}

function readChat(body: JsonObject, at: At): Trace[] {
  const asked = readMessages(body.messages, 'user', at)
  const choices = objects(body.choices)
  if (asked.length === 0 && choices.length === 0) {
    throw new GradusError('GRD-IO-006', {
      where: place(at, 'messages'),
      found: 'no messages',
      expected: 'messages or choices',
    })
  }
  const id = asText(body.id) ?? `${at.stem}-${at.line}`
  const extra = others(body, 'messages', 'choices', 'tools')
  const answers: (JsonObject | undefined)[] = choices.length > 0 ? choices : [undefined]
  return answers.map((choice, c) => {
    const messages = [...asked, ...(choice ? readMessages(choice, 'assistant', at) : [])]
    const conversation: Conversation = { messages, tools: readTools(body.tools) }
    const head = { id: c === 0 ? id : `${id}-${c}`, generator: asText(body.model) ?? '', dataset: NAME, extra }
    return traceFromConversation(conversation, { ...head, usage: c === 0 ? readUsage(body.usage) : undefined }, at)
  })
}

/** Parts that only other formats have. */
const FOREIGN =
  /^(tool_use|tool_result|thinking|redacted_thinking|server_tool_use|tool-|dynamic-tool|step-start|reasoning$)/

/** A list of chat messages: every one has a role, none holds the blocks of another format. */
function isChat(list: unknown): boolean {
  if (!Array.isArray(list) || list.length === 0) return false
  return list.every((value) => {
    const message = asObject(value)
    if (typeof message?.role !== 'string' || message.parts !== undefined) return false
    if (message.message_type !== undefined || message.is_demo !== undefined) return false
    return objects(message.content).every((part) => !FOREIGN.test(anyText(part.type)))
  })
}

function isCompletion(record: unknown): boolean {
  const body = asObject(asObject(record)?.response) ?? asObject(record)
  return objects(body?.choices).some((choice) => asObject(choice.message) !== undefined)
}

/** The body of a recorded exchange, or what the chunks of an event stream tell together. */
function received(record: unknown): unknown {
  const object = asObject(record)
  const text = typeof record === 'string' ? record : object && recordedBody(object)
  if (typeof text !== 'string') return record
  return looksLikeEvents(text) ? joinChunks(readEvents(text)) : unwrapJson(text)
}

/** Deltas of the first choice, tool calls joined by index; the last usage counts. */
function joinChunks(chunks: readonly JsonObject[]): JsonObject {
  const message: JsonObject = { role: 'assistant', content: '' }
  const calls: JsonObject[] = []
  const add = (to: JsonObject, field: string, text: unknown): void => {
    if (typeof text === 'string') to[field] = `${to[field] ?? ''}${text}`
  }
  let told = false
  for (const chunk of chunks) {
    const delta = asObject(objects(chunk.choices).find((c) => (c.index ?? 0) === 0)?.delta)
    if (!delta) continue
    told = true
    for (const field of ['content', 'reasoning_content', 'reasoning', 'refusal']) add(message, field, delta[field])
    for (const piece of objects(delta.tool_calls)) {
      const index = asNumber(piece.index) ?? calls.length
      const call = (calls[index] ??= { id: piece.id, type: 'function', function: {} })
      const made = asObject(call.function) ?? {}
      add(made, 'name', asObject(piece.function)?.name)
      add(made, 'arguments', asObject(piece.function)?.arguments)
    }
  }
  if (!told) return {}
  const [first] = chunks
  const usage = chunks.findLast((c) => asObject(c.usage))?.usage
  const whole = calls.filter((c) => c !== undefined)
  return {
    id: first?.id,
    model: first?.model,
    choices: [{ message: { ...message, ...(whole.length > 0 && { tool_calls: whole }) } }],
    ...(usage !== undefined && { usage }),
  }
}

function writeChat(trace: Trace): unknown {
  const { messages, tools } = conversationFromTrace(trace)
  const own = trace.source.dataset === NAME && trace.extra ? others(trace.extra, 'failedCalls') : undefined
  return {
    messages: messages.map(writeChatMessage),
    ...(tools && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    ...own,
  }
}

/** A message with at most one text and one reasoning before its calls; more of them are joined. */
export function writeChatMessage(message: Message): unknown {
  const result = message.parts.find((p) => p.type === 'result')
  if (result) return { role: 'tool', tool_call_id: result.id, content: result.output }
  const name = message.agent === undefined ? {} : { name: message.agent }
  const calls = message.parts.flatMap((p) =>
    p.type === 'call'
      ? [{ id: p.id, type: 'function', function: { name: p.name, arguments: asArguments(p.input) } }]
      : [],
  )
  const thinking = message.parts.flatMap((p) => (p.type === 'reasoning' ? [p.text] : []))
  return {
    role: message.role,
    ...name,
    content: writeContent(message.parts),
    ...(thinking.length > 0 && { reasoning_content: thinking.join('\n\n') }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

function writeContent(parts: readonly Part[]): unknown {
  const blocks = parts.flatMap((p): JsonObject[] => {
    if (p.type === 'text') return [{ type: 'text', text: p.text }]
    if (p.type === 'image') return [{ type: 'image_url', image_url: { url: p.path } }]
    return []
  })
  if (blocks.length === 0) return null
  return blocks.length === 1 && blocks[0]?.type === 'text' ? blocks[0].text : blocks
}

const asArguments = (input: unknown): string => (typeof input === 'string' ? input : (JSON.stringify(input) ?? '{}'))
