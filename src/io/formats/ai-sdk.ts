import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, type Result, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, place, share } from './format.ts'
import { asObject, asText, type JsonObject, objects, pick, present, unwrapJson } from './loose.ts'
import { readMessages } from './messages.ts'
import { call, result } from './messages-parts.ts'
import { looksLikeEvents, readEvents } from './sse.ts'
import { readUsage } from './usage.ts'
import { cannotHold } from './write.ts'
import { pairedResults } from './write-messages.ts'

/**
 * Messages of the AI SDK: stored UI messages with `parts`, and model messages with `tool-call` and `tool-result`
 * content; a list of them or `{messages}`.
 *
 * Written as `{id, model, messages, totalUsage}` of UI messages. Names of agents, definitions of tools and the
 * number of calls have no place.
 */
export const aiSdkMessages: Format = {
  name: 'ai-sdk-messages',
  summary: 'UI messages and model messages of the Vercel AI SDK',
  home: 'https://ai-sdk.dev/docs/reference/ai-sdk-core/model-message',
  container: 'jsonl',
  unit: 'record',
  detect(sample) {
    if (Array.isArray(sample.document))
      return areMessages(sample.document) ? 1 : share(sample, (r) => areMessages(asObject(r)?.messages))
    return share(sample, (r) => areMessages(asObject(r)?.messages) || areMessages(r))
  },
  oneRecord: (document) => areMessages(document),
  read(record, at) {
    const body: JsonObject = Array.isArray(record) ? { messages: record } : (asObject(record) ?? {})
    const messages = readMessages(body.messages, 'user', at)
    if (messages.length === 0)
      throw new GradusError('GRD-IO-006', { where: place(at, 'messages'), found: 'no messages' })
    const head = {
      id: asText(pick(body, 'id', 'chatId')) ?? `${at.stem}-${at.line}`,
      generator: asText(body.model) ?? '',
      dataset: 'ai-sdk-messages',
      usage: readUsage(pick(body, 'totalUsage', 'usage')),
    }
    return [traceFromConversation({ messages }, head, at)]
  },
  write: (traces) => traces.map(writeMessages),
}

const UI_PART = /^(text|reasoning|file|source-url|source-document|step-start|dynamic-tool|tool-.+|data-.+)$/

function areMessages(list: unknown): boolean {
  if (!Array.isArray(list) || list.length === 0 || !list.every((m) => hasFields(m, 'role'))) return false
  const messages = objects(list)
  const ui = messages.every((m) => Array.isArray(m.parts) && objects(m.parts).every(isUiPart))
  return ui || messages.some((m) => objects(m.content).some((p) => /^tool-(call|result)$/.test(anyText(p.type))))
}

function writeMessages(trace: Trace): unknown {
  const { messages } = conversationFromTrace(trace)
  const { results, orphan } = pairedResults(messages)
  if (orphan) throw cannotHold(trace, 'ai-sdk-messages', 'a result without its call', 'results of calls only')
  const { usage } = trace
  return present<JsonObject>({
    id: trace.id,
    model: asText(trace.source.generator),
    messages: messages
      .filter((m) => m.role !== 'tool')
      .map((m, i) => ({
        id: `message-${i}`,
        role: m.role,
        parts: m.parts.map((part) => writeUiPart(part, results)),
      })),
    totalUsage: usage && {
      inputTokens: usage.promptTokens,
      outputTokens: usage.completionTokens,
      cachedInputTokens: usage.cachedTokens,
    },
  })
}

function writeUiPart(part: Part, results: ReadonlyMap<Part, Result>): JsonObject {
  if (part.type === 'image') return { type: 'file', mediaType: part.mediaType, url: part.path }
  if (part.type === 'result') return { type: 'text', text: part.output }
  if (part.type !== 'call') return { type: part.type, text: part.text }
  const result = results.get(part)
  const state = result?.isError ? 'output-error' : result ? 'output-available' : 'input-available'
  return present<JsonObject>({
    type: 'dynamic-tool',
    toolName: part.name,
    toolCallId: part.id,
    state,
    input: part.input,
    output: result?.isError ? undefined : result?.output,
    errorText: result?.isError ? result.output : undefined,
  })
}

/** GenAI parts have the same types, but keep their text under `content`. */
const isUiPart = (part: JsonObject): boolean => UI_PART.test(anyText(part.type)) && part.content === undefined

/**
 * The UI message stream of the AI SDK: a list of stream parts, or their server-sent events.
 *
 * Text and tool input come as deltas that are joined by id; where `tool-input-available` is missing, the joined deltas
 * are the input. Each `start-step` begins a message. A stream that stops at an approval request leaves its call open.
 *
 * Written without deltas smaller than a text, one stream a file. It holds what the model and its tools say: prompt,
 * context, model and number of calls have no place; a trace in which others speak cannot be held.
 */
export const aiSdkStream: Format = {
  name: 'ai-sdk-stream',
  summary: 'UI message streams of the Vercel AI SDK',
  home: 'https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol',
  container: 'json',
  unit: 'record',
  detect(sample) {
    if (sample.container === 'text') return looksLikeEvents(sample.head) && isStream(readEvents(sample.head)) ? 1 : 0
    return Array.isArray(sample.document) && isStream(sample.document) ? 1 : 0
  },
  oneRecord: (document) => isStream(document),
  read(record, at) {
    const parts = typeof record === 'string' ? readEvents(record) : objects(record)
    const messages = joinParts(parts, at)
    if (messages.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at), found: 'a stream without content' })
    const usage = readUsage(asObject(parts.findLast((p) => p.type === 'finish')?.messageMetadata)?.totalUsage)
    const id = asText(parts.find((p) => p.type === 'start')?.messageId) ?? `${at.stem}-${at.line}`
    return [traceFromConversation({ messages }, { id, generator: '', dataset: 'ai-sdk-stream', usage }, at)]
  },
  single: true,
  write: (traces) => traces.flatMap(writeStream),
}

const STREAM_PART =
  /^(start|finish|start-step|finish-step|abort|error|file|(text|reasoning)-(start|delta|end)|tool-.+|source-.+|data-.+|message-metadata)$/

function isStream(list: readonly unknown[]): boolean {
  const parts = objects(list)
  if (parts.length !== list.length || parts.length === 0) return false
  return (
    parts.every((p) => STREAM_PART.test(anyText(p.type)) && !('role' in p)) &&
    parts.some((p) => /^(start|start-step|text-start)$/.test(anyText(p.type)))
  )
}

type Spoken = Extract<Part, { type: 'text' | 'reasoning' }>

function joinParts(stream: readonly JsonObject[], at: At): Message[] {
  const messages: Message[] = [{ role: 'assistant', parts: [] }]
  const open = new Map<string, Spoken>()
  const calls = new Map<unknown, Extract<Part, { type: 'call' }>>()
  const typed = new Map<unknown, string>()
  const push = (part: Part): void => {
    messages.at(-1)?.parts.push(part)
  }
  for (const p of stream) {
    const [, kind, moment] = /^(text|reasoning)-(start|delta|end)$/.exec(anyText(p.type)) ?? []
    const key = `${kind} ${anyText(p.id)}`
    if (kind === 'text' || kind === 'reasoning') {
      const part = moment === 'start' ? ({ type: kind, text: '' } as Spoken) : open.get(key)
      if (moment === 'start' && part) {
        open.set(key, part)
        push(part)
      } else if (moment === 'delta' && part) part.text += anyText(p.delta ?? '')
      else if (moment === 'end') open.delete(key)
    } else if (p.type === 'start-step') messages.push({ role: 'assistant', parts: [] })
    else if (p.type === 'tool-input-delta')
      typed.set(p.toolCallId, (typed.get(p.toolCallId) ?? '') + anyText(p.inputTextDelta ?? ''))
    else if (/^tool-input-(start|available|error)$/.test(anyText(p.type))) {
      const known = calls.get(p.toolCallId)
      const made = known ?? call(p.toolCallId, p.toolName, undefined)
      if (!known) push(made)
      calls.set(p.toolCallId, made)
      if (p.input !== undefined) made.input = p.input
      typed.set(p.toolCallId, p.input === undefined ? (typed.get(p.toolCallId) ?? '') : '')
      if (p.type === 'tool-input-error') push(result(p.toolCallId, p.toolName, p.errorText, true))
    } else if (p.type === 'tool-output-available' && p.preliminary !== true)
      push(result(p.toolCallId, undefined, p.output))
    else if (p.type === 'tool-output-error') push(result(p.toolCallId, undefined, p.errorText, true))
    else if (p.type === 'tool-output-denied') push(result(p.toolCallId, undefined, 'denied', true))
    else if (p.type === 'tool-approval-request') at.odd('approval asked', anyText(p.toolCallId))
    else if (p.type === 'error') at.odd('error in the stream', asText(p.errorText) ?? '')
  }
  for (const [id, text] of typed) {
    const made = calls.get(id)
    if (made && text !== '') made.input = unwrapJson(text)
  }
  return messages.filter((m) => m.parts.length > 0)
}

function writeStream(trace: Trace): JsonObject[] {
  if (trace.steps.some((s) => s.kind === 'observation' && !s.action))
    throw cannotHold(trace, 'ai-sdk-stream', 'a turn of someone else between the steps', "the model's own steps only")
  const { usage } = trace
  const { messages } = conversationFromTrace({ ...trace, problem: { id: trace.problem.id, prompt: '' } })
  let number = 0
  return [
    { type: 'start', messageId: trace.id },
    ...messages.flatMap(({ role, parts }): JsonObject[] => {
      const told = parts.flatMap((part) => writeStreamPart(part, `${number++}`))
      return role === 'assistant' ? [{ type: 'start-step' }, ...told, { type: 'finish-step' }] : told
    }),
    present<JsonObject>({
      type: 'finish',
      messageMetadata: usage && {
        totalUsage: {
          inputTokens: usage.promptTokens,
          outputTokens: usage.completionTokens,
          cachedInputTokens: usage.cachedTokens,
        },
      },
    }),
  ]
}

function writeStreamPart(part: Part, id: string): JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return [
        { type: `${part.type}-start`, id },
        { type: `${part.type}-delta`, id, delta: part.text },
        { type: `${part.type}-end`, id },
      ]
    case 'call':
      return [{ type: 'tool-input-available', toolCallId: part.id, toolName: part.name, input: part.input }]
    case 'result':
      return part.isError
        ? [{ type: 'tool-output-error', toolCallId: part.id, errorText: part.output }]
        : [{ type: 'tool-output-available', toolCallId: part.id, output: part.output }]
    case 'image':
      return []
  }
}
