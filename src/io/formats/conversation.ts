import { contentHash } from '../../core/hash.ts'
import type { Context, Problem, Step, Trace, Usage } from '../../core/words.ts'
import { type Arrived, pairResults, type Result } from './conversation-pairs.ts'
import type { At } from './format.ts'
import { present } from './loose.ts'

export type { Result }

/** What all transcript and tracing formats come down to: messages of parts, each tool result beside its call's id. */
export type Part =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'call'; name: string; input: unknown; id?: string }
  | Result
  | { type: 'image'; path: string; mediaType: string }

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool'
  parts: Part[]
  /** Name of the agent or participant, where the source says. */
  agent?: string
  /** Where it stands in the source; default: its number in the conversation. */
  origin?: string | number
}

export interface Tool {
  name: string
  description?: string
  parameters?: unknown
}

export interface Conversation {
  messages: Message[]
  tools?: Tool[]
}

/** What a conversation says as a trace. `failed` are the steps whose tool reported an error. */
export interface Spoken {
  problem: Problem
  steps: Step[]
  answer?: string
  failed: number[]
}

/**
 * Steps of a conversation: assistant text and reasoning are thoughts, each tool call is an action that holds its own
 * observation, the last text after which no tool is called is the answer.
 *
 * The first user message is the problem's prompt if nothing was done before it; system text and tools are context;
 * later turns of user or system are observations. A result is paired by its id, with the nearest earlier call that has
 * none yet; only a result without an id is paired by name and order. `origin` is `message.part`, with the word
 * `reasoning` behind it where the source keeps reasoning apart from text.
 */
export function stepsFromConversation(conversation: Conversation, at: At): Spoken {
  const steps: Step[] = []
  const failed: number[] = []
  const system: string[] = []
  const images: { path: string; type: string }[] = []
  let prompt: string | undefined
  const results: Arrived[] = []

  conversation.messages.forEach((message, m) => {
    const opening = steps.length === 0 && results.length === 0
    const texts: string[] = []
    let isPrompt = false
    message.parts.forEach((part, p) => {
      const origin = `${message.origin ?? m}.${p}`
      const agent = message.agent === undefined ? {} : { agent: message.agent }
      if (part.type === 'result') {
        results.push({ result: part, before: steps.length, origin, agent: message.agent })
      } else if (part.type === 'call') {
        const action = present<NonNullable<Step['action']>>({ tool: part.name, input: part.input, id: part.id })
        steps.push({ text: callText(part.name, part.input), kind: 'action', action, ...agent, origin })
      } else if (part.type === 'image') {
        images.push({ path: part.path, type: part.mediaType })
        isPrompt ||= message.role === 'user' && opening && prompt === undefined
      } else if (part.text === '') {
        if (part.type === 'reasoning') at.odd('reasoning is hidden', origin)
      } else if (message.role === 'assistant') {
        const mark = part.type === 'reasoning' ? ' reasoning' : ''
        steps.push({ text: part.text, kind: 'thought', ...agent, origin: `${origin}${mark}` })
      } else if (message.role === 'system' && opening) {
        system.push(part.text)
      } else if (message.role === 'user' && opening && (isPrompt || prompt === undefined)) {
        texts.push(part.text)
        isPrompt = true
      } else {
        steps.push({ text: part.text, kind: 'observation', agent: message.agent ?? message.role, origin })
      }
    })
    if (isPrompt) prompt = texts.join('\n\n')
  })

  pairResults(steps, results, failed, at)
  if (prompt === undefined) at.odd('no prompt', `line ${at.line}`)
  const answer = markAnswer(steps)
  const context: Context[] = []
  if (system.length > 0) {
    context.push({
      kind: 'documents',
      documents: system.map((text, i) => ({ id: i ? `system-${i}` : 'system', text })),
    })
  }
  if (images.length > 0) context.push({ kind: 'images', images })
  if (conversation.tools && conversation.tools.length > 0) context.push({ kind: 'tools', tools: conversation.tools })
  const problem: Problem = { id: contentHash(prompt ?? '').slice(0, 16), prompt: prompt ?? '' }
  if (context.length > 0) problem.context = context
  return { problem, steps, failed, ...(answer !== undefined && { answer }) }
}

export interface TraceHead {
  id: string
  /** Model or agent; empty where nobody says. */
  generator: string
  /** Name of the format, or of the data set where the file says. */
  dataset: string
  usage?: Usage | undefined
  outcome?: number | undefined
  domain?: string | undefined
  /** The reference answer. */
  reference?: string | undefined
  extra?: Record<string, unknown> | undefined
}

/** The conversation as a trace; steps whose tool failed are numbered in `extra.failedCalls`. */
export function traceFromConversation(conversation: Conversation, head: TraceHead, at: At): Trace {
  const { problem, steps, answer, failed } = stepsFromConversation(conversation, at)
  if (steps.length === 0) at.odd('no steps', head.id)
  if (head.domain !== undefined) problem.domain = head.domain
  if (head.reference !== undefined) problem.answer = head.reference
  const extra = { ...head.extra, ...(failed.length > 0 && { failedCalls: failed }) }
  return present<Trace>({
    id: head.id,
    problem,
    steps,
    answer,
    outcome: head.outcome,
    usage: head.usage,
    source: { generator: head.generator, dataset: head.dataset, licence: 'unknown' },
    extra: Object.keys(extra).length > 0 ? extra : undefined,
    evidence: undefined,
    labels: undefined,
    verdict: undefined,
  })
}

/**
 * The conversation that a trace tells, for writing: inverse of `stepsFromConversation` up to the splitting of system
 * and prompt text. Steps of one source message (by `origin`) are one message again.
 */
export function conversationFromTrace(trace: Trace): Conversation {
  const messages: Message[] = []
  const tools: Tool[] = []
  const prompt: Part[] = trace.problem.prompt === '' ? [] : [{ type: 'text', text: trace.problem.prompt }]
  for (const context of trace.problem.context ?? []) {
    if (context.kind === 'documents') {
      for (const { id, text } of context.documents) {
        if (/^system(-\d+)?$/.test(id)) messages.push({ role: 'system', parts: [{ type: 'text', text }] })
      }
    } else if (context.kind === 'tools') tools.push(...context.tools.map((tool) => present<Tool>(tool)))
    else if (context.kind === 'images') {
      for (const { path, type } of context.images) prompt.push({ type: 'image', path, mediaType: type })
    }
  }
  if (prompt.length > 0) messages.push({ role: 'user', parts: prompt })

  const failed = new Set(Array.isArray(trace.extra?.failedCalls) ? trace.extra.failedCalls : [])
  let turn: { message: Message; key: string | undefined; acted: boolean; results: Result[] } | undefined
  const endTurn = (): void => {
    for (const result of turn?.results ?? []) messages.push({ role: 'tool', parts: [result] })
    turn = undefined
  }
  trace.steps.forEach((step, i) => {
    const spoken = step.kind === 'observation' && step.action === undefined
    if (spoken) {
      endTurn()
      messages.push(observed(step, i))
      return
    }
    const { key, reasoning } = readOrigin(step.origin)
    const continues =
      turn && (key === undefined || turn.key === undefined ? step.action || !turn.acted : turn.key === key)
    if (!turn || !continues || turn.message.agent !== step.agent) {
      endTurn()
      const message: Message = { role: 'assistant', parts: [], ...(step.agent !== undefined && { agent: step.agent }) }
      messages.push(message)
      turn = { message, key, acted: false, results: [] }
    }
    if (!step.action) {
      turn.message.parts.push({ type: reasoning ? 'reasoning' : 'text', text: step.text })
      return
    }
    const id = step.action.id ?? `call_${i}`
    turn.acted = true
    turn.message.parts.push({ type: 'call', name: step.action.tool, input: step.action.input, id })
    if (step.observation !== undefined) {
      const result: Result = { type: 'result', id, name: step.action.tool, output: step.observation }
      turn.results.push(failed.has(i) ? { ...result, isError: true } : result)
    }
  })
  endTurn()
  return tools.length > 0 ? { messages, tools } : { messages }
}

/** What a person reads of a call: `weather({"city":"Paris"})`. */
function callText(name: string, input: unknown): string {
  return `${name}(${typeof input === 'string' ? input : (JSON.stringify(input) ?? '')})`
}

function markAnswer(steps: Step[]): string | undefined {
  const last = steps.findLast((s) => s.kind === 'action' || (s.kind === 'thought' && !readOrigin(s.origin).reasoning))
  if (last?.kind !== 'thought') return undefined
  last.kind = 'answer'
  return last.text
}

function readOrigin(origin: Step['origin']): { key: string | undefined; reasoning: boolean } {
  const parts = /^(.*)\.\d+( reasoning)?$/.exec(String(origin ?? ''))
  return { key: parts?.[1], reasoning: parts?.[2] !== undefined }
}

/** A turn of someone else; a result whose call is not there keeps an id that no call has. */
function observed(step: Step, i: number): Message {
  const { text, agent } = step
  if (agent === 'tool') return { role: 'tool', parts: [{ type: 'result', id: `no_call_${i}`, output: text }] }
  const role = agent === 'system' ? 'system' : 'user'
  const named = agent !== undefined && agent !== role ? { agent } : {}
  return { role, parts: [{ type: 'text', text }], ...named }
}
