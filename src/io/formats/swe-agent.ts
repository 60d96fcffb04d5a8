import { GradusError } from '../../core/errors.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { type Message, type Part, type Result, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, others, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages } from './messages.ts'
import { textOf } from './messages-parts.ts'

/**
 * SWE-agent trajectories (`.traj`): thought, action and observation of each step; `history` repeats them and gives
 * system text, demonstrations (context) and the task. In function-calling runs the call is taken from the history.
 *
 * Usage is known for the run only. The submission is the trace's answer.
 */
export const sweAgent: Format = {
  name: 'swe-agent',
  summary: 'trajectories of SWE-agent',
  home: 'https://swe-agent.com/latest/usage/trajectories/',
  container: 'json',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isTrajectory(r) || isHistory(r)),
  read(record, at) {
    const run = asObject(record) ?? {}
    const history = objects(run.history)
    if (!isTrajectory(run) && history.length === 0) {
      throw new GradusError('GRD-IO-006', { where: place(at, 'trajectory'), found: 'no trajectory and no history' })
    }
    const steps = objects(run.trajectory)
    const opening = steps.length > 0 ? history.slice(0, firstDone(history)) : history
    const messages = [
      ...opening.flatMap((m) => readTurn(m, at)),
      ...steps.flatMap((step, i) => readStep(step, i, history, at)),
    ]
    const info = asObject(run.info)
    const head = {
      id: at.line === 1 ? at.stem : `${at.stem}-${at.line}`,
      generator: '',
      dataset: 'swe-agent',
      usage: usageOf(asObject(info?.model_stats)),
      extra: others({ ...run, ...info }, 'trajectory', 'history', 'info', 'model_stats', 'submission', 'replay_config'),
    }
    const trace = traceFromConversation({ messages }, head, at)
    const submission = asText(info?.submission)
    return [submission === undefined ? trace : ({ ...trace, answer: submission } satisfies Trace)]
  },
}

const isTrajectory = (value: unknown): boolean =>
  objects(asObject(value)?.trajectory).some((s) => hasFields(s, 'thought', 'action', 'observation', 'response'))

const isHistory = (value: unknown): boolean =>
  objects(asObject(value)?.history).some(
    (m) => hasFields(m, 'role', 'content', 'agent') && ('message_type' in m || 'thought' in m),
  )

/** Where the agent's own turns begin; demonstrations come before. */
function firstDone(history: readonly JsonObject[]): number {
  const first = history.findIndex((m) => m.role === 'assistant' && m.is_demo !== true)
  return first === -1 ? history.length : first
}

function readTurn(turn: JsonObject, at: At): Message[] {
  const { agent: _, ...message } = turn
  if (turn.is_demo === true) return [{ role: 'system', parts: [{ type: 'text', text: textOf(turn.content) }] }]
  return readMessages(message, 'user', at)
}

function readStep(step: JsonObject, index: number, history: readonly JsonObject[], at: At): Message[] {
  const parts: Part[] = []
  const thought = asText(step.thought) ?? asText(step.response)
  if (thought !== undefined && thought.trim() !== '') parts.push({ type: 'text', text: thought })
  const action = asText(step.action)
  if (action === undefined) return parts.length > 0 ? [{ role: 'assistant', parts, origin: index }] : []
  const written = history.find((m) => m.is_demo !== true && m.action === step.action && m.thought === step.thought)
  const called = written ? readMessages({ role: 'assistant', tool_calls: written.tool_calls }, 'assistant', at) : []
  const call = called[0]?.parts.find((p) => p.type === 'call') ?? { type: 'call', name: 'shell', input: action }
  parts.push(call)
  const output = textOf(step.observation)
  const result = present<Result>({ type: 'result', output, name: call.name, id: call.id })
  return [
    { role: 'assistant', parts, origin: index },
    { role: 'tool', parts: [result] },
  ]
}

/** Replayed demonstrations have zeros, which say nothing. */
function usageOf(stats: JsonObject | undefined): Usage | undefined {
  const n = (name: string): number => asNumber(stats?.[name]) ?? 0
  if (n('tokens_sent') + n('tokens_received') + n('instance_cost') === 0) return undefined
  return {
    calls: n('api_calls'),
    promptTokens: n('tokens_sent'),
    completionTokens: n('tokens_received'),
    cachedTokens: 0,
    seconds: 0,
    cost: n('instance_cost'),
  }
}
