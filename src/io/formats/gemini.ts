import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, traceFromConversation } from './conversation.ts'
import { type Format, hasFields, others, place, share } from './format.ts'
import { joinTexts, lastUsage } from './gemini-cli.ts'
import { asObject, asText, type JsonObject, objects, present } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { functionTool, objectInput, ownExtra, withoutSystem } from './write-messages.ts'

const NAME = 'gemini'

/**
 * Gemini API bodies: a response, the chunks of a streamed one, or request and response together. Calls have no id here:
 * a result belongs to the oldest open call of its name.
 *
 * Written as `{request, response}` with ids of calls, which newer models give; the response is the last message of the
 * model, empty where someone else spoke last. Names of agents, costs and the number of calls have no place.
 */
export const gemini: Format = {
  name: NAME,
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
      dataset: NAME,
      usage: lastUsage(chunks),
      extra: others(last, 'candidates', 'contents', 'tools', 'request', 'response', 'systemInstruction'),
    }
    return [traceFromConversation({ messages, tools: readTools(request.tools) }, head, at)]
  },
  write: (traces) => traces.map(write),
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

function write(trace: Trace): unknown {
  const { messages, tools } = conversationFromTrace(trace)
  const { system, turns } = withoutSystem(messages)
  const answer = turns.at(-1)?.role === 'assistant' ? turns.at(-1) : undefined
  const { usage } = trace
  return {
    request: present<JsonObject>({
      contents: (answer ? turns.slice(0, -1) : turns).map(writeContent),
      systemInstruction: system.length > 0 ? { parts: system.map((text) => ({ text })) } : undefined,
      tools: tools && [{ functionDeclarations: tools.map(functionTool) }],
    }),
    response: present<JsonObject>({
      ...ownExtra(trace, NAME),
      candidates: [{ content: answer ? writeContent(answer) : { role: 'model', parts: [] } }],
      modelVersion: asText(trace.source.generator),
      responseId: trace.id,
      usageMetadata: usage && {
        promptTokenCount: usage.promptTokens,
        candidatesTokenCount: usage.completionTokens,
        cachedContentTokenCount: usage.cachedTokens,
      },
    }),
  }
}

const writeContent = ({ role, parts }: Message): JsonObject => ({
  role: role === 'assistant' ? 'model' : 'user',
  parts: parts.map(writeGeminiPart),
})

export function writeGeminiPart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { text: part.text }
    case 'reasoning':
      return { text: part.text, thought: true }
    case 'call':
      return { functionCall: present<JsonObject>({ id: part.id, name: part.name, args: objectInput(part.input) }) }
    case 'result': {
      const response = part.isError ? { error: part.output } : { output: part.output }
      return { functionResponse: present<JsonObject>({ id: part.id, name: part.name, response }) }
    }
    case 'image':
      return { type: 'image', image: part.path, mediaType: part.mediaType }
  }
}
