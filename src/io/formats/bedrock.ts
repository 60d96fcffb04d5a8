import type { Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, share } from './format.ts'
import { asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { readUsage } from './usage.ts'
import { objectInput, ownExtra, withoutSystem } from './write-messages.ts'

const NAME = 'bedrock'

/**
 * Amazon Bedrock's Converse bodies: a response, alone or beside its request.
 *
 * Written as `{request, response}`, the response being the last message of the model, empty where someone else
 * spoke last. Names of agents, costs and the
 * number of calls have no place; system text in the middle becomes a turn of the user.
 */
export const bedrock: Format = {
  name: NAME,
  summary: 'request and response bodies of the Amazon Bedrock Converse API',
  home: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isBody(r) || isBody(asObject(r)?.response)),
  read(record, at) {
    const exchange = asObject(record) ?? {}
    const body = asObject(exchange.response) ?? exchange
    const request: JsonObject = { ...exchange, ...asObject(exchange.request) }
    const messages = [
      ...readMessages(request.system, 'system', at),
      ...readMessages(request.messages, 'user', at),
      ...readMessages({ output: body.output }, 'assistant', at),
    ]
    const specs = objects(asObject(request.toolConfig)?.tools).map((tool) => tool.toolSpec)
    const head = {
      id: `${at.stem}-${at.line}`,
      generator: asText(request.modelId) ?? '',
      dataset: NAME,
      usage: readUsage(body.usage),
      extra: others(body, 'output', 'messages', 'system', 'toolConfig', 'request', 'response'),
    }
    return [traceFromConversation({ messages, tools: readTools(specs) }, head, at)]
  },
  write: (traces) => traces.map(write),
}

const isBody = (value: unknown): boolean =>
  hasFields(value, 'output') && hasFields(asObject(asObject(value)?.output)?.message, 'role', 'content')

function write(trace: Trace): unknown {
  const { messages, tools } = conversationFromTrace(trace)
  const { system, turns } = withoutSystem(messages)
  const answer = turns.at(-1)?.role === 'assistant' ? turns.at(-1) : undefined
  const { usage } = trace
  return {
    request: present<JsonObject>({
      modelId: trace.source.generator,
      system: system.length > 0 ? system.map((text) => ({ text })) : undefined,
      messages: (answer ? turns.slice(0, -1) : turns).map(writeMessage),
      toolConfig: tools && {
        tools: tools.map(({ name, description, parameters }) => ({
          toolSpec: present<JsonObject>({ name, description, inputSchema: parameters }),
        })),
      },
    }),
    response: present<JsonObject>({
      ...ownExtra(trace, NAME),
      output: { message: answer ? writeMessage(answer) : { role: 'assistant', content: [] } },
      usage: usage && {
        inputTokens: usage.promptTokens - usage.cachedTokens,
        outputTokens: usage.completionTokens,
        cacheReadInputTokens: usage.cachedTokens,
      },
    }),
  }
}

const writeMessage = ({ role, parts }: Message): JsonObject => ({
  role: role === 'assistant' ? 'assistant' : 'user',
  content: parts.map(writePart),
})

function writePart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { text: part.text }
    case 'reasoning':
      return { reasoningContent: { reasoningText: { text: part.text } } }
    case 'call':
      return { toolUse: { toolUseId: part.id, name: part.name, input: objectInput(part.input) } }
    case 'result': {
      const status = part.isError ? 'error' : 'success'
      return { toolResult: { toolUseId: part.id, content: [{ text: part.output }], status } }
    }
    case 'image':
      return { type: 'image', image: part.path, mediaType: part.mediaType }
  }
}
