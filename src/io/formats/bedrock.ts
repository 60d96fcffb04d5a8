import { traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, share } from './format.ts'
import { asObject, asText, type JsonObject, objects } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { readUsage } from './usage.ts'

/** Amazon Bedrock's Converse bodies: a response, alone or beside its request. */
export const bedrock: Format = {
  name: 'bedrock',
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
      dataset: 'bedrock',
      usage: readUsage(body.usage),
      extra: others(body, 'output', 'messages', 'system', 'toolConfig', 'request', 'response'),
    }
    return [traceFromConversation({ messages, tools: readTools(specs) }, head, at)]
  },
}

const isBody = (value: unknown): boolean =>
  hasFields(value, 'output') && hasFields(asObject(asObject(value)?.output)?.message, 'role', 'content')
