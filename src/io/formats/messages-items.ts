import type { Message, Part } from './conversation.ts'
import type { At } from './format.ts'
import { asObject, asText, type JsonObject, pick } from './loose.ts'
import { call, readArguments, result, thinkingText } from './messages-parts.ts'

/**
 * An item of the OpenAI Responses API as messages, undefined for anything else.
 *
 * Calls and outputs are paired by `call_id`; hosted tools hold their own output, under `id`. Items that only list tools
 * or ask for approval of a later call say nothing.
 */
export function readItem(item: JsonObject, at: At): Message[] | undefined {
  const type = typeof item.type === 'string' ? item.type : ''
  if (type === 'message') return undefined
  if (type === 'reasoning') return said({ type: 'reasoning', text: thinkingText(item) })
  if (type === 'mcp_list_tools') return []
  if (type === 'mcp_approval_request') return [assistant([call(item.id, item.name, readArguments(item.arguments, at))])]
  if (type === 'mcp_approval_response') {
    const answer = item.approve === true ? 'approved' : `denied ${asText(item.reason) ?? ''}`.trim()
    return [tool(result(item.approval_request_id, undefined, answer, item.approve === true ? undefined : true))]
  }
  if (type === 'program') return [assistant([call(item.call_id, 'program', item.code)])]
  if (type.endsWith('_output') && type !== 'text_output') return [tool(outputOf(item))]
  if (type.endsWith('_call')) return hostedOrFunction(type, item, at)
  return undefined
}

function said(part: Part): Message[] {
  return [assistant([part])]
}

const assistant = (parts: Part[]): Message => ({ role: 'assistant', parts })
const tool = (part: Part): Message => ({ role: 'tool', parts: [part] })

function outputOf(item: JsonObject): Part {
  const failed = item.status === 'failed' || undefined
  return result(item.call_id, undefined, pick(item, 'output', 'tools', 'result'), failed)
}

function hostedOrFunction(type: string, item: JsonObject, at: At): Message[] {
  const name = asText(item.name) ?? type.replace(/_call$/, '')
  const id = pick(item, 'call_id', 'id')
  const input = pick(item, 'arguments', 'input', 'operation', 'code', 'queries') ?? hostedInput(item)
  const parts: Part[] = [
    call(id, name, type === 'custom_tool_call' || type === 'code_interpreter_call' ? input : readArguments(input, at)),
  ]
  const output = pick(item, 'output', 'outputs', 'results', 'error') ?? asObject(item.action)?.sources
  if (output !== undefined) parts.push(result(id, name, output, (item.error ?? null) !== null || undefined))
  return [assistant(parts)]
}

function hostedInput(item: JsonObject): unknown {
  const action = asObject(item.action)
  if (!action) return undefined
  return Object.fromEntries(Object.entries(action).filter(([key]) => key !== 'sources'))
}
