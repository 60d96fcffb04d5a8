import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import type { ServerScript } from '../../engine/testing/openai-server.ts'
import { logprob, startTestServer, tokenise } from '../../engine/testing/openai-server.ts'
import type { Capabilities } from './endpoint.ts'
import { openAiCompatible } from './openai-compatible.ts'
import { describeCapabilities, probeOnce, requireCapabilities } from './probe.ts'
import { embedderOf, samplerOf, scorerOf } from './sampler.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
const never = new AbortController().signal

async function probed(script: ServerScript): Promise<Capabilities> {
  const server = await startTestServer(script)
  open.push(server)
  return openAiCompatible({ url: server.url, model: 'test', name: 'server' }).capabilities(never)
}
const states = (found: Capabilities) =>
  Object.fromEntries(Object.entries(found.can).map(([name, { state }]) => [name, state]))

describe('capability probe', () => {
  it('sees what a full server can do', async () => {
    const found = await probed({ maxModelLength: 4096, text: full })
    expect(states(found)).toEqual({
      chat: 'yes',
      completions: 'yes',
      stream: 'yes',
      logprobs: 'yes',
      promptLogprobs: 'yes',
      n: 'yes',
      seed: 'yes',
      stop: 'yes',
      // The server of the test accepts tools and schemas, and its "model" ignores them.
      tools: 'unknown',
      schema: 'no',
      embeddings: 'yes',
    })
    expect(found).toMatchObject({ scoring: 'prompt_logprobs', contextLength: 4096 })
    expect(found.usage.calls).toBeLessThanOrEqual(16)
    expect(found.usage.completionTokens).toBeGreaterThan(0)
  })

  it('is not fooled by a server that accepts fields and ignores them', async () => {
    const found = await probed({
      lacks: ['logprobs', 'n', 'seed', 'stop', 'promptLogprobs', 'echo', 'embeddings', 'stream'],
      text: full,
    })
    expect(states(found)).toMatchObject({
      chat: 'yes',
      stream: 'no',
      logprobs: 'no',
      promptLogprobs: 'no',
      n: 'no',
      seed: 'no',
      stop: 'no',
      embeddings: 'no',
    })
    expect(found).toMatchObject({ scoring: null, contextLength: null })
  })

  it('finds the other way to score a text, and works without chat', async () => {
    const found = await probed({ lacks: ['promptLogprobs', 'chat'], text: full })
    expect(found.scoring).toBe('echo')
    expect(states(found)).toMatchObject({ chat: 'no', completions: 'yes', tools: 'no', logprobs: 'yes', n: 'yes' })
  })

  it('cannot tell where the model always writes the same or nothing', async () => {
    const same = await probed({ text: () => 'a b c d' })
    expect(same.can.seed).toEqual({ state: 'unknown', reason: 'two seeds gave the same text' })
    const silent = await probed({ text: () => '' })
    expect(silent.can.stop.state).toBe('unknown')
  })

  it('fails at once, with the reason, when the key is refused or nobody is there', async () => {
    const server = await startTestServer({ behave: () => ({ kind: 'status', status: 401 }) })
    open.push(server)
    await expect(openAiCompatible({ url: server.url, model: 'test' }).capabilities(never)).rejects.toMatchObject({
      code: 'GRD-CALL-002',
    })
    expect(server.requests).toBe(1)
  })

  it('happens once a run, within the budget, and is read from the journal after that', async () => {
    const server = await startTestServer({ text: full })
    open.push(server)
    const endpoint = openAiCompatible({ url: server.url, model: 'test' })
    const engine = new Engine({ budget: { calls: 20 } })
    open.push(engine)
    const found = await probeOnce(engine, endpoint, never)
    const { requests } = server
    expect(await probeOnce(engine, endpoint, never)).toEqual(found)
    expect(server.requests).toBe(requests)
    expect(engine.budget.spent.calls).toBe(found.usage.calls)
    const tight = new Engine({ budget: { calls: 3 } })
    open.push(tight)
    await expect(probeOnce(tight, endpoint, never)).rejects.toMatchObject({ code: 'GRD-RUN-001' })
    expect(server.requests).toBe(requests)
  })

  it('lets a method refuse before anything is spent, and says why', async () => {
    const found = await probed({ lacks: ['logprobs', 'promptLogprobs', 'echo'], text: full })
    expect(() => requireCapabilities(found, ['chat', 'n'], 'majority')).not.toThrow()
    expect(() => requireCapabilities(found, ['chat', 'logprobs'], 'a judge with logprobs')).toThrow(
      'GRD-CALL-011 the endpoint cannot do what this needs: server (test): logprobs: asked for, and none came in a readable shape',
    )
    const endpoint = openAiCompatible({ url: 'http://127.0.0.1:9/v1', model: 'test' })
    expect(() => scorerOf(endpoint, found)).toThrow('GRD-CALL-011')
    expect(describeCapabilities(found).split('\n')).toHaveLength(12)
    expect(describeCapabilities(found)).toContain('logprobs        no       asked for')
  })
})

describe('samplers', () => {
  it('give sample i the seed + i, one call each, and several a call without a seed', async () => {
    const seeds: unknown[] = []
    const server = await startTestServer({
      behave: (_, body) => {
        seeds.push([body['seed'] ?? null, body['n'] ?? 1])
        return { kind: 'answer' }
      },
    })
    open.push(server)
    const engine = new Engine({ concurrency: 1 })
    open.push(engine)
    const sampler = samplerOf(openAiCompatible({ url: server.url, model: 'test' }), 4)
    await engine.sample(sampler, { api: 'completions', prompt: 'x', seed: 10 }, { from: 2, count: 2 })
    await engine.sample(sampler, { api: 'completions', prompt: 'x' }, { count: 6 })
    expect(seeds).toEqual([
      [12, 1],
      [13, 1],
      [null, 4],
      [null, 2],
    ])
  })

  it('keep scores and vectors like completions', async () => {
    const server = await startTestServer({ text: full })
    open.push(server)
    const engine = new Engine()
    open.push(engine)
    const endpoint = openAiCompatible({ url: server.url, model: 'test' })
    const scorer = scorerOf(endpoint, await probeOnce(engine, endpoint, never))
    const before = server.requests
    for (let twice = 0; twice < 2; twice++) {
      const [scored] = await engine.sample(scorer, { text: 'one two' })
      expect(scored?.ok && scored.value).toEqual([
        { token: tokenise('one two')[0], logprob: null },
        { token: ' two', logprob: logprob(' two') },
      ])
      const [embedded] = await engine.sample(embedderOf(endpoint), { texts: ['a', 'bb'] })
      expect(embedded?.ok && embedded.value.map((v) => v[0])).toEqual([1, 2])
    }
    expect(server.requests).toBe(before + 2)
  })
})

/** Counts where it is asked to count, and writes by the seed where it is asked for chance. */
function full(body: Record<string, unknown>, choice: number): string {
  const prompt = JSON.stringify(body['messages'] ?? body['prompt'])
  return prompt.includes('random words') ? `words of ${String(body['seed'])} and ${choice}` : '1 2 3 4 5 6 7 8 9'
}
