import { Fault } from '../../engine/fault.ts'
import type { Sampler } from '../../engine/sampler.ts'
import { type JsonClient, jsonClient } from './client.ts'
import type { Message, Price } from './endpoint.ts'
import { costOf, isRecord, type Json, parseAnswer, tryParse } from './wire.ts'

/** A text, or a chat in the template of the model. */
export type Tokenised = { prompt: string } | { messages: Message[] }

/** What a model says of the token at one place, given all before it. */
export interface Weighed {
  /** Log-probability of the token that stands there; null for the first. */
  own: number | null
  /** Of the tokens asked about; null = not among those that the server names. */
  watched: (number | null)[]
  /** The smallest of those that it names: what is not among them is at most as probable. */
  least: number | null
}

/** What servers of the vLLM kind offer beyond the OpenAI protocol, each as the engine sees it. */
export interface VllmServer {
  /** For people; never holds a key. */
  name: string
  model: string
  identity: unknown
  /** Token ids, special tokens of the template included. */
  tokens: Sampler<Tokenised, number[]>
  /** `/pooling` of given tokens: one row for each place that the server's pooler keeps; null = not a finite number. */
  pooled: Sampler<{ ids: number[] }, (number | null)[][]>
  /**
   * Hidden states of given tokens at some places (`/pooling`, task `token_embed`); null = not a finite number. The
   * answer must have one row for each token, whatever is kept of it.
   */
  hidden: Sampler<{ ids: number[]; at: number[] }, (number | null)[][]>
  /** `prompt_logprobs` of given tokens, one entry a token. */
  weighed: Sampler<{ ids: number[]; watch: number[] }, Weighed[]>
}

/** Alternatives that vLLM names at most unless it was started with more (`--max-logprobs`). */
const TOP = 20

/** vLLM and servers alike; `/tokenize` and `/pooling` lie beside `/v1`, not below it. */
export function vllmServer(options: {
  url: string
  model: string
  keyFrom?: string
  name?: string
  price?: Price
}): VllmServer {
  const client = jsonClient(options)
  const { model, price } = options
  const name = options.name ?? client.base.href
  const root = client.base.pathname.endsWith('/v1/') ? '../' : ''
  const common = <Q>(kind: string, tokensOf: (request: Q) => number) => ({
    identity: [{ kind: 'vllm', name, model }, kind],
    pool: `${client.base.href} ${model}`,
    perCall: () => 1,
    expect: (request: Q) => usageOf(tokensOf(request), price),
  })
  return {
    name,
    model,
    identity: { kind: 'vllm', name, model },
    tokens: {
      ...common('tokens', () => 0),
      async call(request, _, signal) {
        const how = 'messages' in request ? { add_generation_prompt: false } : { add_special_tokens: true }
        const answer = await client.ask(`${root}tokenize`, { model, ...request, ...how }, signal)
        const { tokens } = answer
        if (!isIds(tokens)) throw new Fault('GRD-CALL-007', { found: 'no token ids', expected: 'tokens' })
        return { values: [tokens], usage: {} }
      },
    },
    pooled: {
      ...common<{ ids: number[] }>('pooling', ({ ids }) => ids.length),
      async call({ ids }, _, signal) {
        // Logits: probabilities of a server that knows no such field are told apart by their sums.
        const rows = await pooling(client, `${root}pooling`, { model, input: ids, use_activation: false }, signal)
        return { values: [rows], usage: usageOf(ids.length, price) }
      },
    },
    hidden: {
      ...common<{ ids: number[] }>('hidden', ({ ids }) => ids.length),
      async call({ ids, at }, _, signal) {
        // As they are: without the step to unit length. A server that knows no such field gives them normalised.
        const body = { model, input: ids, task: 'token_embed', use_activation: false }
        const rows = await pooling(client, `${root}pooling`, body, signal)
        const usage = usageOf(ids.length, price)
        if (rows.length === ids.length) return { values: [at.map((place) => rows[place] ?? [])], usage }
        throw new Fault('GRD-CALL-007', {
          found: `${rows.length} states for ${ids.length} tokens`,
          expected: 'one a token',
          usage,
        })
      },
    },
    weighed: {
      ...common<{ ids: number[] }>('weighed', ({ ids }) => ids.length),
      async call({ ids, watch }, _, signal) {
        const body = { model, prompt: ids, max_tokens: 1, temperature: 0, prompt_logprobs: watch.length > 0 ? TOP : 0 }
        const answer = await client.ask('completions', body, signal)
        const choice: unknown = Array.isArray(answer['choices']) ? answer['choices'][0] : undefined
        const given = isRecord(choice) ? choice['prompt_logprobs'] : undefined
        const usage = usageOf(ids.length, price)
        if (!Array.isArray(given) || given.length !== ids.length) {
          const found = Array.isArray(given)
            ? `${given.length} prompt log-probabilities`
            : 'no prompt log-probabilities'
          throw new Fault('GRD-CALL-007', { found, expected: `${ids.length}, one a token`, usage })
        }
        return { values: [ids.map((id, at) => weigh(given[at], id, watch))], usage }
      },
    },
  }
}

function usageOf(promptTokens: number, price: Price | undefined) {
  const usage = { promptTokens, completionTokens: 0, cachedTokens: 0 }
  return price ? { ...usage, cost: costOf(usage, price) } : usage
}

const isIds = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isInteger)

/** An entry is a record by token id, `{"648": {"logprob": -0.1, ...}}`. */
function weigh(entry: unknown, own: number, watch: readonly number[]): Weighed {
  const all = isRecord(entry) ? entry : {}
  const of = (id: number): number | null => {
    const found = all[String(id)]
    const value = isRecord(found) ? found['logprob'] : undefined
    return typeof value === 'number' && value <= 1e-6 ? value : null
  }
  const values = Object.keys(all).flatMap((id) => of(Number(id)) ?? [])
  return { own: of(own), watched: watch.map(of), least: values.length === 0 ? null : Math.min(...values) }
}

/** Python writes NaN and infinities into JSON as such. */
const NOT_FINITE = /(?<=[[,\s:])-?(?:NaN|Infinity)(?=[\],\s}])/g

async function pooling(
  client: JsonClient,
  path: string,
  body: Json,
  signal: AbortSignal,
): Promise<(number | null)[][]> {
  const text = await (await client.open(path, body, signal)).text()
  const answer = parseAnswer(client.hide(text).replace(NOT_FINITE, 'null'))
  const first: unknown = Array.isArray(answer['data']) ? answer['data'][0] : undefined
  const data = isRecord(first) ? first['data'] : undefined
  const rows: unknown[] = Array.isArray(data) ? data : []
  const read = rows.map((row) => (Array.isArray(row) ? row : [row]).map(finite))
  if (read.length > 0) return read
  throw new Fault('GRD-CALL-007', { found: excerpt(text), expected: 'data with one row for each place' })
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function excerpt(text: string): string {
  const parsed = tryParse(text)
  return isRecord(parsed) ? `an answer with ${Object.keys(parsed).slice(0, 8).join(', ')}` : text.slice(0, 200)
}
