import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, others, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { call, readArguments, result } from './messages-parts.ts'
import { readUsage, totalUsage } from './usage.ts'
import { asArguments, ownExtra } from './write-messages.ts'

/**
 * OpenHands: lists of events, and lines of resolver output with their `history`.
 *
 * An observation belongs to the event named by `cause`; old histories have no ids, there the next observation of the
 * same kind answers. Several events may come from one model response, whose usage counts once; resolver output has the
 * costs only. State changes are no steps.
 *
 * Written as lines of resolver output, which hold many runs and their success; calls are events of MCP tools with the
 * model's own call beside. Reasoning becomes a message; names of agents, definitions of tools,
 * images and the number of calls have no place.
 */
export const openhands: Format = {
  name: 'openhands',
  summary: 'event trajectories and resolver output of OpenHands',
  home: 'https://github.com/All-Hands-AI/OpenHands',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) =>
    Math.max(Array.isArray(sample.document) && isTrajectory(sample.document) ? 1 : 0, share(sample, isResolved)),
  oneRecord: (document) => isTrajectory(document),
  read(record, at) {
    if (Array.isArray(record)) return [readTrajectory(objects(record), at)]
    const line = asObject(record) ?? {}
    if (!isResolved(line)) throw new GradusError('GRD-IO-006', { where: place(at, 'history'), found: 'no history' })
    return [readResolved(line, at)]
  },
  write: (traces) => traces.map(write),
}

const isEvent = (value: unknown): boolean =>
  hasFields(value, 'source', 'timestamp') && (hasFields(value, 'action') || hasFields(value, 'observation'))

const isTrajectory = (list: readonly unknown[]): boolean => list.length > 0 && list.every(isEvent)

const isResolved = (value: unknown): boolean =>
  hasFields(value, 'history', 'instruction') && objects(asObject(value)?.history).some((e) => 'action' in e)

function readTrajectory(events: readonly JsonObject[], at: At): Trace {
  const responses = responsesOf(events)
  const head = {
    id: at.line === 1 ? at.stem : `${at.stem}-${at.line}`,
    generator: responses.map((r) => asText(r.model)).find((m) => m !== undefined) ?? '',
    dataset: 'openhands',
    usage: totalUsage(responses.map((r) => readUsage(r.usage))),
  }
  return traceFromConversation({ messages: messagesOf(events, at) }, head, at)
}

/** Responses of the model behind the events, each once. */
function responsesOf(events: readonly JsonObject[]): JsonObject[] {
  const responses = new Map<string, JsonObject>()
  for (const event of events) {
    const response = asObject(asObject(event.tool_call_metadata)?.model_response)
    if (typeof response?.id === 'string') responses.set(response.id, response)
  }
  return [...responses.values()]
}

function readResolved(line: JsonObject, at: At): Trace {
  const issue = asObject(line.issue)
  const repository = [issue?.owner, issue?.repo].filter((s) => typeof s === 'string').join('/')
  const head = {
    id: issue ? `${repository}#${anyText(issue.number)}` : `${at.stem}-${at.line}`,
    generator: '',
    dataset: 'openhands',
    outcome: typeof line.success === 'boolean' ? Number(line.success) : undefined,
    usage: costOf(asObject(line.metrics)),
    extra: others(line, 'history', 'instruction', 'metrics', 'success'),
  }
  return traceFromConversation({ messages: messagesOf(objects(line.history), at) }, head, at)
}

function costOf(metrics: JsonObject | undefined): Usage | undefined {
  const cost = asNumber(metrics?.accumulated_cost)
  const tokens = asObject(metrics?.accumulated_token_usage)
  if (cost === undefined && tokens === undefined) return undefined
  const calls = Array.isArray(metrics?.costs) ? metrics.costs.length : 0
  const n = (name: string): number => asNumber(tokens?.[name]) ?? 0
  return {
    calls,
    promptTokens: n('prompt_tokens'),
    completionTokens: n('completion_tokens'),
    cachedTokens: n('cache_read_tokens'),
    seconds: 0,
    ...(cost !== undefined && { cost }),
  }
}

const STATES = /^(agent_state_changed|change_agent_state|null|)$/

function messagesOf(events: readonly JsonObject[], at: At): Message[] {
  const callIds = new Map<unknown, string>()
  let thought = ''
  return events.flatMap((event, i): Message[] => {
    const origin = asNumber(event.id) ?? i
    const args = asObject(event.args) ?? event
    const kind = asText(event.action)
    const byUser = event.source === 'user' || (event.source === undefined && i === 0)
    if (kind === 'message' || kind === 'system') {
      const said = asText(args.content)
      const role = kind === 'system' ? 'system' : byUser ? 'user' : 'assistant'
      return said === undefined ? [] : [{ role, parts: [{ type: 'text', text: said }], origin }]
    }
    if (kind !== undefined && !STATES.test(kind)) {
      const made = callOf(event, kind, args, at)
      if (event.id !== undefined && made.id !== undefined) callIds.set(event.id, made.id)
      const text = asText(args.thought) ?? ''
      const parts: Part[] = text === '' || text === thought ? [made] : [{ type: 'text', text }, made]
      thought = text
      return [{ role: 'assistant', parts, origin }]
    }
    const observed = asText(event.observation)
    if (kind !== undefined || observed === undefined || STATES.test(observed)) return []
    const failed = observed === 'error' || undefined
    const output = event.content ?? event.message
    if (event.id === undefined)
      return [answer(result(undefined, failed ? undefined : observed, output, failed), origin)]
    return [answer(result(callIds.get(event.cause) ?? anyText(event.cause), observed, output, failed), origin)]
  })
}

const answer = (part: Part, origin: number): Message => ({ role: 'tool', parts: [part], origin })

/** Members of old events that say how an action was shown or confirmed, not what it does. */
const SHOWN = [
  'thought',
  'action',
  'keep_prompt',
  'is_confirmed',
  'action_risk',
  'confirmation_state',
  'kernel_init_code',
]

/** The call as the model wrote it, where the event still has the response; else the event's own arguments. */
function callOf(event: JsonObject, kind: string, args: JsonObject, at: At): Extract<Part, { type: 'call' }> {
  const metadata = asObject(event.tool_call_metadata)
  const id = asText(metadata?.tool_call_id)
  const written = objects(asObject(metadata?.model_response)?.choices)
    .flatMap((choice) => objects(asObject(choice.message)?.tool_calls))
    .find((c) => c.id === id)
  const input = written ? readArguments(asObject(written.function)?.arguments, at) : (others(args, ...SHOWN) ?? {})
  const own = event.id === undefined ? undefined : anyText(event.id)
  return call(id ?? own, asText(metadata?.function_name) ?? kind, input)
}

function write(trace: Trace): unknown {
  const own = ownExtra(trace, 'openhands')
  return present<JsonObject>({
    ...own,
    instruction: trace.problem.prompt,
    history: writeEvents(trace),
    success: trace.outcome === 1 || (trace.outcome === 0 ? false : undefined),
    metrics: trace.usage && writeMetrics(trace.usage),
  })
}

function writeEvents(trace: Trace): JsonObject[] {
  const events: JsonObject[] = []
  const open = new Map<string, number>()
  const add = (event: JsonObject): number => {
    // no clock: the order, in milliseconds
    const id = events.length
    events.push({ id, timestamp: new Date(id).toISOString(), ...event })
    return id
  }
  for (const { role, parts } of conversationFromTrace(trace).messages) {
    for (const part of parts) {
      if (part.type === 'text' || part.type === 'reasoning') {
        const action = role === 'system' ? 'system' : 'message'
        add({ source: role === 'user' ? 'user' : 'agent', action, args: { content: part.text } })
      } else if (part.type === 'call') {
        const id = add({
          source: 'agent',
          action: 'call_tool_mcp',
          args: { name: part.name, arguments: part.input },
          tool_call_metadata: {
            function_name: part.name,
            tool_call_id: part.id,
            model_response: present<JsonObject>({
              id: `response-${events.length}`,
              model: trace.source.generator,
              choices: [
                {
                  message: {
                    role: 'assistant',
                    tool_calls: [
                      {
                        id: part.id,
                        type: 'function',
                        function: { name: part.name, arguments: asArguments(part.input) },
                      },
                    ],
                  },
                },
              ],
            }),
          },
        })
        if (part.id !== undefined) open.set(part.id, id)
      } else if (part.type === 'result') {
        const observation = part.isError ? 'error' : 'mcp'
        add({ source: 'environment', observation, cause: open.get(part.id ?? '') ?? part.id, content: part.output })
      }
    }
  }
  return events
}

const writeMetrics = (usage: Usage): JsonObject =>
  present<JsonObject>({
    accumulated_cost: usage.cost,
    accumulated_token_usage: {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      cache_read_tokens: usage.cachedTokens,
    },
  })
