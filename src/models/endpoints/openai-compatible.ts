import { z } from 'zod'
import { Fault } from '../../engine/fault.ts'
import { jsonClient } from './client.ts'
import type { ChatRequest, Embedded, Endpoint, Generation, Price, Scored, TextRequest } from './endpoint.ts'
import { probe } from './probe.ts'
import { readStream } from './stream.ts'
import type { BodyOptions, Json } from './wire.ts'
import { chatBody, isRecord, parseAnswer, readChoice, readUsage, SCHEMA_FIELDS, textBody } from './wire.ts'

const price = z.strictObject({
  prompt: z.number().nonnegative().describe('US dollars for a million prompt tokens'),
  completion: z.number().nonnegative().describe('US dollars for a million completion tokens'),
  cached: z.number().nonnegative().exactOptional().describe('the same for prompt tokens from the endpoint cache'),
})

/** How an endpoint stands in a configuration file; unknown fields are refused, so that no key is written there. */
export const OPENAI_COMPATIBLE_OPTIONS = z.strictObject({
  url: z.string().describe('base address, with /v1 where the server has it'),
  model: z.string().min(1).describe('name of the model at the server'),
  keyFrom: z.string().exactOptional().describe('NAME of the environment variable with the key; none is sent without'),
  name: z
    .string()
    .min(1)
    .exactOptional()
    .describe('for people and for the cache: servers of one name share what was paid for; the address where absent'),
  stream: z
    .boolean()
    .exactOptional()
    .describe('stream answers: a stream that breaks keeps the completions that had ended'),
  concurrency: z.int().positive().exactOptional().describe('calls under way at most'),
  schemaField: z
    .enum(SCHEMA_FIELDS)
    .exactOptional()
    .describe(
      'how a JSON Schema is sent: response_format (default), guided_json (vLLM before 0.12), structured_outputs',
    ),
  maxTokensField: z
    .enum(['max_tokens', 'max_completion_tokens'])
    .exactOptional()
    .describe('how the limit of a chat answer is sent; some hosted reasoning models want max_completion_tokens'),
  price: price.exactOptional().describe('for budgets and reports in money'),
})
export type OpenAiCompatibleOptions = z.input<typeof OPENAI_COMPATIBLE_OPTIONS>

/**
 * Any server that speaks the OpenAI protocol: vLLM, SGLang, llama.cpp, Ollama, hosted ones.
 * @throws GradusError GRD-CLI-002 for an address that is none or that holds a secret
 */
export function openAiCompatible(options: OpenAiCompatibleOptions): Endpoint {
  const { base, hide, open, ask } = jsonClient(options)
  const name = options.name ?? base.href
  const bodyOptions = (n: number): BodyOptions => ({
    model: options.model,
    n,
    stream: options.stream ?? false,
    schemaField: options.schemaField ?? 'response_format',
    maxTokensField: options.maxTokensField ?? 'max_tokens',
  })

  async function generation(
    path: string,
    body: Json,
    n: number,
    request: ChatRequest | TextRequest,
    promptChars: number,
    signal: AbortSignal,
  ): Promise<Generation> {
    const wantsLogprobs = request.logprobs !== undefined
    const price = options.price && { price: options.price }
    const reply = await open(path, body, signal)
    let result: Generation
    if (String(reply.headers['content-type']).includes('text/event-stream')) {
      result = await readStream(reply.chunks(), { promptChars, wantsLogprobs, ...price, hide }, signal)
    } else {
      result = readGeneration(parseAnswer(hide(await reply.text())), promptChars, wantsLogprobs, options.price)
    }
    const got = result.completions.length
    if (got < n && !result.fault) {
      result.fault = new Fault('GRD-CALL-008', { found: String(got), expected: String(n) })
    }
    if (got > n) result.completions = result.completions.slice(0, n)
    if (got > 0 || !result.fault) return result
    throw new Fault(result.fault.code, { ...details(result.fault), usage: result.usage })
  }

  const endpoint: Endpoint = {
    name,
    model: options.model,
    identity: { kind: 'openai', name, model: options.model },
    pool: `${base.href} ${options.model}`,
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options.price && { price: options.price }),
    generate: (request, n, signal) =>
      generation('chat/completions', chatBody(request, bodyOptions(n)), n, request, promptLength(request), signal),
    complete: (request, n, signal) =>
      generation('completions', textBody(request, bodyOptions(n)), n, request, request.prompt.length, signal),
    async logprobs(text, via, signal) {
      const how = via === 'echo' ? { echo: true, logprobs: 0, max_tokens: 1 } : { prompt_logprobs: 0, max_tokens: 1 }
      const answer = await ask('completions', { model: options.model, prompt: text, temperature: 0, ...how }, signal)
      const choice: unknown = Array.isArray(answer['choices']) ? answer['choices'][0] : undefined
      const tokens = isRecord(choice)
        ? via === 'echo'
          ? readEcho(choice, text)
          : readPromptLogprobs(choice, text)
        : null
      const usage = readUsage(answer['usage'], text.length, [], options.price)
      if (tokens) return { tokens, usage }
      throw new Fault('GRD-CALL-007', { found: 'log-probabilities that do not fit the text', usage })
    },
    async embed(texts, signal) {
      const answer = await ask('embeddings', { model: options.model, input: texts }, signal)
      const chars = texts.reduce((sum, text) => sum + text.length, 0)
      const usage = readUsage(answer['usage'], chars, [], options.price)
      const vectors = readVectors(answer['data'], texts.length)
      if (vectors) return { vectors, usage } satisfies Embedded
      throw new Fault('GRD-CALL-007', { found: 'embeddings that do not fit the texts', usage })
    },
    capabilities: (signal) =>
      probe(
        endpoint,
        {
          models: () => ask('models', null, signal),
          streams: async (prompt, maxTokens, api) => {
            const streaming = { ...bodyOptions(1), stream: true }
            const body =
              api === 'chat'
                ? chatBody({ messages: [{ role: 'user', content: prompt }], maxTokens }, streaming)
                : textBody({ prompt, maxTokens }, streaming)
            const reply = await open(api === 'chat' ? 'chat/completions' : 'completions', body, signal)
            await reply.text()
            return String(reply.headers['content-type']).includes('text/event-stream')
          },
        },
        signal,
      ),
  }
  return endpoint
}

function promptLength(request: ChatRequest): number {
  return request.messages.reduce((sum, message) => sum + message.content.length, 0)
}

function readGeneration(answer: Json, promptChars: number, wantsLogprobs: boolean, price?: Price): Generation {
  const { choices } = answer
  if (!Array.isArray(choices)) {
    throw new Fault('GRD-CALL-007', {
      found: `an answer with ${Object.keys(answer).slice(0, 8).join(', ') || 'nothing in it'}`,
      expected: 'choices',
      usage: readUsage(answer['usage'], promptChars, [], price),
    })
  }
  const read = choices.map((choice) => readChoice(choice, wantsLogprobs))
  const completions = read.filter((choice) => choice !== null)
  const usage = readUsage(
    answer['usage'],
    promptChars,
    completions.map((completion) => completion.text),
    price,
  )
  const unreadable = read.length - completions.length
  if (unreadable === 0) return { completions, usage }
  return { completions, usage, fault: new Fault('GRD-CALL-007', { found: `${unreadable} choices without a text` }) }
}

/** `echo` gives prompt and answer in one list; the prompt's part ends with the prompt's text. */
function readEcho(choice: Json, text: string): Scored['tokens'] | null {
  const logprobs = choice['logprobs']
  if (!isRecord(logprobs)) return null
  const { tokens, token_logprobs: values } = logprobs
  if (!Array.isArray(tokens) || !Array.isArray(values) || tokens.length !== values.length) return null
  const scored: Scored['tokens'] = []
  let joined = ''
  for (const [i, token] of tokens.entries()) {
    if (joined.length >= text.length) break
    if (typeof token !== 'string') return null
    joined += token
    scored.push({ token, logprob: typeof values[i] === 'number' ? values[i] : null })
  }
  return joined === text && scored.slice(1).every((one) => one.logprob !== null) ? scored : null
}

/**
 * vLLM: a list with null for the first token, then a record by token id with the prompt's own token and perhaps more
 * probable ones. Number-like keys lose their order in JavaScript, so the own token is found by the text, from its end.
 */
function readPromptLogprobs(choice: Json, text: string): Scored['tokens'] | null {
  const list = choice['prompt_logprobs']
  if (!Array.isArray(list) || list.length === 0) return null
  const scored: Scored['tokens'] = []
  let end = text.length
  for (let i = list.length - 1; i >= 1; i--) {
    const entries = (isRecord(list[i]) ? Object.values(list[i]) : []).flatMap((entry) =>
      isRecord(entry) && typeof entry['logprob'] === 'number' && typeof entry['decoded_token'] === 'string'
        ? [{ token: entry['decoded_token'], logprob: entry['logprob'] }]
        : [],
    )
    const fits = entries
      .filter((entry) => entry.token !== '' && text.endsWith(entry.token, end))
      .sort((a, b) => b.token.length - a.token.length)
    // A token that is part of a character shows a replacement sign: without a rival it needs no proof.
    const own = fits[0] ?? (entries.length === 1 ? entries[0] : undefined)
    if (!own) return null
    if (fits[0]) end -= own.token.length
    scored.push(own)
  }
  scored.push({ token: text.slice(0, Math.max(0, end)), logprob: null })
  return scored.reverse()
}

/** By `index`: the protocol does not promise an order. */
function readVectors(data: unknown, n: number): number[][] | null {
  if (!Array.isArray(data) || data.length !== n) return null
  const vectors: number[][] = []
  for (const [at, one] of data.entries()) {
    if (!isRecord(one) || !Array.isArray(one['embedding'])) return null
    if (!one['embedding'].every((x) => typeof x === 'number' && Number.isFinite(x))) return null
    vectors[typeof one['index'] === 'number' ? one['index'] : at] = one['embedding']
  }
  return vectors.length === n && Object.keys(vectors).length === n ? vectors : null
}

function details(fault: Fault) {
  return {
    ...(fault.found !== undefined && { found: fault.found }),
    ...(fault.expected !== undefined && { expected: fault.expected }),
    ...(fault.retryAfterMs !== undefined && { retryAfterMs: fault.retryAfterMs }),
    try: fault.try,
    cause: fault.cause,
  }
}
