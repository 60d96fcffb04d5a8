import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, place, share } from './format.ts'
import { asObject, asText, type JsonObject, pick, unwrapJson } from './loose.ts'
import { readMessages } from './messages.ts'
import { writeItem } from './openai-responses.ts'
import { readUsage } from './usage.ts'
import { withoutSystem } from './write-messages.ts'

/**
 * Codex CLI rollouts: lines `{timestamp, type, payload}`.
 *
 * Only `response_item` lines are steps; `event_msg` lines repeat them. Usage is the last cumulative total, a call for
 * each total that is new. The environment block that the tool puts first is context, not the prompt.
 *
 * A file holds one session. Names of agents, definitions of tools, costs and the number of calls have no place.
 */
export const codexCli: Format = {
  name: 'codex-cli',
  summary: 'session rollouts of the Codex CLI',
  home: 'https://github.com/openai/codex',
  container: 'jsonl',
  unit: 'document',
  detect: (sample) => share(sample, (r) => hasFields(r, 'timestamp', 'type', 'payload')),
  read(record, at) {
    const messages: Message[] = []
    let id = at.stem
    let generator = ''
    let usage: Usage | undefined
    const totals = new Set<string>()
    ;(record as unknown[]).forEach((value, i) => {
      const line = asObject(value)
      const payload = asObject(line?.payload)
      if (!line || !payload) {
        at.reject(
          new GradusError('GRD-IO-006', { where: { ...place(at, 'payload'), line: i + 1 }, found: typeof value }),
        )
      } else if (line.type === 'session_meta') {
        id = asText(payload.id) ?? id
        const base = asText(asObject(payload.base_instructions)?.text)
        if (base !== undefined) messages.push({ role: 'system', parts: [{ type: 'text', text: base }], origin: i })
      } else if (line.type === 'turn_context') generator = asText(payload.model) ?? generator
      else if (line.type === 'response_item') messages.push(...readItemLine(payload, i, at))
      else if (payload.type === 'turn_aborted') at.odd('turn aborted', `line ${i + 1}`)
      else if (payload.type === 'token_count') {
        const total = asObject(asObject(payload.info)?.total_token_usage)
        if (total) totals.add(JSON.stringify(total))
        usage = readUsage(total) ?? usage
      }
    })
    if (messages.length === 0) throw new GradusError('GRD-IO-012', { where: place(at), found: 'no response items' })
    const head = { id, generator, dataset: 'codex-cli', usage: usage && { ...usage, calls: totals.size } }
    return [traceFromConversation({ messages }, head, at)]
  },
  single: true,
  write: (traces) => traces.flatMap(write),
}

const ENVIRONMENT = /^\s*(<environment_context>|<user_instructions>|# AGENTS\.md instructions)/

function readItemLine(payload: JsonObject, line: number, at: At): Message[] {
  return readMessages(unwrapOutput(payload), 'assistant', at).map((message) => {
    const [first] = message.parts
    const environment = message.role === 'user' && first?.type === 'text' && ENVIRONMENT.test(first.text)
    return { ...message, ...(environment && { role: 'system' }), origin: line }
  })
}

/** A shell's output comes as JSON text `{output, metadata: {exit_code}}`. */
function unwrapOutput(payload: JsonObject): JsonObject {
  if (!anyText(payload.type).endsWith('_output')) return payload
  const body = asObject(unwrapJson(payload.output))
  const output = pick(body, 'output', 'content')
  if (!body || typeof output !== 'string') return payload
  const code = asObject(body.metadata)?.exit_code
  const failed = body.success === false || (typeof code === 'number' && code !== 0)
  return { ...payload, output, ...(failed && { status: 'failed' }) }
}

function write(trace: Trace): JsonObject[] {
  const { system, turns } = withoutSystem(conversationFromTrace(trace).messages)
  const [base, ...more] = system
  const { usage } = trace
  const payloads: [string, JsonObject][] = [
    ['session_meta', { id: trace.id, ...(base !== undefined && { base_instructions: { text: base } }) }],
    ['turn_context', { model: trace.source.generator }],
    ...more.map((text): [string, JsonObject] => ['response_item', writeItem({ type: 'text', text }, 'system')]),
    ...turns.flatMap((m) =>
      m.parts.map((part): [string, JsonObject] => ['response_item', writeItem(wrapped(part), m.role)]),
    ),
  ]
  if (usage) {
    const total_token_usage = {
      input_tokens: usage.promptTokens,
      cached_input_tokens: usage.cachedTokens,
      output_tokens: usage.completionTokens,
    }
    payloads.push(['event_msg', { type: 'token_count', info: { total_token_usage } }])
  }
  // no clock: the order, in milliseconds
  return payloads.map(([type, payload], i) => ({ timestamp: new Date(i).toISOString(), type, payload }))
}

/** An output that looks like a shell's is put into one. */
function wrapped(part: Part): Part {
  if (part.type !== 'result') return part
  const inner = pick(asObject(unwrapJson(part.output)), 'output', 'content')
  return typeof inner === 'string' ? { ...part, output: JSON.stringify({ output: part.output }) } : part
}
