import type { Trace } from '../../core/words.ts'
import type { Message, Part } from './conversation.ts'
import { type JsonObject, present } from './loose.ts'
import type { WrittenSpan } from './spans-write.ts'
import { asArguments, inPlainOrder } from './write-messages.ts'

/**
 * Attributes of a span by the GenAI conventions; of an evaluation those of the event `gen_ai.evaluation.result`. What no
 * convention names (outcome, number of calls, the label itself) stands under `gradus.`.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
 */
export function genaiAttributes({ says }: WrittenSpan, trace: Trace): JsonObject {
  const { usage, source } = trace
  const model = source.generator || undefined
  switch (says.kind) {
    case 'agent':
      return present<JsonObject>({
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.conversation.id': trace.id,
        'gen_ai.request.model': model,
        'gen_ai.usage.input_tokens': usage?.promptTokens,
        'gen_ai.usage.output_tokens': usage?.completionTokens,
        'gen_ai.usage.cache_read.input_tokens': usage?.cachedTokens,
        'gradus.calls': usage?.calls,
        'gradus.outcome': trace.outcome,
      })
    case 'chat':
      return present<JsonObject>({
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': model,
        'gen_ai.agent.name': says.agent,
        'gen_ai.system_instructions': says.system.length > 0 ? JSON.stringify(says.system.map(writePart)) : undefined,
        'gen_ai.tool.definitions':
          says.tools.length > 0 ? JSON.stringify(says.tools.map((t) => ({ type: 'function', ...t }))) : undefined,
        'gen_ai.input.messages': JSON.stringify(says.before.map(writeGenaiMessage)),
        'gen_ai.output.messages': says.answer && JSON.stringify([writeGenaiMessage(says.answer)]),
      })
    case 'tool':
      return present<JsonObject>({
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': says.name,
        'gen_ai.tool.call.id': says.id,
        'gen_ai.tool.call.arguments': typeof says.input === 'string' ? says.input : JSON.stringify(says.input),
        'gen_ai.tool.call.result': says.output,
      })
    case 'label':
      return present<JsonObject>({
        'gen_ai.evaluation.name': says.label.source,
        'gen_ai.evaluation.score.value': says.label.value ?? undefined,
        'gen_ai.evaluation.score.label': says.label.value === null ? says.label.reason : undefined,
        'gradus.label': JSON.stringify(says.label),
      })
  }
}

export function writeGenaiMessage(message: Message): JsonObject {
  const name = message.agent !== undefined && message.role !== 'assistant' ? { name: message.agent } : {}
  return { role: message.role, ...name, parts: message.parts.map(writePart) }
}

function writePart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return { type: part.type, content: part.text }
    case 'call':
      return { type: 'tool_call', id: part.id, name: part.name, arguments: part.input }
    case 'result':
      return { type: 'tool_call_response', id: part.id, response: part.output }
    case 'image':
      return { type: 'uri', modality: 'image', mime_type: part.mediaType, uri: part.path }
  }
}

const INFERENCE = { agent: 'AGENT', chat: 'LLM', tool: 'TOOL', label: 'EVALUATOR' } as const

/** Attributes by the OpenInference conventions, messages under indexed keys. */
export function openinferenceAttributes(span: WrittenSpan, trace: Trace): JsonObject {
  const { says } = span
  const { usage } = trace
  const kind = { 'openinference.span.kind': INFERENCE[says.kind] }
  switch (says.kind) {
    case 'agent':
      return present<JsonObject>({
        ...kind,
        'session.id': trace.id,
        'llm.model_name': trace.source.generator || undefined,
        'llm.token_count.prompt': usage?.promptTokens,
        'llm.token_count.completion': usage?.completionTokens,
        'llm.token_count.prompt_details.cache_read': usage?.cachedTokens,
        'gradus.calls': usage?.calls,
        'gradus.outcome': trace.outcome,
      })
    case 'chat': {
      const system = says.system.map((part): Message => ({ role: 'system', parts: [part] }))
      return present<JsonObject>({
        ...kind,
        'llm.model_name': trace.source.generator || undefined,
        'agent.name': says.agent,
        ...indexed('llm.input_messages', [...system, ...says.before]),
        ...(says.answer && indexed('llm.output_messages', [says.answer])),
      })
    }
    case 'tool':
      return present<JsonObject>({
        ...kind,
        'tool.name': says.name,
        'tool_call.id': says.id,
        'input.value': typeof says.input === 'string' ? says.input : JSON.stringify(says.input),
        'output.value': says.output,
      })
    case 'label':
      return { ...kind, ...genaiAttributes(span, trace) }
  }
}

function indexed(prefix: string, messages: readonly Message[]): JsonObject {
  const out: JsonObject = {}
  inPlainOrder(messages).forEach((message, m) => {
    const at = `${prefix}.${m}.message`
    out[`${at}.role`] = message.role
    if (message.agent !== undefined && message.role !== 'assistant') out[`${at}.name`] = message.agent
    let call = 0
    let block = 0
    for (const part of message.parts) {
      if (part.type === 'call') {
        const here = `${at}.tool_calls.${call++}.tool_call`
        out[`${here}.id`] = part.id
        out[`${here}.function.name`] = part.name
        out[`${here}.function.arguments`] = asArguments(part.input)
      } else if (part.type === 'result') {
        out[`${at}.tool_call_id`] = part.id
        out[`${at}.content`] = part.output
      } else if (part.type === 'image') {
        const here = `${at}.contents.${block++}.message_content`
        out[`${here}.type`] = 'image'
        out[`${here}.image`] = part.path
        out[`${here}.mediaType`] = part.mediaType
      } else {
        const here = `${at}.contents.${block++}.message_content`
        out[`${here}.type`] = part.type
        out[`${here}.text`] = part.text
      }
    }
  })
  return out
}
