import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, place, share } from './format.ts'
import { asList, asObject, asText, type JsonObject, objects, present, unwrapJson } from './loose.ts'
import { readMessages, readTextOrMessages, readTools } from './messages.ts'
import { looksLikeEvents, readEvents, recordedBody } from './sse.ts'
import { readUsage } from './usage.ts'
import { cannotHold } from './write.ts'
import { asArguments, functionTool, ownExtra, withoutSystem } from './write-messages.ts'

const NAME = 'openai-responses'

/**
 * OpenAI Responses API: a response object, or a pair of request and response; each output item is a message of its own
 * and its number in the list of items is the origin.
 *
 * Written as `{request, response}`: the output is what comes after the last input of user or tool. Names of agents
 * and the number of calls have no place.
 */
export const openaiResponses: Format = {
  name: NAME,
  summary: 'responses of the OpenAI Responses API with function, custom, shell and hosted tools',
  home: 'https://platform.openai.com/docs/api-reference/responses',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isResponse(asObject(r)?.response) || isResponse(received(r))),
  read(record, at) {
    const exchange = asObject(received(record)) ?? {}
    const body: JsonObject = isResponse(exchange)
      ? exchange
      : { ...asObject(exchange.request), ...asObject(exchange.response) }
    if (asList(body.output).length === 0) {
      const failure = asText(asObject(body.error)?.message)
      throw new GradusError('GRD-IO-012', { where: place(at, 'output'), found: failure ?? 'a response without output' })
    }
    const messages: Message[] = [
      ...readTextOrMessages(body.instructions, 'system', at),
      ...readTextOrMessages(body.input, 'user', at),
      ...readMessages(body.output, 'assistant', at),
    ]
    const listed = objects(body.output).flatMap((item) => (item.type === 'mcp_list_tools' ? asList(item.tools) : []))
    const head = {
      id: asText(body.id) ?? `${at.stem}-${at.line}`,
      generator: asText(body.model) ?? '',
      dataset: NAME,
      usage: readUsage(body.usage),
      extra: others(body, 'input', 'output', 'tools', 'instructions'),
    }
    return [traceFromConversation({ messages, tools: [...readTools(body.tools), ...readTools(listed)] }, head, at)]
  },
  write: (traces) => traces.map(write),
}

function isResponse(value: unknown): boolean {
  if (!hasFields(value, 'output')) return false
  const body = asObject(value)
  if (body?.object === 'response') return true
  return typeof body?.id === 'string' && /^resp_/.test(body.id) && Array.isArray(body.output)
}

/** The response of a recorded exchange or of an event stream, whose last event holds it whole. */
function received(record: unknown): unknown {
  const object = asObject(record)
  const text = typeof record === 'string' ? record : object && recordedBody(object)
  if (typeof text !== 'string') return record
  if (!looksLikeEvents(text)) return unwrapJson(text)
  return readEvents(text).findLast((event) => /^response\.(completed|incomplete|failed)$/.test(anyText(event.type)))
    ?.response
}

function write(trace: Trace): unknown {
  const { messages, tools } = conversationFromTrace(trace)
  const { system, turns } = withoutSystem(messages)
  const done = turns.findLastIndex((m) => m.role !== 'assistant') + 1
  const answered = done < turns.length ? done : turns.findLastIndex((m) => m.role === 'assistant')
  if (answered < 0) throw cannotHold(trace, NAME, 'nothing that a model said', 'a thought, a call or an answer')
  const { usage } = trace
  const own = ownExtra(trace, NAME)
  return {
    request: present<JsonObject>({
      input: [
        ...system.map((text) => message('system', { type: 'input_text', text })),
        ...items(turns.slice(0, answered)),
      ],
      tools: tools?.map((tool) => ({ type: 'function', ...functionTool(tool) })),
    }),
    response: {
      ...own,
      id: own?.id ?? trace.id,
      object: 'response',
      model: trace.source.generator,
      output: items(turns.slice(answered)),
      ...(usage && {
        usage: {
          input_tokens: usage.promptTokens,
          input_tokens_details: { cached_tokens: usage.cachedTokens },
          output_tokens: usage.completionTokens,
        },
      }),
    },
  }
}

const items = (messages: readonly Message[]): JsonObject[] =>
  messages.flatMap((m) => m.parts.map((part) => writeItem(part, m.role)))

const message = (role: string, ...content: JsonObject[]): JsonObject => ({ type: 'message', role, content })

/** An item of input or output. */
export function writeItem(part: Part, role: Message['role']): JsonObject {
  switch (part.type) {
    case 'text':
      return message(role, { type: role === 'assistant' ? 'output_text' : 'input_text', text: part.text })
    case 'reasoning':
      return { type: 'reasoning', summary: [{ type: 'summary_text', text: part.text }] }
    case 'call':
      return typeof part.input === 'string'
        ? { type: 'custom_tool_call', call_id: part.id, name: part.name, input: part.input }
        : { type: 'function_call', call_id: part.id, name: part.name, arguments: asArguments(part.input) }
    case 'result':
      return {
        type: 'function_call_output',
        call_id: part.id,
        output: part.output,
        ...(part.isError && { status: 'failed' }),
      }
    case 'image':
      return message(role, { type: 'input_image', image_url: part.path, media_type: part.mediaType })
  }
}
