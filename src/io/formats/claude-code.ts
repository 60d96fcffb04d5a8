import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { writeBlock } from './anthropic-messages.ts'
import { conversationFromTrace, type Message, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, place, type Sample, share } from './format.ts'
import { asList, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages } from './messages.ts'
import { readUsage, totalUsage } from './usage.ts'

/**
 * Claude Code sessions: JSONL transcripts, exports with `loglines`, and the event stream of its SDK; one trace for each
 * session id.
 *
 * One model message may be split over lines that repeat its id and usage: usage counts once for each id (without ids,
 * once for a run of lines with the same usage). Lines of a subagent carry its type as `agent`. A prompt that was edited
 * leaves a branch behind: of prompts with the same parent the last one counts.
 *
 * Written as a line a message, linked by `parentUuid`; agents with names are side chains. System text, definitions of
 * tools, costs and the number of calls have no place, input
 * that is no object is put into one: usage stands whole with the first message of the model.
 */
export const claudeCode: Format = {
  name: 'claude-code',
  summary: 'session transcripts of Claude Code and its SDK',
  home: 'https://docs.anthropic.com/en/docs/claude-code',
  container: 'jsonl',
  unit: 'document',
  detect(sample) {
    return hasFields(sample.records[0], 'loglines') ? 1 : Math.min(1, 2 * share(sample, isLine)) * mostly(sample)
  },
  read(record, at) {
    const sessions = new Map<string, JsonObject[]>()
    let session = at.stem
    for (const line of linesOf(record as unknown[], at)) {
      session = asText(line.sessionId) ?? asText(line.session_id) ?? session
      const lines = sessions.get(session)
      if (lines) lines.push(line)
      else sessions.set(session, [line])
    }
    const traces = [...sessions].flatMap(([id, lines]) => readSession(id, lines, at) ?? [])
    if (traces.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at), found: 'no messages of a session' })
    return traces
  },
  write: (traces) => traces.flatMap(writeSession),
}

const KINDS = /^(user|assistant)$/

function isLine(record: unknown): boolean {
  const line = asObject(record)
  if (!line || !KINDS.test(anyText(line.type))) return false
  return (
    ['sessionId', 'uuid', 'parentUuid', 'parent_tool_use_id', 'session_id'].some((f) => f in line) && 'message' in line
  )
}

/** Some transcripts begin with lines of other kinds; none begins with records that have no type. */
const mostly = (sample: Sample): number => (share(sample, (r) => hasFields(r, 'type')) > 0.5 ? 1 : 0)

/** Lines that hold a message, each once; broken ones are rejected, other kinds are passed over. */
function linesOf(records: readonly unknown[], at: At): JsonObject[] {
  const exported = asObject(records[0])?.loglines
  const seen = new Set<string>()
  const all = Array.isArray(exported) ? exported : records
  const lines = all.flatMap((record, i): JsonObject[] => {
    const line = asObject(record)
    const message = asObject(line?.message)
    if (line && typeof line.type === 'string' && (!KINDS.test(line.type) || line.isMeta === true)) return []
    if (!line || !message || (typeof message.content !== 'string' && !Array.isArray(message.content))) {
      const found = JSON.stringify(record)?.slice(0, 80) ?? 'nothing'
      at.reject(new GradusError('GRD-IO-006', { where: { ...place(at, 'message'), line: i + 1 }, found }))
      return []
    }
    const key = typeof line.uuid === 'string' ? JSON.stringify([line.uuid, message]) : undefined
    if (key !== undefined && seen.has(key)) return []
    if (key !== undefined) seen.add(key)
    return [line]
  })
  return onLastBranch(lines, at)
}

const isPrompt = (line: JsonObject): boolean => {
  const content = asObject(line.message)?.content
  return line.type === 'user' && !objects(content).some((block) => block.type === 'tool_result')
}

function onLastBranch(lines: readonly JsonObject[], at: At): JsonObject[] {
  const lastPrompt = new Map<string, JsonObject>()
  for (const line of lines) {
    if (typeof line.parentUuid === 'string' && isPrompt(line) && line.isSidechain !== true)
      lastPrompt.set(line.parentUuid, line)
  }
  const dropped = new Set<unknown>()
  return lines.filter((line) => {
    const parent = line.parentUuid
    const kept = typeof parent === 'string' ? lastPrompt.get(parent) : undefined
    const replaced = kept !== undefined && kept !== line && isPrompt(line) && line.isSidechain !== true
    if (!replaced && !dropped.has(parent ?? '')) return true
    dropped.add(line.uuid)
    at.odd('line on an abandoned branch', anyText(line.uuid))
    return false
  })
}

function readSession(id: string, lines: readonly JsonObject[], at: At): Trace | undefined {
  const subagents = subagentNames(lines)
  const usage = new Map<string, Usage | undefined>()
  let generator = ''
  let run = 0
  let before = ''
  const messages = lines.flatMap((line, i): Message[] => {
    const message = asObject(line.message) ?? {}
    const role = line.type === 'assistant' ? 'assistant' : 'user'
    if (role === 'assistant') {
      const same = JSON.stringify([line.parent_tool_use_id, message.usage])
      if (same !== before) run++
      before = same
      const key = asText(message.id) ?? asText(line.requestId) ?? `run ${run}`
      usage.set(key, readUsage(message.usage) ?? usage.get(key))
      if (generator === '' && message.model !== '<synthetic>') generator = asText(message.model) ?? ''
    }
    const agent = role === 'assistant' ? subagentOf(line, subagents) : undefined
    const origin = asText(line.uuid) === undefined ? i : `${line.uuid}`
    const read = readMessages({ role, content: message.content }, role, at)
    return read.map((m) => ({ ...m, origin, ...(agent !== undefined && { agent }) }))
  })
  const unique = uniqueOrigins(messages)
  if (messages.length === 0) return undefined
  const head = { id, generator, dataset: 'claude-code', usage: totalUsage([...usage.values()]) }
  return traceFromConversation({ messages: unique }, head, at)
}

/** A line that was written twice with different content keeps its own origin. */
function uniqueOrigins(messages: readonly Message[]): Message[] {
  const seen = new Set<unknown>()
  return messages.map((message, i) => {
    const origin = seen.has(message.origin) ? `${message.origin}#${i}` : message.origin
    seen.add(origin)
    return { ...message, ...(origin !== undefined && { origin }) }
  })
}

/** Type of the subagent by the id of the call that started it. */
function subagentNames(lines: readonly JsonObject[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const line of lines) {
    for (const block of objects(asList(asObject(line.message)?.content))) {
      const type = asText(asObject(block.input)?.subagent_type)
      if (typeof block.id === 'string' && type !== undefined) names.set(block.id, type)
    }
  }
  return names
}

function subagentOf(line: JsonObject, names: ReadonlyMap<string, string>): string | undefined {
  if (typeof line.parent_tool_use_id === 'string') return names.get(line.parent_tool_use_id) ?? 'subagent'
  return line.isSidechain === true ? (asText(line.agentId) ?? 'subagent') : undefined
}

function writeSession(trace: Trace): JsonObject[] {
  const { messages } = conversationFromTrace(trace)
  const opening = messages.findIndex((m) => m.role !== 'system')
  const turns = opening === -1 ? [] : messages.slice(opening)
  const measured = turns.find((m) => m.role === 'assistant')
  return turns.map((turn, i) => {
    const spoken = turn.role === 'assistant'
    const { usage } = trace
    return {
      parentUuid: i === 0 ? null : uuidOf(trace, i - 1),
      isSidechain: spoken && turn.agent !== undefined,
      ...(spoken && turn.agent !== undefined && { agentId: turn.agent }),
      sessionId: trace.id,
      type: spoken ? 'assistant' : 'user',
      uuid: uuidOf(trace, i),
      message: present<JsonObject>({
        id: spoken ? `msg_${i}` : undefined,
        role: spoken ? 'assistant' : 'user',
        model: spoken ? asText(trace.source.generator) : undefined,
        content: turn.parts.flatMap(writeBlock),
        usage: usage && turn === measured ? writeUsage(usage) : undefined,
      }),
    }
  })
}

/** Anthropic counts what was read from the cache outside the input. */
const writeUsage = (usage: Usage): JsonObject => ({
  input_tokens: usage.promptTokens - usage.cachedTokens,
  cache_read_input_tokens: usage.cachedTokens,
  output_tokens: usage.completionTokens,
})

function uuidOf(trace: Trace, i: number): string {
  const hash = contentHash(`${trace.id} ${i}`)
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-')
}
