import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, type Result, traceFromConversation } from './conversation.ts'
import { type At, type Format, hasFields, place, share } from './format.ts'
import { asList, asNumber, asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages } from './messages.ts'
import { call, readPart } from './messages-parts.ts'
import { readUsage, totalUsage } from './usage.ts'
import { cannotHold } from './write.ts'
import { inPlainOrder, objectInput, pairedResults } from './write-messages.ts'

/**
 * Gemini CLI: chat sessions (JSON, or JSONL with a header line) and recordings of model responses, one call a line.
 *
 * In a session a call and its result stand in one record. In a recording there are no results, the pieces of a stream
 * are joined, and of their usages the last counts.
 *
 * Written as a session in JSONL, one a file. System text, definitions of tools, names of agents, costs and the number
 * of calls have no place, input that is no object is put into one; neither has a result without its call, whose trace cannot be held.
 */
export const geminiCli: Format = {
  name: 'gemini-cli',
  summary: 'chat sessions and recorded model responses of the Gemini CLI',
  home: 'https://github.com/google-gemini/gemini-cli',
  container: 'jsonl',
  unit: 'document',
  detect(sample) {
    const [first] = sample.records
    if (hasFields(first, 'sessionId', 'projectHash')) return 1
    return Math.max(
      share(sample, isRecorded),
      share(sample, (r) => asObject(r)?.type === 'gemini' && hasFields(r, 'content')),
    )
  },
  read(record, at) {
    const records = objects(record)
    return [records.some(isRecorded) ? readRecording(records, at) : readSession(records, at)]
  },
  single: true,
  write: (traces) => traces.flatMap(writeSession),
}

const isRecorded = (record: unknown): boolean =>
  /^generateContent/.test(anyText(asObject(record)?.method)) && hasFields(record, 'response')

function readSession(records: readonly JsonObject[], at: At): Trace {
  const header = records[0] ?? {}
  const listed = records.flatMap((r) => (Array.isArray(r.messages) ? objects(r.messages) : [r]))
  const latest = new Map<unknown, JsonObject>()
  listed.forEach((m, i) => {
    if (m.type !== undefined) latest.set(m.id ?? i, m)
  })
  const lines = [...latest.values()].filter((m) => m.type === 'user' || m.type === 'gemini')
  if (lines.length === 0) throw new GradusError('GRD-IO-012', { where: place(at), found: 'no messages of a session' })
  const messages = lines.map((line, i): Message => {
    const role = line.type === 'gemini' ? 'assistant' : 'user'
    const said = asList(typeof line.content === 'string' ? [line.content] : line.content).flatMap((p) =>
      readPart(p, role, at),
    )
    const parts = [...thoughtsOf(line), ...said, ...objects(line.toolCalls).flatMap((c) => readCall(c, at))]
    return { role, parts, origin: asText(line.id) ?? i }
  })
  const head = {
    id: asText(header.sessionId) ?? at.stem,
    generator: lines.map((l) => asText(l.model)).find((m) => m !== undefined) ?? '',
    dataset: 'gemini-cli',
    usage: totalUsage(lines.map((l) => readTokens(l.tokens))),
  }
  return traceFromConversation({ messages }, head, at)
}

function thoughtsOf(line: JsonObject): Part[] {
  return objects(line.thoughts).map((t) => {
    const text = [t.subject, t.description].filter((s) => typeof s === 'string' && s !== '').join('\n')
    return { type: 'reasoning', text }
  })
}

function readCall(recorded: JsonObject, at: At): Part[] {
  const id = asText(recorded.id)
  const results = asList(recorded.result)
    .flatMap((r) => readPart(r, 'tool', at))
    .flatMap((p) => (p.type === 'result' ? [p] : []))
  const failed = recorded.status === 'error' || undefined
  const first = results[0]
  const output = first?.output ?? asText(recorded.error) ?? asText(recorded.resultDisplay)
  const parts: Part[] = [call(id, recorded.name, recorded.args)]
  if (output !== undefined) {
    parts.push(
      present<Extract<Part, { type: 'result' }>>({ type: 'result', output, id, isError: failed ?? first?.isError }),
    )
  }
  return parts
}

/** The session's own names; tool tokens are prompt, thoughts are completion. */
function readTokens(value: unknown): Usage | undefined {
  const tokens = asObject(value)
  if (!tokens) return undefined
  const n = (name: string): number => asNumber(tokens[name]) ?? 0
  const promptTokens = n('input') + n('tool')
  return {
    calls: 1,
    promptTokens,
    completionTokens: n('output') + n('thoughts'),
    cachedTokens: n('cached'),
    seconds: 0,
  }
}

function readRecording(records: readonly JsonObject[], at: At): Trace {
  const calls = records
    .filter(isRecorded)
    .map((r) => (Array.isArray(r.response) ? objects(r.response) : objects([r.response])))
  const messages = calls.flatMap((chunks, i) => {
    const parts = chunks
      .flatMap((chunk) => readMessages({ candidates: chunk.candidates }, 'assistant', at))
      .flatMap((m) => m.parts)
    return parts.length > 0 ? [{ role: 'assistant', parts: joinTexts(parts), origin: i } satisfies Message] : []
  })
  const head = {
    id: at.stem,
    generator: calls.flatMap((chunks) => asText(chunks.at(-1)?.modelVersion) ?? [])[0] ?? '',
    dataset: 'gemini-cli',
    usage: totalUsage(calls.map((chunks) => lastUsage(chunks))),
  }
  return traceFromConversation({ messages }, head, at)
}

/** Pieces of streamed text, and of thinking, as one. */
export function joinTexts(parts: readonly Part[]): Part[] {
  const out: Part[] = []
  for (const part of parts) {
    const last = out.at(-1)
    if ((part.type === 'text' || part.type === 'reasoning') && last?.type === part.type) {
      out[out.length - 1] = { ...last, text: last.text + part.text }
    } else out.push(part)
  }
  return out
}

export function lastUsage(chunks: readonly JsonObject[]): Usage | undefined {
  return readUsage(chunks.findLast((chunk) => asObject(chunk.usageMetadata))?.usageMetadata)
}

function writeSession(trace: Trace): JsonObject[] {
  const messages = inPlainOrder(conversationFromTrace(trace).messages)
  const { results, orphan } = pairedResults(messages)
  if (orphan) throw cannotHold(trace, 'gemini-cli', 'a result without its call', 'results of calls only')
  const opening = messages.findIndex((m) => m.role !== 'system')
  const turns = opening === -1 ? [] : messages.slice(opening).filter((m) => m.role !== 'tool')
  const measured = turns.find((m) => m.role === 'assistant')
  return [
    { sessionId: trace.id, projectHash: '' },
    ...turns.map((turn, i) => writeLine(turn, `${i}`, results, turn === measured ? trace : undefined)),
  ]
}

function writeLine(turn: Message, id: string, results: ReadonlyMap<Part, Result>, measured?: Trace): JsonObject {
  const content = turn.parts.flatMap((p): JsonObject[] => {
    if (p.type === 'text') return [{ text: p.text }]
    return p.type === 'image' ? [{ type: 'image', image: p.path, mediaType: p.mediaType }] : []
  })
  if (turn.role !== 'assistant') return { id, type: 'user', content }
  const thoughts = turn.parts.flatMap((p) => (p.type === 'reasoning' ? [{ description: p.text }] : []))
  const toolCalls = turn.parts.flatMap((p) => (p.type === 'call' ? [writeCall(p, results.get(p))] : []))
  const usage = measured?.usage
  return present<JsonObject>({
    id,
    type: 'gemini',
    content,
    model: asText(measured?.source.generator),
    thoughts: thoughts.length > 0 ? thoughts : undefined,
    toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
    tokens: usage && { input: usage.promptTokens, output: usage.completionTokens, cached: usage.cachedTokens },
  })
}

function writeCall(asked: Extract<Part, { type: 'call' }>, result: Result | undefined): JsonObject {
  const response = result && { [result.isError ? 'error' : 'output']: result.output }
  return present<JsonObject>({
    id: asked.id,
    name: asked.name,
    args: objectInput(asked.input),
    status: result?.isError ? 'error' : result ? 'success' : 'executing',
    result: response && [{ functionResponse: { id: asked.id, name: asked.name, response } }],
  })
}
