import type { Trace, Usage } from '../../core/words.ts'
import type { Message, Part, Result, Tool } from './conversation.ts'
import { others } from './format.ts'
import { asObject, type JsonObject, present } from './loose.ts'

/** What the trace keeps of a record of this very format, for writing back. */
export function ownExtra(trace: Trace, name: string): JsonObject | undefined {
  return trace.source.dataset === name && trace.extra ? others(trace.extra, 'failedCalls') : undefined
}

/**
 * Messages for formats whose assistant says at most one reasoning, one text and then calls: a message in another order
 * becomes several.
 */
export function inPlainOrder(messages: readonly Message[]): Message[] {
  const rank: Record<Part['type'], number> = { reasoning: 0, text: 1, image: 1, call: 2, result: 3 }
  return messages.flatMap((message): Message[] => {
    if (message.role !== 'assistant') return [message]
    const out: Message[] = []
    let last = Number.POSITIVE_INFINITY
    for (const part of message.parts) {
      const here = rank[part.type]
      const open = out.at(-1)
      if (open && (here > last || (here === last && part.type === 'call'))) open.parts.push(part)
      else out.push({ ...message, parts: [part] })
      last = here
    }
    return out
  })
}

export const textsOf = (message: Message): string =>
  message.parts.flatMap((p) => (p.type === 'text' ? [p.text] : [])).join('\n\n')

export const reasoningOf = (message: Message): string | undefined =>
  message.parts.find((p) => p.type === 'reasoning')?.text

/** The leading system messages of a conversation, and what comes after. */
export function withoutSystem(messages: readonly Message[]): { system: string[]; turns: Message[] } {
  const first = messages.findIndex((m) => m.role !== 'system')
  const end = first === -1 ? messages.length : first
  return { system: messages.slice(0, end).map(textsOf), turns: messages.slice(end) }
}

/** Tokens under the names of the OpenAI Responses and Anthropic APIs, cache inside the input. */
export const inputOutputTokens = (usage: Usage): JsonObject => ({
  input_tokens: usage.promptTokens,
  output_tokens: usage.completionTokens,
})

export const functionTool = ({ name, description, parameters }: Tool): JsonObject =>
  present<JsonObject>({ name, description, parameters })

/** Arguments as providers write them: JSON text. */
export const asArguments = (input: unknown): string =>
  typeof input === 'string' ? input : (JSON.stringify(input) ?? '{}')

/** The result of each call, for formats that keep both together; `orphan`: some result has no call. */
export function pairedResults(messages: readonly Message[]): { results: Map<Part, Result>; orphan: boolean } {
  const open = new Map<string | undefined, Part[]>()
  const results = new Map<Part, Result>()
  let orphan = false
  for (const part of messages.flatMap((m) => m.parts)) {
    if (part.type === 'call') open.set(part.id, [...(open.get(part.id) ?? []), part])
    if (part.type !== 'result') continue
    const call = open.get(part.id)?.pop()
    if (call) results.set(call, part)
    else orphan = true
  }
  return { results, orphan }
}

/** Input for providers that know objects only. */
export const objectInput = (input: unknown): JsonObject => asObject(input) ?? { input }
