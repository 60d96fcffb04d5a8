import type { Usage } from '../../core/words.ts'
import type { Answer, Sampler } from '../../engine/sampler.ts'
import type { Capabilities, ChatRequest, Completion, Endpoint, Scored, TextRequest } from './endpoint.ts'
import { refuse } from './probe.ts'
import { costOf } from './wire.ts'

export type GenerateRequest = ({ api: 'chat' } & ChatRequest) | ({ api: 'completions' } & TextRequest)

/** Reserved for an answer whose length nobody limits; the rest is settled when it is known. */
const UNLIMITED_ANSWER_TOKENS = 2048
/** Characters a token at least, in prose and code with common tokenizers; fewer tokens than this guess are likely. */
const CHARS_PER_TOKEN = 3
/** Tokens that a chat template puts around a message, at most. */
const FRAME_TOKENS = 8

/**
 * The endpoint as the engine sees it.
 * @param perCall samples that one call may ask for where the request has no seed; above 1 only where the probe saw `n`
 */
export function samplerOf(endpoint: Endpoint, perCall = 1): Sampler<GenerateRequest, Completion> {
  return {
    identity: endpoint.identity,
    ...poolOf(endpoint),
    perCall: (request) => (request.seed === undefined ? perCall : 1),
    expect(request, samples) {
      const texts = request.api === 'chat' ? request.messages.map((message) => message.content) : [request.prompt]
      return expectation(endpoint, texts, samples * (request.maxTokens ?? UNLIMITED_ANSWER_TOKENS))
    },
    async call(request, samples, signal) {
      const drawn = request.seed === undefined ? request : { ...request, seed: seedOf(request.seed, samples[0] ?? 0) }
      const { completions, usage, fault } = await (drawn.api === 'chat'
        ? endpoint.generate(withoutApi(drawn), samples.length, signal)
        : endpoint.complete(withoutApi(drawn), samples.length, signal))
      return { values: completions, usage, ...(fault && { fault }) } satisfies Answer<Completion>
    },
  }
}

/**
 * Log-probabilities of given texts, cached like completions.
 * @throws Fault GRD-CALL-011 when the endpoint cannot score a given text
 */
export function scorerOf(endpoint: Endpoint, capabilities: Capabilities): Sampler<{ text: string }, Scored['tokens']> {
  const { scoring } = capabilities
  if (scoring === null) throw refuse(capabilities, 'promptLogprobs', 'scoring a given text')
  return {
    identity: [endpoint.identity, 'logprobs'],
    ...poolOf(endpoint),
    perCall: () => 1,
    expect: (request) => expectation(endpoint, [request.text], 1),
    async call(request, _samples, signal) {
      const { tokens, usage } = await endpoint.logprobs(request.text, scoring, signal)
      return { values: [tokens], usage }
    },
  }
}

/** Vectors of texts, cached like completions. */
export function embedderOf(endpoint: Endpoint): Sampler<{ texts: string[] }, number[][]> {
  return {
    identity: [endpoint.identity, 'embeddings'],
    ...poolOf(endpoint),
    perCall: () => 1,
    expect: (request) => expectation(endpoint, request.texts, 0),
    async call(request, _samples, signal) {
      const { vectors, usage } = await endpoint.embed(request.texts, signal)
      return { values: [vectors], usage }
    },
  }
}

function poolOf({ pool, concurrency }: Endpoint): Pick<Sampler<unknown, unknown>, 'pool' | 'concurrency'> {
  return concurrency === undefined ? { pool } : { pool, concurrency }
}

/** Seed of sample i, as 32-bit servers take it. */
export function seedOf(seed: number, sample: number): number {
  return (seed + sample) % 2 ** 31
}

function withoutApi<R extends GenerateRequest>(request: R): Omit<R, 'api'> {
  const { api: _, ...rest } = request
  return rest
}

function expectation(endpoint: Endpoint, texts: readonly string[], completionTokens: number): Partial<Usage> {
  const chars = texts.reduce((sum, text) => sum + text.length, 0)
  const promptTokens = Math.ceil(chars / CHARS_PER_TOKEN) + FRAME_TOKENS * texts.length
  const expected = { promptTokens, completionTokens, cachedTokens: 0 }
  return endpoint.price ? { ...expected, cost: costOf(expected, endpoint.price) } : expected
}
