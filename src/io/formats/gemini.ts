import { GradusError } from '../../core/errors.ts'
import { type Message, traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, place, share } from './format.ts'
import { joinTexts, lastUsage } from './gemini-cli.ts'
import { asObject, asText, type JsonObject, objects } from './loose.ts'
import { readMessages, readTools } from './messages.ts'

/**
 * Gemini API bodies: a response, the chunks of a streamed one, or request and response together. Calls have no id here:
 * a result belongs to the oldest open call of its name.
 */
export const gemini: Format = {
  name: 'gemini',
  summary: 'request and response bodies of the Gemini API',
  home: 'https://ai.google.dev/api/generate-content',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => isBody(r) || (isBody(asObject(r)?.response) && !hasFields(r, 'method'))),
  oneRecord: (document) => document.length > 0 && document.every(isBody),
  read(record, at) {
    const exchange = asObject(record) ?? {}
    const chunks = Array.isArray(record) ? objects(record) : [asObject(exchange.response) ?? exchange]
    const request: JsonObject = { ...exchange, ...asObject(exchange.request) }
    const parts = chunks
      .flatMap((c) => readMessages({ candidates: c.candidates }, 'assistant', at))
      .flatMap((m) => m.parts)
    const answer: Message[] = parts.length > 0 ? [{ role: 'assistant', parts: joinTexts(parts) }] : []
    const messages = [
      ...(request.contents === undefined ? [] : readMessages(systemAnd(request), 'user', at)),
      ...answer,
    ]
    if (messages.length === 0)
      throw new GradusError('GRD-IO-012', { where: place(at, 'candidates'), found: 'no content' })
    const last = chunks.at(-1) ?? {}
    const head = {
      id: asText(last.responseId) ?? `${at.stem}-${at.line}`,
      generator: asText(last.modelVersion) ?? asText(request.model) ?? '',
      dataset: 'gemini',
      usage: lastUsage(chunks),
      extra: others(last, 'candidates', 'contents', 'tools', 'request', 'response', 'systemInstruction'),
    }
    return [traceFromConversation({ messages, tools: readTools(request.tools) }, head, at)]
  },
}

const systemAnd = ({ contents, systemInstruction, system_instruction }: JsonObject): JsonObject => ({
  contents,
  systemInstruction: systemInstruction ?? system_instruction,
})

/** Candidates with content; usage may be absent. */
function isBody(value: unknown): boolean {
  if (!hasFields(value, 'candidates')) return false
  return objects(asObject(value)?.candidates).some((c) => hasFields(c, 'content'))
}
