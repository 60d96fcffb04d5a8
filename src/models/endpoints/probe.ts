import type { Usage } from '../../core/words.ts'
import { addUsage, NO_USAGE } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import { asFault, Fault } from '../../engine/fault.ts'
import type {
  Capabilities,
  Capability,
  CapabilityName,
  ChatRequest,
  Completion,
  Endpoint,
  Sampling,
} from './endpoint.ts'
import { CAPABILITIES } from './endpoint.ts'
import { isRecord, tryParse } from './wire.ts'

const COUNT = 'Write the numbers from 1 to 9 in digits, separated by spaces, and nothing else.'
const CHANCE = 'Write ten random words, separated by spaces.'
/** For models that go on with a text: digits, which a model with a small alphabet of its own knows too. */
const COUNT_TEXT = '1 2 3 4 5'
const CHANCE_TEXT = '7 3 9 1\n'
const PROBE_TOKENS = 32
/** Calls that a probe makes at most; reserved from the budget. */
const PROBE_CALLS = 16

/** After these the endpoint is of no use, and the person must hear it at once. */
const HOPELESS = new Set(['GRD-CALL-001', 'GRD-CALL-002', 'GRD-CALL-012'])

/** What only a particular kind of endpoint can be asked. */
export interface ProbeHooks {
  /** `/models`, for the context length. */
  models?(): Promise<Record<string, unknown>>
  /** Does a streamed request come back as a stream? */
  streams(prompt: string, maxTokens: number, api: 'chat' | 'completions'): Promise<boolean>
}

const yes = (reason: string): Capability => ({ state: 'yes', reason })
const no = (reason: string): Capability => ({ state: 'no', reason })
const unknown = (reason: string): Capability => ({ state: 'unknown', reason })

/**
 * Tries out each ability with a small call and looks at what comes back, since servers accept fields that they ignore.
 * @throws Fault when the endpoint cannot be reached at all or refuses the key
 */
export async function probe(endpoint: Endpoint, hooks: ProbeHooks, signal: AbortSignal): Promise<Capabilities> {
  let usage: Usage = NO_USAGE
  const call = async <T extends { usage: Partial<Usage> }>(work: Promise<T>): Promise<T | Fault> => {
    const result = await work.catch((error: unknown) => {
      if (signal.aborted) throw error
      return asFault(error)
    })
    usage = addUsage(usage, { ...NO_USAGE, ...result.usage, calls: 1 })
    if (result instanceof Fault && HOPELESS.has(result.code)) throw result
    return result
  }
  const chatRequest = (text: string, more: Sampling): ChatRequest => ({
    messages: [{ role: 'user', content: text }],
    maxTokens: PROBE_TOKENS,
    ...more,
  })
  const chat = await call(endpoint.generate(chatRequest(COUNT, { temperature: 0 }), 1, signal))
  const text = await call(endpoint.complete({ prompt: COUNT_TEXT, maxTokens: PROBE_TOKENS, temperature: 0 }, 1, signal))
  const useChat = !(chat instanceof Fault)
  const [counting, chance] = useChat ? [COUNT, CHANCE] : [COUNT_TEXT, CHANCE_TEXT]
  const can: Record<CapabilityName, Capability> = {
    ...fill(unknown('neither chat nor completions answered')),
    chat: useChat ? yes('answered') : failed(chat),
    completions: text instanceof Fault ? failed(text) : yes('answered'),
  }
  const context = hooks.models ? await hooks.models().then(contextLength, () => null) : null
  const result: Capabilities = {
    endpoint: endpoint.name,
    model: endpoint.model,
    can,
    scoring: null,
    contextLength: context,
    usage,
  }
  if (!useChat && text instanceof Fault) return { ...result, ...(await embeddings()), usage }

  const draw = (prompt: string, more: Sampling & Pick<ChatRequest, 'tools' | 'toolChoice'>, n = 1) =>
    call(
      useChat
        ? endpoint.generate({ ...chatRequest(prompt, more), ...more }, n, signal)
        : endpoint.complete({ prompt, maxTokens: PROBE_TOKENS, ...more }, n, signal),
    )
  const first = async (...args: Parameters<typeof draw>): Promise<Completion | Fault> => {
    const drawn = await draw(...args)
    return drawn instanceof Fault ? drawn : (drawn.completions[0] ?? new Fault('GRD-CALL-008', { found: 'none' }))
  }

  async function logprobs(): Promise<Capability> {
    const drawn = await first(counting, { logprobs: 1 })
    if (drawn instanceof Fault) return failed(drawn)
    return drawn.tokens?.length
      ? yes(`${drawn.tokens.length} tokens`)
      : no('asked for, and none came in a readable shape')
  }
  async function several(): Promise<Capability> {
    const drawn = await draw(chance, { temperature: 1 }, 2)
    if (drawn instanceof Fault) return failed(drawn)
    return drawn.completions.length === 2 ? yes('2 of 2') : no(`${drawn.completions.length} of 2 came`)
  }
  async function seed(): Promise<Capability> {
    const [a, b, c] = await Promise.all([1, 1, 2].map((s) => first(chance, { temperature: 1, seed: s })))
    for (const one of [a, b, c]) if (one instanceof Fault) return failed(one)
    const texts = [a, b, c].map((one) => (one && 'text' in one ? one.text : ''))
    if (texts[0] !== texts[1]) return no('the same seed gave two texts')
    return texts[0] === texts[2]
      ? unknown('two seeds gave the same text')
      : yes('same seed same text, other seed other text')
  }
  async function stop(): Promise<Capability> {
    const whole = useChat ? chat : text
    const before = whole instanceof Fault ? '' : (whole.completions[0]?.text ?? '')
    // A word from the middle of what the model writes by itself.
    const words = before.trim().split(/\s+/)
    const word = words[Math.floor(words.length / 2)]
    if (words.length < 3 || !word) return unknown('the model wrote too little to tell')
    const drawn = await first(counting, { temperature: 0, stop: [word] })
    if (drawn instanceof Fault) return failed(drawn)
    return drawn.text.includes(word) ? no('wrote on after the stop text') : yes('stopped')
  }
  async function stream(): Promise<Capability> {
    usage = addUsage(usage, { ...NO_USAGE, calls: 1 })
    try {
      return (await hooks.streams(counting, PROBE_TOKENS, useChat ? 'chat' : 'completions'))
        ? yes('events')
        : no('answers in one piece')
    } catch (error) {
      if (signal.aborted) throw error
      return failed(asFault(error))
    }
  }
  async function tools(): Promise<Capability> {
    if (!useChat) return no('needs chat')
    const parameters = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
    const drawn = await first('Call the tool with a = 1.', {
      tools: [{ name: 'take', parameters }],
      toolChoice: 'required',
    })
    if (drawn instanceof Fault) return failed(drawn)
    return drawn.toolCalls ? yes('called') : unknown('accepted, but the model did not call')
  }
  async function schema(): Promise<Capability> {
    const properties = { n: { type: 'integer' } }
    const drawn = await first('Give a number.', {
      schema: { type: 'object', properties, required: ['n'], additionalProperties: false },
    })
    if (drawn instanceof Fault) return failed(drawn)
    const parsed = tryParse(drawn.text)
    return isRecord(parsed) && Number.isInteger(parsed['n']) ? yes('followed') : no('accepted, but not followed')
  }
  async function scoring(): Promise<Pick<Capabilities, 'scoring'> & { can: Capability }> {
    if (text instanceof Fault) return { scoring: null, can: no('needs completions') }
    let reason: Capability = no('')
    for (const via of ['prompt_logprobs', 'echo'] as const) {
      const scored = await call(endpoint.logprobs(COUNT_TEXT, via, signal))
      if (!(scored instanceof Fault) && scored.tokens.length > 1) return { scoring: via, can: yes(`by ${via}`) }
      reason = scored instanceof Fault ? failed(scored) : no('no tokens')
    }
    return { scoring: null, can: { ...reason, state: reason.state === 'yes' ? 'no' : reason.state } }
  }
  async function embeddings(): Promise<{ can: typeof can }> {
    const embedded = await call(endpoint.embed(['a', 'b'], signal))
    return {
      can: {
        ...can,
        embeddings: embedded instanceof Fault ? failed(embedded) : yes(`${embedded.vectors[0]?.length} numbers`),
      },
    }
  }

  const [scored, embedded, ...found] = await Promise.all([
    scoring(),
    embeddings(),
    logprobs(),
    several(),
    seed(),
    stop(),
    stream(),
    tools(),
    schema(),
  ])
  const [logprobsSeen, n, seedSeen, stopSeen, streamSeen, toolsSeen, schemaSeen] = found
  return {
    ...result,
    can: {
      ...embedded.can,
      promptLogprobs: scored.can,
      logprobs: logprobsSeen,
      n,
      seed: seedSeen,
      stop: stopSeen,
      stream: streamSeen,
      tools: toolsSeen,
      schema: schemaSeen,
    },
    scoring: scored.scoring,
    usage,
  }
}

/** Probed once a run, within the budget; every later process of the run reads the journal. */
export function probeOnce(engine: Engine, endpoint: Endpoint, signal: AbortSignal): Promise<Capabilities> {
  return engine.once(`probe ${endpoint.pool}`, { calls: PROBE_CALLS }, () => endpoint.capabilities(signal))
}

/**
 * @param by the method that needs it, for the message
 * @throws Fault GRD-CALL-011 when the probe saw that one of them is missing; what it could not tell passes
 */
export function requireCapabilities(found: Capabilities, needed: readonly CapabilityName[], by: string): void {
  for (const name of needed) if (found.can[name].state === 'no') throw refuse(found, name, by)
}

export function refuse(found: Capabilities, name: CapabilityName, by: string): Fault {
  return new Fault('GRD-CALL-011', {
    found: `${found.endpoint} (${found.model}): ${name}: ${found.can[name].reason}`,
    expected: `${name}, which ${by} needs`,
    try: ['another endpoint', 'another method; nothing was spent on this one'],
  })
}

/** The probe as a person reads it: one ability a line. */
export function describeCapabilities(found: Capabilities): string {
  const context = found.contextLength === null ? 'not said' : `${found.contextLength.toLocaleString('en-US')} tokens`
  return [
    `${found.endpoint}   ${found.model}   context ${context}`,
    ...CAPABILITIES.map((name) => `  ${name.padEnd(15)} ${found.can[name].state.padEnd(8)} ${found.can[name].reason}`),
  ].join('\n')
}

function fill(capability: Capability): Record<CapabilityName, Capability> {
  return Object.fromEntries(CAPABILITIES.map((name) => [name, capability])) as Record<CapabilityName, Capability>
}

/** A fault that would pass says nothing about the ability. */
function failed(fault: Fault): Capability {
  const passing = ['GRD-CALL-003', 'GRD-CALL-004', 'GRD-CALL-005', 'GRD-CALL-006'].includes(fault.code)
  return { state: passing ? 'unknown' : 'no', reason: fault.found ?? fault.message }
}

/**
 * vLLM and SGLang: `max_model_len`; llama.cpp: `meta.n_ctx`, then the length it was trained for; gateways:
 * `context_length`.
 */
function contextLength(models: Record<string, unknown>): number | null {
  const first: unknown = Array.isArray(models['data']) ? models['data'][0] : undefined
  if (!isRecord(first)) return null
  const meta = isRecord(first['meta']) ? first['meta'] : {}
  for (const value of [first['max_model_len'], first['context_length'], meta['n_ctx'], meta['n_ctx_train']]) {
    if (typeof value === 'number' && value > 0) return value
  }
  return null
}
