import { traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, share } from './format.ts'
import { asObject, asText, type JsonObject } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { readUsage } from './usage.ts'

/** Cohere's chat bodies (v2): a response, alone or beside its request; the plan before its calls is a thought. */
export const cohere: Format = {
  name: 'cohere',
  summary: 'request and response bodies of the Cohere chat API',
  home: 'https://docs.cohere.com/reference/chat',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isBody(r) || isBody(asObject(r)?.response)),
  read(record, at) {
    const exchange = asObject(record) ?? {}
    const body = asObject(exchange.response) ?? exchange
    const request: JsonObject = { ...exchange, ...asObject(exchange.request) }
    const messages = [...readMessages(request.messages, 'user', at), ...readMessages(body.message, 'assistant', at)]
    const head = {
      id: asText(body.id) ?? `${at.stem}-${at.line}`,
      generator: asText(request.model) ?? '',
      dataset: 'cohere',
      usage: readUsage(body.usage),
      extra: others(body, 'message', 'messages', 'tools', 'request', 'response'),
    }
    return [traceFromConversation({ messages, tools: readTools(request.tools) }, head, at)]
  },
}

function isBody(value: unknown): boolean {
  if (!hasFields(value, 'message', 'finish_reason')) return false
  const message = asObject(asObject(value)?.message)
  return message?.role === 'assistant' && (hasFields(asObject(value)?.usage, 'tokens') || 'tool_plan' in message)
}
