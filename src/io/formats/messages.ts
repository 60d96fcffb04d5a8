import { anyText, entryOf } from '../../core/unknown.ts'
import type { Message, Part, Tool } from './conversation.ts'
import type { At } from './format.ts'
import { asList, asObject, asText, type JsonObject, objects, pick, present, unwrapJson } from './loose.ts'
import { readItem } from './messages-items.ts'
import { readArguments, readPart, textOf } from './messages-parts.ts'

const ROLES: Record<string, Message['role']> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  input: 'user',
  assistant: 'assistant',
  ai: 'assistant',
  model: 'assistant',
  agent: 'assistant',
  gemini: 'assistant',
  tool: 'tool',
  function: 'tool',
}

/**
 * Messages in any provider's or tracer's dialect: OpenAI chat and Responses items, Anthropic blocks, Gemini contents,
 * Bedrock, Cohere, GenAI semantic-convention parts, AI SDK messages, LangChain messages, and bodies around them
 * (`messages`, `choices`, `candidates`, `output`, `contents`), also as JSON inside a text.
 * @param role of text that does not say who spoke
 */
export function readMessages(value: unknown, role: Message['role'], at: At): Message[] {
  const inner = unwrapJson(value)
  if (typeof inner === 'string') return inner === '' ? [] : [{ role, parts: [{ type: 'text', text: inner }] }]
  if (Array.isArray(inner)) {
    if (inner.length > 0 && inner.every(isBlock)) return [{ role, parts: inner.flatMap((b) => readPart(b, role, at)) }]
    return inner.flatMap((element) => readMessages(element, role, at))
  }
  const object = asObject(inner)
  return object ? readObject(object, role, at) : []
}

/** As `readMessages` for a field that is text or messages: its text is never taken for JSON. */
export function readTextOrMessages(value: unknown, role: Message['role'], at: At): Message[] {
  if (typeof value !== 'string') return readMessages(value, role, at)
  return value === '' ? [] : [{ role, parts: [{ type: 'text', text: value }] }]
}

/** Tool definitions in OpenAI's, Anthropic's or Gemini's shape. */
export function readTools(value: unknown): Tool[] {
  return asList(unwrapJson(value)).flatMap((element): Tool[] => {
    const outer = asObject(unwrapJson(element))
    if (!outer) return []
    const declared = objects(pick(outer, 'functionDeclarations', 'function_declarations'))
    if (declared.length > 0) return readTools(declared)
    const tool = asObject(outer.function) ?? outer
    const name = asText(tool.name)
    if (name === undefined) return []
    const parameters = pick(tool, 'parameters', 'input_schema', 'inputSchema', 'parametersJsonSchema')
    return [present<Tool>({ name, description: asText(tool.description), parameters })]
  })
}

function readObject(object: JsonObject, role: Message['role'], at: At): Message[] {
  const item = readItem(object, at) ?? responseBody(object, at)
  if (item) return item
  const roleName =
    typeof object.role === 'string' ? object.role : LANGCHAIN_TYPE.test(anyText(object.type)) ? object.type : undefined
  if (typeof roleName === 'string') return [readMessage(object, entryOf(ROLES, roleName.toLowerCase()) ?? role, at)]
  for (const [name, of] of BODIES) {
    const inner = object[name]
    if (inner === undefined || inner === null) continue
    const before = of === 'user' ? systemOf(object, at) : []
    return [...before, ...readMessages(inner, of ?? role, at)]
  }
  if (hasContent(object)) return [readMessage(object, role, at)]
  return []
}

/** Items of the Responses API, which are messages of their own. */
const ITEM_TYPE = /^(message|program|item_reference|mcp_list_tools|mcp_approval_.*)$|_call(_output)?$|_output$/

const LANGCHAIN_TYPE = /^(human|ai|system|tool|function)$/

/** Members that hold the messages of a request or response, and who speaks there if nobody says. */
const BODIES: [string, Message['role'] | undefined][] = [
  ['message', 'assistant'],
  ['messages', 'user'],
  ['choices', 'assistant'],
  ['candidates', 'assistant'],
  ['generations', 'assistant'],
  ['contents', 'user'],
  ['new_message', 'user'],
  ['kwargs', undefined],
]

const hasContent = (o: JsonObject): boolean =>
  ['content', 'parts', 'tool_calls', 'text'].some((name) => o[name] !== undefined && o[name] !== null)

/** A content block rather than a message. */
function isBlock(value: unknown): boolean {
  const object = asObject(value)
  if (!object || typeof object.role === 'string') return false
  return typeof object.type === 'string'
    ? !LANGCHAIN_TYPE.test(object.type) && !ITEM_TYPE.test(object.type)
    : typeof object.text === 'string' || 'functionCall' in object || 'toolUse' in object
}

function systemOf(body: JsonObject, at: At): Message[] {
  const system =
    pick(body, 'system', 'system_instruction', 'systemInstruction') ?? asObject(body.config)?.system_instruction
  return system === undefined ? [] : readMessages(system, 'system', at).map((m) => ({ ...m, role: 'system' }))
}

/** One message that says who speaks. */
function readMessage(object: JsonObject, role: Message['role'], at: At): Message {
  const written = writtenCalls(object.content, at)
  if (written) return { role: 'assistant', parts: written }
  const name = asText(pick(object, 'name', 'agent', 'sender'))
  const body = role === 'tool' ? toolParts(object, at) : [...thinkingOf(object), ...bodyParts(object, role, at)]
  const parts = role === 'tool' ? body : [...body, ...callsOf(object, at)]
  return { role, parts, ...(name !== undefined && role !== 'tool' && { agent: name }) }
}

function bodyParts(object: JsonObject, role: Message['role'], at: At): Part[] {
  const content = pick(object, 'parts', 'content', 'text', 'refusal')
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (Array.isArray(content)) return content.flatMap((part) => readPart(part, role, at))
  const inner = asObject(content)
  if (!inner) return []
  return Array.isArray(inner.parts) ? bodyParts(inner, role, at) : readPart(inner, role, at)
}

/** Reasoning that OpenAI-compatible servers put beside the content; Cohere's plan before its calls. */
function thinkingOf(object: JsonObject): Part[] {
  const thinking = asText(pick(object, 'reasoning_content', 'reasoning'))
  const plan = asText(object.tool_plan)
  return [
    ...(thinking === undefined ? [] : [{ type: 'reasoning', text: thinking } satisfies Part]),
    ...(plan === undefined ? [] : [{ type: 'text', text: plan } satisfies Part]),
  ]
}

/** Koog writes calls as JSON text, also into messages of a tool: `[{"id": ..., "function": {name, arguments}}]`. */
function writtenCalls(content: unknown, at: At): Part[] | undefined {
  if (typeof content !== 'string' || !content.startsWith('[{')) return undefined
  const calls = asList(unwrapJson(content))
  const all = calls.length > 0 && calls.every((c) => typeof asObject(asObject(c)?.function)?.arguments === 'string')
  return all ? callsOf({ tool_calls: calls }, at) : undefined
}

function callsOf(object: JsonObject, at: At): Part[] {
  const beside = asObject(object.additional_kwargs)
  const calls = asList(pick(object, 'tool_calls', 'toolCalls'))
  const listed = calls.length > 0 ? calls : asList(beside?.tool_calls)
  const single = asObject(object.function_call)
  return [...listed, ...(single ? [{ function: single }] : [])].flatMap((value): Part[] => {
    const call = asObject(value)
    if (!call) return []
    const inner = asObject(call.function) ?? call
    const name = asText(pick(inner, 'name', 'toolName')) ?? asText(call.function)
    if (name === undefined) {
      at.odd('call without a name')
      return []
    }
    const input = readArguments(pick(inner, 'arguments', 'args', 'input'), at)
    return [
      present<Extract<Part, { type: 'call' }>>({
        type: 'call',
        name,
        input,
        id: asText(pick(call, 'id', 'toolCallId')),
      }),
    ]
  })
}

function toolParts(object: JsonObject, at: At): Part[] {
  const parts = asList(pick(object, 'parts', 'content')).flatMap((part) => {
    const read = readPart(part, 'tool', at)
    return read.filter((p) => p.type === 'result')
  })
  if (parts.length > 0) return parts
  const content = pick(object, 'content', 'parts', 'output', 'response')
  // LangChain's tracer lists the tools' definitions among the messages
  if (asObject(content)?.type === 'function' && object.tool_call_id === undefined) return []
  const output = textOf(content)
  const id = asText(pick(object, 'tool_call_id', 'toolCallId', 'call_id')) ?? asText(asList(object.tool_call_ids)[0])
  const name = asText(pick(object, 'name', 'function'))
  const isError = object.status === 'error' || (object.error !== undefined && object.error !== null) || undefined
  return [present<Extract<Part, { type: 'result' }>>({ type: 'result', output, id, name, isError })]
}

/** `{output: [...items]}` of a response, or Bedrock's `{output: {message}}`. */
function responseBody(body: JsonObject, at: At): Message[] | undefined {
  if (body.role !== undefined) return undefined
  const bedrock = asObject(asObject(body.output)?.message)
  if (bedrock) return readMessages(bedrock, 'assistant', at)
  const items = objects(body.output)
  if (items.length === 0 || !items.every((i) => typeof i.type === 'string')) return undefined
  return items.flatMap((i) => readMessages(i, 'assistant', at))
}
