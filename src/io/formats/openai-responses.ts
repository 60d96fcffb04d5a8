import { GradusError } from '../../core/errors.ts'
import { traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, place, share } from './format.ts'
import { asList, asObject, asText, type JsonObject, objects, unwrapJson } from './loose.ts'
import { readMessages, readTextOrMessages, readTools } from './messages.ts'
import { looksLikeEvents, readEvents, recordedBody } from './sse.ts'
import { readUsage } from './usage.ts'

/**
 * OpenAI Responses API: a response object, or a pair of request and response; each output item is a message of its own
 * and its number in the list of items is the origin.
 */
export const openaiResponses: Format = {
  name: 'openai-responses',
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
    const messages = [
      ...readTextOrMessages(body.instructions, 'system', at),
      ...readTextOrMessages(body.input, 'user', at),
      ...readMessages(body.output, 'assistant', at),
    ]
    const listed = objects(body.output).flatMap((item) => (item.type === 'mcp_list_tools' ? asList(item.tools) : []))
    const head = {
      id: asText(body.id) ?? `${at.stem}-${at.line}`,
      generator: asText(body.model) ?? '',
      dataset: 'openai-responses',
      usage: readUsage(body.usage),
      extra: others(body, 'input', 'output', 'tools', 'instructions'),
    }
    return [traceFromConversation({ messages, tools: [...readTools(body.tools), ...readTools(listed)] }, head, at)]
  },
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
  return readEvents(text).findLast((event) => /^response\.(completed|incomplete|failed)$/.test(String(event.type)))
    ?.response
}
