import type { Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, share } from './format.ts'
import { asObject, asText, type JsonObject, present } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { readUsage } from './usage.ts'
import { asArguments, functionTool, inPlainOrder, ownExtra } from './write-messages.ts'

const NAME = 'cohere'

/**
 * Cohere's chat bodies (v2): a response, alone or beside its request; the plan before its calls is a thought.
 *
 * Written as `{request, response}`, the response being the last message of the model, empty where someone else
 * spoke last. Names of agents, failures of
 * tools, costs and the number of calls have no place.
 */
export const cohere: Format = {
  name: NAME,
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
      dataset: NAME,
      usage: readUsage(body.usage),
      extra: others(body, 'message', 'messages', 'tools', 'request', 'response'),
    }
    return [traceFromConversation({ messages, tools: readTools(request.tools) }, head, at)]
  },
  write: (traces) => traces.map(write),
}

function isBody(value: unknown): boolean {
  if (!hasFields(value, 'message', 'finish_reason')) return false
  const message = asObject(asObject(value)?.message)
  return message?.role === 'assistant' && (hasFields(asObject(value)?.usage, 'tokens') || 'tool_plan' in message)
}

function write(trace: Trace): unknown {
  const { messages: told, tools } = conversationFromTrace(trace)
  const messages = inPlainOrder(told)
  const answer = messages.at(-1)?.role === 'assistant' ? messages.at(-1) : undefined
  const { usage } = trace
  return {
    request: present<JsonObject>({
      model: trace.source.generator,
      messages: (answer ? messages.slice(0, -1) : messages).map(writeMessage),
      tools: tools?.map((tool) => ({ type: 'function', function: functionTool(tool) })),
    }),
    response: {
      ...ownExtra(trace, NAME),
      finish_reason: answer?.parts.some((p) => p.type === 'call') ? 'TOOL_CALL' : 'COMPLETE',
      message: answer ? writeMessage(answer) : { role: 'assistant', content: [] },
      usage: usage
        ? {
            tokens: { input_tokens: usage.promptTokens, output_tokens: usage.completionTokens },
            cached_tokens: usage.cachedTokens,
          }
        : { tokens: {} },
    },
  }
}

function writeMessage({ role, parts }: Message): JsonObject {
  const [first] = parts
  if (first?.type === 'result') return { role: 'tool', tool_call_id: first.id, content: first.output }
  const calls = parts.flatMap((p) =>
    p.type === 'call'
      ? [{ id: p.id, type: 'function', function: { name: p.name, arguments: asArguments(p.input) } }]
      : [],
  )
  return present<JsonObject>({
    role,
    content: parts.flatMap(writeContent),
    tool_calls: calls.length > 0 ? calls : undefined,
  })
}

function writeContent(part: Part): JsonObject[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }]
  if (part.type === 'reasoning') return [{ type: 'thinking', thinking: part.text }]
  return part.type === 'image' ? [{ type: 'image_url', image_url: { url: part.path } }] : []
}
