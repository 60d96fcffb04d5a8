import type { Usage } from '../../core/words.ts'
import { Fault } from '../../engine/fault.ts'
import { parseRetryAfter } from '../../engine/retry.ts'
import type { ChatRequest, Completion, Price, TextRequest, TokenLogprob, ToolCall } from './endpoint.ts'

/** The OpenAI protocol as servers really speak it: bodies of requests, and careful reading of what comes back. */

export type Json = Record<string, unknown>

/** How a server wants a JSON Schema: vLLM took `guided_json` until 0.12 and takes `structured_outputs` since. */
export const SCHEMA_FIELDS = ['response_format', 'guided_json', 'structured_outputs'] as const
export type SchemaField = (typeof SCHEMA_FIELDS)[number]

export interface BodyOptions {
  model: string
  n: number
  stream: boolean
  schemaField: SchemaField
  maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

export function chatBody(request: ChatRequest, options: BodyOptions): Json {
  return {
    model: options.model,
    messages: request.messages.map((message) => ({
      role: message.role,
      content: message.content,
      ...(message.toolCallId !== undefined && { tool_call_id: message.toolCallId }),
      ...(message.toolCalls && {
        tool_calls: message.toolCalls.map(({ id, name, input }) => ({
          id,
          type: 'function',
          function: { name, arguments: input },
        })),
      }),
    })),
    ...(request.tools && { tools: request.tools.map((tool) => ({ type: 'function', function: tool })) }),
    ...(request.toolChoice && { tool_choice: request.toolChoice }),
    ...(request.continueLast && { continue_final_message: true, add_generation_prompt: false }),
    ...(request.logprobs !== undefined && { logprobs: true, top_logprobs: request.logprobs }),
    ...common(request, options),
  }
}

export function textBody(request: TextRequest, options: BodyOptions): Json {
  return {
    model: options.model,
    prompt: request.prompt,
    ...(request.logprobs !== undefined && { logprobs: request.logprobs }),
    ...common(request, { ...options, maxTokensField: 'max_tokens' }),
  }
}

function common(request: ChatRequest | TextRequest, options: BodyOptions): Json {
  const { schema } = request
  const schemas: Record<SchemaField, unknown> = {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
    guided_json: schema,
    structured_outputs: { json: schema },
  }
  return {
    ...(request.maxTokens !== undefined && { [options.maxTokensField]: request.maxTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.topP !== undefined && { top_p: request.topP }),
    ...(request.stop && { stop: request.stop }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(options.n > 1 && { n: options.n }),
    ...(schema !== undefined && { [options.schemaField]: schemas[options.schemaField] }),
    ...(options.stream && { stream: true, stream_options: { include_usage: true } }),
    ...request.extra,
  }
}

/** Phrases by which servers say that the prompt is too long: OpenAI, vLLM, llama.cpp, TGI, SGLang, Anthropic. */
const CONTEXT =
  /context[_ ](?:length|size|window)|maximum context|exceeds? the (?:available )?context|too many (?:input )?tokens|(?:prompt|input).{0,40}(?:too long|longer than)|must have less than \d+ tokens/i

/** Why a server said no. @param text body, already redacted */
export function statusFault(status: number, headers: Record<string, unknown>, text: string): Fault {
  const message = errorMessage(text)
  const found = `status ${status}${message === '' ? '' : `: ${message}`}`
  const retryAfterMs = askedWait(headers)
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 401 || status === 403)
    return new Fault('GRD-CALL-002', { found, try: ['check the key and its rights'] })
  if (status === 402 || /insufficient_quota|exceeded your current quota/i.test(text)) {
    return new Fault('GRD-CALL-012', { found, try: ['check the plan and the balance at the provider'] })
  }
  if (status === 429 || status === 503 || status === 529) return new Fault('GRD-CALL-003', { found, ...wait })
  if (status >= 500 || status === 408 || status === 409 || status === 425) {
    return new Fault('GRD-CALL-004', { found, ...wait })
  }
  if (CONTEXT.test(message)) {
    return new Fault('GRD-CALL-009', {
      found,
      try: ['a shorter prompt', 'fewer tokens for the answer', 'a longer context'],
    })
  }
  return new Fault('GRD-CALL-010', { found })
}

/** `retry-after-ms` is finer, where a server sends both. */
function askedWait(headers: Record<string, unknown>): number | undefined {
  const text = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' ? value : undefined
  }
  const fine = Number(text('retry-after-ms') ?? Number.NaN)
  return fine >= 0 ? fine : parseRetryAfter(text('retry-after'), Date.now())
}

function errorMessage(text: string): string {
  const parsed = tryParse(text)
  const error = isRecord(parsed) ? (parsed['error'] ?? parsed['message'] ?? parsed['detail']) : undefined
  const message = isRecord(error) ? error['message'] : error
  return excerpt(typeof message === 'string' ? message : text)
}

/** @throws Fault GRD-CALL-007 when the text is no JSON object, or the fault that it tells of */
export function parseAnswer(text: string): Json {
  const parsed = tryParse(text)
  if (!isRecord(parsed)) throw new Fault('GRD-CALL-007', { found: excerpt(text) || 'an empty body', expected: 'JSON' })
  throwIfError(parsed)
  return parsed
}

/** Some gateways tell of errors with status 200. */
export function throwIfError(parsed: Json): void {
  const error = parsed['error']
  if (error === undefined || error === null) return
  const code = isRecord(error) ? Number(error['code'] ?? error['status']) : Number.NaN
  throw statusFault(code >= 400 && code < 600 ? code : 500, {}, JSON.stringify(parsed))
}

/** One choice, or null where it cannot be read as a completion. */
export function readChoice(choice: unknown, wantsLogprobs: boolean): Completion | null {
  if (!isRecord(choice)) return null
  const message = choice['message']
  const text = isRecord(message) ? contentText(message['content']) : choice['text']
  if (typeof text !== 'string') return null
  const completion: Completion = { text, finish: readFinish(choice['finish_reason']) }
  if (isRecord(message)) {
    const reasoning = message['reasoning_content'] ?? message['reasoning']
    if (typeof reasoning === 'string' && reasoning !== '') completion.reasoning = reasoning
    const calls = readToolCalls(message['tool_calls'])
    if (calls.length > 0) completion.toolCalls = calls
  }
  if (wantsLogprobs) {
    const tokens = readLogprobs(choice['logprobs'])
    if (tokens) completion.tokens = tokens
    else completion.faults = ['logprobs']
  }
  return completion
}

/** null stands for an empty text: a model that only called tools, or wrote nothing. */
function contentText(content: unknown): string | null {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return null
  return content.map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

export function readFinish(reason: unknown): Completion['finish'] {
  if (reason === 'stop' || reason === 'length') return reason
  if (reason === 'tool_calls' || reason === 'function_call') return 'tool-calls'
  return reason === 'content_filter' ? 'filter' : 'other'
}

function readToolCalls(calls: unknown): ToolCall[] {
  if (!Array.isArray(calls)) return []
  return calls.flatMap((call, i): ToolCall[] => {
    const made = isRecord(call) ? call['function'] : undefined
    if (!isRecord(call) || !isRecord(made) || typeof made['name'] !== 'string') return []
    const { arguments: input } = made
    const id = typeof call['id'] === 'string' ? call['id'] : `call-${i}`
    return [{ id, name: made['name'], input: typeof input === 'string' ? input : JSON.stringify(input ?? {}) }]
  })
}

/** Both shapes: `{content: [{token, logprob, top_logprobs}]}` and `{tokens, token_logprobs, top_logprobs}`. */
export function readLogprobs(logprobs: unknown): TokenLogprob[] | null {
  if (!isRecord(logprobs)) return null
  const { content, tokens, token_logprobs: values, top_logprobs: tops } = logprobs
  const read: TokenLogprob[] = []
  if (Array.isArray(content)) {
    for (const entry of content) {
      if (!isRecord(entry) || !isToken(entry['token'], entry['logprob'])) return null
      read.push({ token: entry['token'], logprob: entry['logprob'] as number, ...readTop(entry['top_logprobs']) })
    }
    return read
  }
  if (!Array.isArray(tokens) || !Array.isArray(values) || tokens.length !== values.length) return null
  for (const [i, token] of tokens.entries()) {
    if (!isToken(token, values[i])) return null
    read.push({ token, logprob: values[i] as number, ...readTop(Array.isArray(tops) ? tops[i] : undefined) })
  }
  return read
}

function isToken(token: unknown, logprob: unknown): token is string {
  return typeof token === 'string' && typeof logprob === 'number' && logprob <= 1e-6
}

function readTop(top: unknown): { top?: { token: string; logprob: number }[] } {
  const entries: [unknown, unknown][] = Array.isArray(top)
    ? top.map((one) => (isRecord(one) ? [one['token'], one['logprob']] : [null, null]))
    : isRecord(top)
      ? Object.entries(top)
      : []
  const read = entries.flatMap(([token, logprob]) =>
    isToken(token, logprob) ? [{ token, logprob: logprob as number }] : [],
  )
  return read.length === 0 ? {} : { top: read.sort((a, b) => b.logprob - a.logprob) }
}

/** What the answer says it cost; characters / 4 (English text, common tokenizers) where it does not. */
export function readUsage(
  usage: unknown,
  promptChars: number,
  texts: readonly string[],
  price?: Price,
): Partial<Usage> {
  const counted = isRecord(usage) ? usage : {}
  const details = counted['prompt_tokens_details']
  const count = (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
  const promptTokens = count(counted['prompt_tokens']) ?? estimateTokens(promptChars)
  const completionTokens =
    count(counted['completion_tokens']) ?? texts.reduce((sum, text) => sum + estimateTokens(text.length), 0)
  const cachedTokens = Math.min(promptTokens, count(isRecord(details) ? details['cached_tokens'] : undefined) ?? 0)
  const read = { promptTokens, completionTokens, cachedTokens }
  return price ? { ...read, cost: costOf(read, price) } : read
}

export function estimateTokens(chars: number): number {
  return Math.ceil(chars / 4)
}

/** US dollars. */
export function costOf(
  { promptTokens, completionTokens, cachedTokens }: Pick<Usage, 'promptTokens' | 'completionTokens' | 'cachedTokens'>,
  price: Price,
): number {
  const fresh = promptTokens - cachedTokens
  return (
    (fresh * price.prompt + cachedTokens * (price.cached ?? price.prompt) + completionTokens * price.completion) / 1e6
  )
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The beginning of a text that may be a whole web page. */
function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 300)}...` : line
}
