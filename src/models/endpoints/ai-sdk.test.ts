import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import type { AiSdkModel } from './ai-sdk.ts'
import { aiSdkEndpoint } from './ai-sdk.ts'
import { samplerOf } from './sampler.ts'

const never = new AbortController().signal
const engines: Engine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
})

type Call = Record<string, unknown>

/** A model object as provider packages make them: specification v4 (and v3, which has the same shapes here). */
function model(answer: (call: Call, nth: number) => unknown): AiSdkModel & { calls: Call[] } {
  const calls: Call[] = []
  return {
    calls,
    provider: 'test-provider',
    modelId: 'test-model',
    async doGenerate(call: Call) {
      calls.push(call)
      return answer(call, calls.length - 1) as never
    },
  }
}

const usage = {
  inputTokens: { total: 12, noCache: 4, cacheRead: 8, cacheWrite: undefined },
  outputTokens: { total: 5, text: 3, reasoning: 2 },
}
const finishReason = { unified: 'stop', raw: 'end_turn' }

describe('AI SDK model', () => {
  it('answers with text, reasoning, tool calls and usage', async () => {
    const sdk = model(() => ({
      content: [
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'The sum ' },
        { type: 'text', text: 'is 4.' },
        { type: 'tool-call', toolCallId: 't', toolName: 'add', input: '{"a":2}' },
      ],
      finishReason: { unified: 'tool-calls', raw: undefined },
      usage,
    }))
    const endpoint = aiSdkEndpoint(sdk, { price: { prompt: 1, completion: 10, cached: 0.5 } })
    const request = {
      messages: [
        { role: 'system' as const, content: 'Add.' },
        { role: 'user' as const, content: '2 + 2?' },
        { role: 'assistant' as const, content: '', toolCalls: [{ id: 's', name: 'add', input: '{"a":1}' }] },
        { role: 'tool' as const, content: '1', toolCallId: 's' },
      ],
      maxTokens: 9,
      stop: ['x'],
      seed: 3,
      tools: [{ name: 'add', parameters: { type: 'object' } }],
      schema: { type: 'object' },
    }
    const generation = await endpoint.generate(request, 1, never)
    expect(generation).toEqual({
      completions: [
        {
          text: 'The sum is 4.',
          finish: 'tool-calls',
          reasoning: 'hm',
          toolCalls: [{ id: 't', name: 'add', input: '{"a":2}' }],
        },
      ],
      usage: { promptTokens: 12, completionTokens: 5, cachedTokens: 8, cost: (4 + 4 + 50) / 1e6 },
    })
    expect(sdk.calls[0]).toEqual({
      prompt: [
        { role: 'system', content: 'Add.' },
        { role: 'user', content: [{ type: 'text', text: '2 + 2?' }] },
        { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 's', toolName: 'add', input: { a: 1 } }] },
        {
          role: 'tool',
          content: [{ type: 'tool-result', toolCallId: 's', toolName: 'add', output: { type: 'text', value: '1' } }],
        },
      ],
      maxOutputTokens: 9,
      stopSequences: ['x'],
      seed: 3,
      tools: [{ type: 'function', name: 'add', inputSchema: { type: 'object' } }],
      responseFormat: { type: 'json', name: 'answer', schema: { type: 'object' } },
      abortSignal: never,
    })
  })

  it('goes through the engine: retries after 429, one sample a call, cached', async () => {
    const sdk = model((_, nth) => {
      if (nth === 0) {
        throw Object.assign(new Error('slow down'), { statusCode: 429, responseHeaders: { 'retry-after': '0.01' } })
      }
      return { content: [{ type: 'text', text: `text ${nth}` }], finishReason, usage }
    })
    const engine = new Engine({ concurrency: 1, retry: { baseMs: 1, capMs: 1, patienceMs: 1000 } })
    engines.push(engine)
    const sampler = samplerOf(aiSdkEndpoint(sdk))
    const request = { api: 'chat' as const, messages: [{ role: 'user' as const, content: 'x' }] }
    const outcomes = await engine.sample(sampler, request, { count: 2 })
    expect(outcomes.map((o) => o.ok && o.value.text).sort()).toEqual(['text 1', 'text 2'])
    await engine.sample(sampler, request, { count: 2 })
    expect(sdk.calls.length).toBe(3)
  })

  it('tells errors apart by status and shows no key', async () => {
    const failing = (details: object) =>
      aiSdkEndpoint(
        model(() => {
          throw Object.assign(new Error('no'), details)
        }),
      ).generate({ messages: [] }, 1, never)
    await expect(
      failing({ statusCode: 401, responseBody: '{"error":{"message":"bad key sk-abcdefghijklmnopqrst"}}' }),
    ).rejects.toMatchObject({ code: 'GRD-CALL-002', found: 'status 401: bad key [key]' })
    await expect(failing({})).rejects.toMatchObject({ code: 'GRD-CALL-004', found: 'no' })
    const cut = aiSdkEndpoint(model(() => ({ content: [], finishReason: { unified: 'interrupted' }, usage })))
    await expect(cut.generate({ messages: [] }, 1, never)).rejects.toMatchObject({ code: 'GRD-CALL-006' })
  })

  it('says what a model object cannot do', async () => {
    const endpoint = aiSdkEndpoint(
      model(() => ({ content: [{ type: 'text', text: '1 2 3 4 5' }], finishReason, usage })),
    )
    await expect(endpoint.complete({ prompt: 'x' }, 1, never)).rejects.toMatchObject({ code: 'GRD-CALL-011' })
    await expect(endpoint.generate({ messages: [], logprobs: 1 }, 1, never)).rejects.toMatchObject({
      code: 'GRD-CALL-011',
    })
    const { can } = await endpoint.capabilities(never)
    expect([can.chat, can.completions, can.logprobs, can.n, can.stream].map((c) => c.state)).toEqual([
      'yes',
      'no',
      'no',
      'no',
      'no',
    ])
  })
})
