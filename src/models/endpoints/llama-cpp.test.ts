import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { type LlamaLibrary, llamaCpp } from './llama-cpp.ts'
import { samplerOf } from './sampler.ts'

/** Any file: the library below does not read it. */
const FILE = import.meta.filename
const never = new AbortController().signal
const engines: Engine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
})

type Call = Record<string, unknown>

/** A module of the shape that the library documents, for the mapping alone: it writes its settings back. */
function library(answer: (call: Call, nth: number) => string = () => 'ok'): {
  load: () => Promise<LlamaLibrary>
  calls: Call[]
  open: () => number
} {
  const calls: Call[] = []
  let sequences = 0
  const write = async (input: unknown, settings: object) => {
    const call = { input, ...settings }
    calls.push(call)
    const response = answer(call, calls.length - 1)
    return { response, metadata: { stopReason: response.length > 5 ? 'maxTokens' : 'eogToken' } }
  }
  const getSequence = () => {
    if (sequences > 0) throw new Error('No sequences left')
    sequences++
    return { tokenMeter: { usedInputTokens: 7, usedOutputTokens: 3 }, dispose: () => void sequences-- }
  }
  const module: LlamaLibrary = {
    getLlama: async () => ({
      loadModel: async () => ({
        tokenize: (text) => [...text],
        createContext: async () => ({ contextSize: 100, getSequence }),
      }),
      createGrammarForJsonSchema: async (schema) => ({ grammarOf: schema }),
    }),
    LlamaChat: class {
      generateResponse = write
      dispose() {}
    },
    LlamaCompletion: class {
      generateCompletionWithMeta = write
      dispose() {}
    },
  }
  return { load: async () => module, calls, open: () => sequences }
}

describe('llama.cpp in this process', () => {
  it('says what to install where the library is not there', async () => {
    const endpoint = llamaCpp(FILE)
    await expect(endpoint.complete({ prompt: 'a' }, 1, never)).rejects.toMatchObject({
      code: 'GRD-CLI-003',
      try: ['npm install node-llama-cpp', expect.stringContaining('http://')],
    })
    expect(() => llamaCpp('/no/such/model.gguf')).toThrow('GRD-IO-001')
  })

  it('draws samples one after the other with a seed each, and frees what it held', async () => {
    const fake = library((_, nth) => (nth === 1 ? 'cut off' : 'ok'))
    const endpoint = llamaCpp(FILE, fake)
    const request = { prompt: '1 2', maxTokens: 4, temperature: 0.5, topP: 0.9, seed: 3, stop: ['\n'] }
    const [first, second] = await Promise.all([
      endpoint.complete(request, 2, never),
      endpoint.complete({ prompt: '3' }, 1, never),
    ])
    expect(first).toEqual({
      completions: [
        { text: 'ok', finish: 'stop' },
        { text: 'cut off', finish: 'length' },
      ],
      usage: { promptTokens: 14, completionTokens: 6 },
    })
    expect(fake.calls.map(({ seed }) => seed)).toEqual([3, 4, expect.any(Number)])
    expect(fake.calls[0]).toMatchObject({
      input: '1 2',
      maxTokens: 4,
      temperature: 0.5,
      topP: 0.9,
      repeatPenalty: false,
    })
    expect(fake.calls[0]?.['customStopTriggers']).toEqual(['\n'])
    expect(fake.calls[2]).toMatchObject({ temperature: 1 })
    expect(second.completions).toHaveLength(1)
    expect(fake.open()).toBe(0)
  })

  it('hands a chat and a schema over in the shapes of the library', async () => {
    const fake = library()
    const messages = [
      { role: 'system' as const, content: 'Add.' },
      { role: 'user' as const, content: '2 + 2?' },
      { role: 'assistant' as const, content: 'It is' },
    ]
    await llamaCpp(FILE, fake).generate({ messages, schema: { type: 'object' } }, 1, never)
    expect(fake.calls[0]).toMatchObject({
      input: [
        { type: 'system', text: 'Add.' },
        { type: 'user', text: '2 + 2?' },
        { type: 'model', response: ['It is'] },
      ],
      grammar: { grammarOf: { type: 'object' } },
    })
  })

  it('refuses what it cannot do, and texts that are longer than the context', async () => {
    const endpoint = llamaCpp(FILE, library())
    const user = { role: 'user' as const, content: 'a' }
    const asked = [
      endpoint.complete({ prompt: 'a', logprobs: 0 }, 1, never),
      endpoint.generate({ messages: [user], tools: [{ name: 't' }] }, 1, never),
      endpoint.logprobs('a', 'echo', never),
      endpoint.embed(['a'], never),
    ]
    for (const one of asked) await expect(one).rejects.toThrow('GRD-CALL-011')
    await expect(endpoint.complete({ prompt: 'a'.repeat(100) }, 1, never)).rejects.toThrow('GRD-CALL-009')
  })

  it('keeps what was drawn before a failure', async () => {
    const fake = library((_, nth) => {
      if (nth === 1) throw new Error('out of memory')
      return 'ok'
    })
    const { completions, fault } = await llamaCpp(FILE, fake).complete({ prompt: 'a' }, 3, never)
    expect(completions).toEqual([{ text: 'ok', finish: 'stop' }])
    expect(fault).toMatchObject({ code: 'GRD-CALL-004', found: 'out of memory' })
    expect(fake.open()).toBe(0)
  })

  it('is probed and sampled by the engine as any endpoint is', async () => {
    const fake = library(({ seed }) => `t${seed}`)
    const endpoint = llamaCpp(FILE, fake)
    const { can, contextLength } = await endpoint.capabilities(never)
    expect(contextLength).toBe(100)
    expect(Object.entries(can).filter(([, { state }]) => state === 'yes')).toHaveLength(4)
    expect(can).toMatchObject({ chat: { state: 'yes' }, completions: { state: 'yes' }, n: { state: 'yes' } })
    expect(can).toMatchObject({ seed: { state: 'yes' }, logprobs: { state: 'no' }, tools: { state: 'no' } })
    const engine = new Engine()
    engines.push(engine)
    const request = { api: 'completions' as const, prompt: 'a', seed: 5 }
    const drawn = await engine.sample(samplerOf(endpoint), request, { from: 0, count: 3 })
    expect(drawn.map((one) => one.ok && one.value.text)).toEqual(['t5', 't6', 't7'])
  })
})
