import type { Usage } from '../../core/words.ts'
import type { Fault } from '../../engine/fault.ts'

export interface ToolCall {
  id: string
  name: string
  /** JSON text as the model wrote it; may not parse. */
  input: string
}

export interface ToolSpec {
  name: string
  description?: string
  /** JSON Schema of the input. */
  parameters?: unknown
}

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content: string
  /** Of an assistant. */
  toolCalls?: ToolCall[]
  /** Of a tool: the call that it answers. */
  toolCallId?: string
}

/** How to draw; what is absent is left to the endpoint. Part of the cache key. */
export interface Sampling {
  maxTokens?: number
  temperature?: number
  topP?: number
  stop?: string[]
  /** Sample i is drawn with seed + i, one call each; without a seed one call may bring several samples. */
  seed?: number
  /** Log-probabilities of the tokens written, with so many alternatives each (0 = only the token itself). */
  logprobs?: number
  /** JSON Schema that the text must follow. */
  schema?: unknown
  /** Further fields of the request body, for what only one server knows (`min_p`, `guided_regex`, ...). */
  extra?: Record<string, unknown>
}

export interface ChatRequest extends Sampling {
  messages: Message[]
  tools?: ToolSpec[]
  toolChoice?: 'auto' | 'none' | 'required'
  /** Go on writing the last message, which is the assistant's (vLLM: `continue_final_message`). */
  continueLast?: boolean
}

export interface TextRequest extends Sampling {
  prompt: string
}

export interface TokenLogprob {
  token: string
  /** Natural logarithm, at most 0. */
  logprob: number
  /** The most probable tokens at this place, most probable first. */
  top?: { token: string; logprob: number }[]
}

export interface Completion {
  text: string
  /** `other` = the endpoint does not say. */
  finish: 'stop' | 'length' | 'tool-calls' | 'filter' | 'other'
  /** What a reasoning model thought, where the endpoint hands it out. */
  reasoning?: string
  toolCalls?: ToolCall[]
  /** Present when asked for and given in a readable shape. */
  tokens?: TokenLogprob[]
  /** What was wrong with an answer that is kept all the same: it is paid for. */
  faults?: 'logprobs'[]
}

export interface Generation {
  /** At most n, in order of the endpoint. */
  completions: Completion[]
  /** Estimated from the length of the texts where the endpoint does not count. */
  usage: Partial<Usage>
  /** Why there are fewer completions than asked for. */
  fault?: Fault
}

/** Every token of a given text with its log-probability given all before it; null for the first. */
export interface Scored {
  tokens: { token: string; logprob: number | null }[]
  usage: Partial<Usage>
}

export interface Embedded {
  /** One vector a text, in the order of the texts. */
  vectors: number[][]
  usage: Partial<Usage>
}

/** `unknown` = the probe could not tell; the reason says why. */
export interface Capability {
  state: 'yes' | 'no' | 'unknown'
  reason: string
}

export const CAPABILITIES = [
  'chat',
  'completions',
  'stream',
  'logprobs',
  'promptLogprobs',
  'n',
  'seed',
  'stop',
  'tools',
  'schema',
  'embeddings',
] as const
export type CapabilityName = (typeof CAPABILITIES)[number]

/** What one endpoint can do, as a probe saw it. */
export interface Capabilities {
  endpoint: string
  model: string
  can: Record<CapabilityName, Capability>
  /** How a given text is scored here, null = not at all. */
  scoring: 'prompt_logprobs' | 'echo' | null
  /** Tokens; null where the endpoint does not say. */
  contextLength: number | null
  usage: Usage
}

/** US dollars for a million tokens. */
export interface Price {
  prompt: number
  completion: number
  /** Of prompt tokens read from the endpoint's own cache; as `prompt` where absent. */
  cached?: number
}

/**
 * A model somewhere. All methods throw a Fault when nothing at all came back, and the signal's reason when it fires.
 */
export interface Endpoint {
  /** For people; never holds a key. */
  name: string
  model: string
  /** What decides the answers apart from the request; part of the cache key. */
  identity: unknown
  /** Calls of one pool share a concurrency limit. */
  pool: string
  /** Calls under way at most, where the endpoint's limit is known. */
  concurrency?: number
  price?: Price
  generate(request: ChatRequest, n: number, signal: AbortSignal): Promise<Generation>
  complete(request: TextRequest, n: number, signal: AbortSignal): Promise<Generation>
  /** Log-probabilities of a given text. */
  logprobs(text: string, via: NonNullable<Capabilities['scoring']>, signal: AbortSignal): Promise<Scored>
  embed(texts: string[], signal: AbortSignal): Promise<Embedded>
  /** Finds out what the endpoint can do: some small calls that cost a few hundred tokens. */
  capabilities(signal: AbortSignal): Promise<Capabilities>
}
