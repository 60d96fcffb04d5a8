import { anyText } from '../../core/unknown.ts'
import type { Message, Part } from './conversation.ts'
import type { At } from './format.ts'
import { asList, asObject, asText, type JsonObject, pick, present, unwrapJson } from './loose.ts'

type CallPart = Extract<Part, { type: 'call' }>
type ResultPart = Extract<Part, { type: 'result' }>

/** One content block of a message, in any dialect; none for blocks that say nothing (step marks, signatures). */
export function readPart(value: unknown, role: Message['role'], at: At): Part[] {
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }]
  const part = asObject(value)
  if (!part) return []
  const type = anyText(part.type ?? '')
  return (type === '' ? readUntyped(part, at) : readTyped(type, part, at)) ?? unknownPart(type, part, role, at)
}

function readTyped(type: string, part: JsonObject, at: At): Part[] | undefined {
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
    case 'refusal':
    case 'compaction':
      return text(pick(part, 'text', 'content', 'refusal'))
    case 'thinking':
    case 'reasoning':
      return [{ type: 'reasoning', text: thinkingText(part) }]
    case 'redacted_thinking':
    case 'redacted-reasoning':
      return [{ type: 'reasoning', text: '' }]
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return [call(part.id, part.name, part.input)]
    case 'tool_call':
      return [call(part.id, part.name, readArguments(part.arguments, at))]
    case 'tool-call':
      return [call(part.toolCallId, part.toolName, pick(part, 'input', 'args'))]
    case 'tool-result':
      return [sdkResult(part)]
    case 'tool_call_response':
      return [result(part.id, undefined, pick(part, 'response', 'result'))]
    case 'image_url':
    case 'image':
    case 'input_image':
    case 'file':
    case 'uri':
      return image(part)
    case 'step-start':
    case 'fallback':
      return []
  }
  if (type.endsWith('tool_result')) return [anthropicResult(part)]
  if (type.startsWith('tool-') || type === 'dynamic-tool') return sdkTool(type, part)
  return undefined
}

/** Gemini's and Bedrock's blocks are told apart by their members. */
function readUntyped(part: JsonObject, at: At): Part[] | undefined {
  const used = asObject(part.toolUse)
  if (used) return [call(used.toolUseId, used.name, used.input)]
  const returned = asObject(part.toolResult)
  if (returned) {
    const failed = returned.status === 'error' || undefined
    return [result(returned.toolUseId, undefined, returned.content, failed)]
  }
  const thought = asObject(part.reasoningContent)
  if (thought) return [{ type: 'reasoning', text: textOf(asObject(thought.reasoningText)?.text) }]
  const called = asObject(pick(part, 'functionCall', 'function_call'))
  if (called) return [call(called.id, called.name, readArguments(called.args, at))]
  const response = asObject(pick(part, 'functionResponse', 'function_response'))
  if (response) return [geminiResult(response)]
  if (typeof part.text === 'string') {
    return part.thought === true ? [{ type: 'reasoning', text: part.text }] : text(part.text)
  }
  if (part.thoughtSignature !== undefined || part.cachePoint !== undefined) return []
  return undefined
}

function unknownPart(type: string, part: JsonObject, role: Message['role'], at: At): Part[] {
  at.odd('unknown part', type === '' ? Object.keys(part).slice(0, 4).join(', ') : type)
  const said = asText(pick(part, 'text', 'content'))
  return said === undefined || role === 'tool' ? [] : text(said)
}

function text(value: unknown): Part[] {
  const said = textOf(value)
  return said === '' ? [] : [{ type: 'text', text: said }]
}

/** Thinking as a text, as a list of texts (Mistral), or as a summary (OpenAI); empty where it is encrypted. */
export function thinkingText(part: JsonObject): string {
  const said = pick(part, 'thinking', 'reasoning', 'text', 'content')
  if (typeof said === 'string') return said
  const lists = [said, part.summary].map((list) => asList(list).map(textOf).join('\n\n'))
  return lists.find((joined) => joined !== '') ?? ''
}

export function call(id: unknown, name: unknown, input: unknown): CallPart {
  return present<CallPart>({ type: 'call', name: asText(name) ?? 'unknown', input: input ?? {}, id: asText(id) })
}

export function result(id: unknown, name: unknown, output: unknown, isError?: boolean | undefined): ResultPart {
  return present<ResultPart>({ type: 'result', output: textOf(output), id: asText(id), name: asText(name), isError })
}

function anthropicResult(part: JsonObject): ResultPart {
  const inner = asObject(part.content)
  const failed = part.is_error === true || anyText(inner?.type ?? '').endsWith('_error') || undefined
  return result(part.tool_use_id, undefined, part.content, failed)
}

/** Gemini wraps a text answer as `{output}` or `{error}`. */
function geminiResult(response: JsonObject): ResultPart {
  const body = asObject(response.response)
  const error = body && 'error' in body
  const only = body && Object.keys(body).length === 1 ? pick(body, 'output', 'result', 'error') : undefined
  return result(response.id, response.name, only ?? response.response, error || undefined)
}

function sdkResult(part: JsonObject): ResultPart {
  const output = asObject(part.output)
  const failed = part.isError === true || /^error-/.test(anyText(output?.type ?? '')) || undefined
  const said = output && 'type' in output && 'value' in output ? output.value : pick(part, 'output', 'result')
  return result(part.toolCallId, part.toolName, said, failed)
}

/** A tool part of a UI message holds the call and, once there, its output or error. */
function sdkTool(type: string, part: JsonObject): Part[] {
  const name = asText(part.toolName) ?? type.replace(/^tool-/, '')
  const parts: Part[] = [call(part.toolCallId, name, unwrapJson(pick(part, 'input', 'args')))]
  if (part.errorText !== undefined) parts.push(result(part.toolCallId, name, part.errorText, true))
  else if (part.output !== undefined) parts.push(result(part.toolCallId, name, part.output))
  return parts
}

function image(part: JsonObject): Part[] {
  const source = asObject(part.source)
  const url = asObject(part.image_url)
  const data = asText(source?.data)
  const mediaType =
    asText(pick(source, 'media_type')) ??
    asText(pick(part, 'mediaType', 'media_type', 'mimeType', 'mime_type')) ??
    'image'
  const path =
    asText(pick(source, 'path', 'url')) ??
    asText(pick(url, 'url')) ??
    asText(pick(part, 'image_url', 'image', 'url', 'uri')) ??
    (data === undefined ? undefined : `data:${mediaType};base64,${data}`)
  return path === undefined ? [] : [{ type: 'image', path, mediaType }]
}

/** JSON text of an object becomes the object; text that is not JSON stays and is counted. */
export function readArguments(value: unknown, at: At): unknown {
  if (typeof value !== 'string') return value ?? {}
  if (value.trim() === '') return {}
  const inner = unwrapJson(value)
  if (typeof inner === 'string') at.odd('arguments are not JSON', value.slice(0, 60))
  return inner
}

/** The text of a content value: text as it is, text blocks joined by line ends, anything else as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) {
    return value.every((v) => typeof v === 'string' || isTextBlock(v))
      ? value.map(textOf).join('\n')
      : JSON.stringify(value)
  }
  const object = asObject(value)
  if (object && isTextBlock(object)) return textOf(pick(object, 'text', 'content', 'value'))
  return JSON.stringify(value)
}

function isTextBlock(value: unknown): boolean {
  const object = asObject(value)
  if (!object) return false
  if (object.type === undefined) return typeof object.text === 'string' && Object.keys(object).length === 1
  if (object.type === 'json') return 'value' in object
  return /^(text|input_text|output_text|summary_text|reasoning_text|error-text)$/.test(anyText(object.type))
}
