import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Step, Trace, Usage } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, type Result, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, others, place, share } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages } from './messages.ts'
import { textOf } from './messages-parts.ts'
import { cannotHold } from './write.ts'
import { asArguments, ownExtra, textsOf } from './write-messages.ts'

const NAME = 'swe-agent'

/**
 * SWE-agent trajectories (`.traj`): thought, action and observation of each step; `history` repeats them and gives
 * system text, demonstrations (context) and the task. In function-calling runs the call is taken from the history.
 *
 * Usage is known for the run only. The submission is the trace's answer.
 *
 * Written with a step for each call or last thought. Reasoning becomes thought; names of agents, definitions of tools,
 * cached tokens and failures have no place; a trace in which others speak between the steps cannot be held.
 */
export const sweAgent: Format = {
  name: NAME,
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
    const open = history.filter((m) => m.is_demo !== true && m.role === 'assistant')
    const messages = [
      ...opening.flatMap((m) => readTurn(m, at)),
      ...steps.flatMap((step, i) => readStep(step, i, open, at)),
    ]
    const info = asObject(run.info)
    const head = {
      id: at.line === 1 ? at.stem : `${at.stem}-${at.line}`,
      generator: '',
      dataset: NAME,
      usage: usageOf(asObject(info?.model_stats)),
      extra: others({ ...run, ...info }, 'trajectory', 'history', 'info', 'model_stats', 'submission', 'replay_config'),
    }
    const trace = traceFromConversation({ messages }, head, at)
    const submission = asText(info?.submission)
    return [submission === undefined ? trace : ({ ...trace, answer: submission } satisfies Trace)]
  },
  write: (traces) => traces.map(write),
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

/** @param open turns of the history whose step has not come yet; the step's own is taken out */
function readStep(step: JsonObject, index: number, open: JsonObject[], at: At): Message[] {
  const parts: Part[] = []
  const thought = asText(step.thought) ?? asText(step.response)
  if (thought !== undefined && thought.trim() !== '') parts.push({ type: 'text', text: thought })
  const action = asText(step.action)
  if (action === undefined) return parts.length > 0 ? [{ role: 'assistant', parts, origin: index }] : []
  const own = open.findIndex((m) => m.action === step.action && m.thought === step.thought)
  const written = own === -1 ? undefined : open.splice(own, 1)[0]
  const called = written ? readMessages({ role: 'assistant', tool_calls: written.tool_calls }, 'assistant', at) : []
  const call = called[0]?.parts.find((p) => p.type === 'call') ?? { type: 'call', name: 'shell', input: action }
  parts.push(call)
  if (step.observation === null) return [{ role: 'assistant', parts, origin: index }]
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

function write(trace: Trace): unknown {
  const foreign = trace.steps.find((s) => s.kind === 'observation' && !s.action)
  if (foreign) throw cannotHold(trace, NAME, 'a turn of someone else between the steps', "the agent's own steps only")
  const opening = conversationFromTrace({ ...trace, steps: [] }).messages
  const history: JsonObject[] = opening.map((m) => ({
    role: m.role,
    content: textsOf(m),
    agent: 'main',
    message_type: m.role === 'system' ? 'system_prompt' : 'observation',
  }))
  const trajectory: JsonObject[] = []
  let thought: string | undefined
  const add = (step: Step | undefined): void => {
    const said = { thought: thought ?? '', action: step?.action ? actionText(step) : '' }
    trajectory.push({ ...said, response: thought ?? '', observation: step ? (step.observation ?? null) : '' })
    history.push({
      role: 'assistant',
      content: thought ?? '',
      ...said,
      agent: 'main',
      message_type: 'action',
      ...callOf(step),
    })
    if (step?.observation !== undefined) {
      const told = { role: 'user', content: step.observation, agent: 'main', message_type: 'observation' }
      history.push(told)
    }
    thought = undefined
  }
  for (const step of trace.steps) {
    if (thought !== undefined && !step.action) add(undefined)
    if (step.action) add(step)
    else thought = step.text
  }
  if (thought !== undefined) add(undefined)
  const { usage, answer } = trace
  const own = ownExtra(trace, NAME)
  return present<JsonObject>({
    environment: own?.environment,
    trajectory,
    history,
    info: present<JsonObject>({
      ...(own && others(own, 'environment')),
      submission: answer === trace.steps.findLast((s) => s.kind === 'answer')?.text ? undefined : answer,
      model_stats: usage && {
        instance_cost: usage.cost ?? 0,
        tokens_sent: usage.promptTokens,
        tokens_received: usage.completionTokens,
        api_calls: usage.calls,
      },
    }),
  })
}

const isCommand = ({ action }: Step): boolean =>
  action?.tool === 'shell' && action.id === undefined && typeof action.input === 'string' && action.input !== ''

const actionText = (step: Step): string => (isCommand(step) ? anyText(step.action?.input) : step.text)

/** Commands stand as they are; other calls as the model wrote them. */
function callOf(step: Step | undefined): JsonObject {
  if (!step?.action || isCommand(step)) return {}
  const { id, tool, input } = step.action
  return {
    tool_calls: [
      present<JsonObject>({ id, type: 'function', function: { name: tool, arguments: asArguments(input) } }),
    ],
  }
}
