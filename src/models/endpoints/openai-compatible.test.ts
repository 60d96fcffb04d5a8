import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import type { ServerScript, TestServer } from '../../engine/testing/openai-server.ts'
import { logprob, startTestServer, tokenise } from '../../engine/testing/openai-server.ts'
import { OPENAI_COMPATIBLE_OPTIONS, openAiCompatible } from './openai-compatible.ts'
import { samplerOf } from './sampler.ts'

const servers: TestServer[] = []
async function serve(script: ServerScript = {}): Promise<TestServer> {
  const server = await startTestServer(script)
  servers.push(server)
  return server
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})
const never = new AbortController().signal
const ask = { messages: [{ role: 'user' as const, content: 'What is 2 + 2?' }] }

describe('OpenAI-compatible endpoint', () => {
  it('draws several chat completions with log-probabilities and counts the tokens', async () => {
    const server = await serve({ text: (_, choice) => `the answer is ${choice}` })
    const endpoint = openAiCompatible({ url: server.url, model: 'test', price: { prompt: 1, completion: 2 } })
    const { completions, usage, fault } = await endpoint.generate({ ...ask, logprobs: 2 }, 3, never)
    expect(fault).toBeUndefined()
    expect(completions.map((c) => c.text)).toEqual([0, 1, 2].map((i) => `the answer is ${i}`))
    expect(completions[0]?.tokens?.map((t) => t.token)).toEqual(['the', ' answer', ' is', ' 0'])
    expect(completions[0]?.tokens?.[1]).toEqual({
      token: ' answer',
      logprob: -0.7,
      top: [
        { token: ' answer', logprob: -0.7 },
        { token: 'other', logprob: -9 },
      ],
    })
    const prompt = tokenise(JSON.stringify(ask.messages)).length
    expect(usage).toEqual({ promptTokens: prompt, completionTokens: 12, cachedTokens: 0, cost: (prompt + 24) / 1e6 })
  })

  it.each(['generate', 'complete'] as const)('gives the same from a stream as in one piece: %s', async (method) => {
    const server = await serve()
    for (const logprobs of [undefined, 1]) {
      const more = { maxTokens: 50, stop: ['Answer'], seed: 3, ...(logprobs !== undefined && { logprobs }) }
      const [whole, streamed] = await Promise.all(
        [false, true].map((stream) => {
          const endpoint = openAiCompatible({ url: server.url, model: 'test', stream })
          return method === 'generate'
            ? endpoint.generate({ ...ask, ...more }, 2, never)
            : endpoint.complete({ prompt: 'What is 2 + 2?', ...more }, 2, never)
        }),
      )
      expect(whole?.completions.length).toBe(2)
      expect(streamed).toEqual(whole)
    }
  })

  it('puts on the wire what was asked for, under the names that servers know', async () => {
    const bodies: Record<string, unknown>[] = []
    const server = await serve({
      behave: (_, body) => {
        bodies.push(body)
        return { kind: 'answer' }
      },
    })
    const schema = { type: 'object' }
    const tools = [{ name: 'add', description: 'adds', parameters: { type: 'object' } }]
    const request = {
      ...ask,
      maxTokens: 5,
      temperature: 0.7,
      topP: 0.9,
      stop: ['\n'],
      seed: 4,
      tools,
      toolChoice: 'auto' as const,
      schema,
      extra: { min_p: 0.1, prompt_logprobs: 1 },
    }
    for (const options of [
      {},
      { schemaField: 'guided_json', maxTokensField: 'max_completion_tokens' },
      { schemaField: 'structured_outputs' },
    ] as const) {
      await openAiCompatible({ url: server.url, model: 'test', ...options }).generate(request, 2, never)
    }
    expect(bodies[0]).toEqual({
      model: 'test',
      messages: ask.messages,
      tools: [{ type: 'function', function: tools[0] }],
      tool_choice: 'auto',
      max_tokens: 5,
      temperature: 0.7,
      top_p: 0.9,
      stop: ['\n'],
      seed: 4,
      n: 2,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
      min_p: 0.1,
      prompt_logprobs: 1,
    })
    expect(bodies[1]).toMatchObject({ guided_json: schema, max_completion_tokens: 5 })
    expect(bodies[1]).not.toHaveProperty('max_tokens')
    expect(bodies[2]).toMatchObject({ structured_outputs: { json: schema } })
  })

  it('reads tool calls, in one piece and in pieces', async () => {
    const call = (args: string, more = {}) => ({ index: 0, function: { arguments: args, ...more } })
    const events = [
      { delta: { tool_calls: [{ id: 'c1', ...call('', { name: 'add' }) }] }, finish_reason: null },
      { delta: { tool_calls: [call('{"a":')] }, finish_reason: null },
      { delta: { tool_calls: [call('1}')] }, finish_reason: null },
      { delta: {}, finish_reason: 'tool_calls' },
    ].map((choice) => `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`)
    const server = await serve({
      behave: (_, body) =>
        body['stream']
          ? { kind: 'raw', body: events.join(''), headers: { 'content-type': 'text/event-stream' } }
          : {
              kind: 'raw',
              body: JSON.stringify({
                choices: [
                  {
                    message: {
                      content: null,
                      tool_calls: [{ id: 'c1', function: { name: 'add', arguments: '{"a":1}' } }],
                    },
                    finish_reason: 'tool_calls',
                  },
                ],
              }),
            },
    })
    for (const stream of [false, true]) {
      const { completions } = await openAiCompatible({ url: server.url, model: 'test', stream }).generate(ask, 1, never)
      const toolCalls = [{ id: 'c1', name: 'add', input: '{"a":1}' }]
      expect(completions).toEqual([{ text: '', finish: 'tool-calls', toolCalls }])
    }
  })

  it('scores a given text by either way', async () => {
    const server = await serve()
    const endpoint = openAiCompatible({ url: server.url, model: 'test' })
    const text = 'One and one is two.'
    const expected = tokenise(text).map((token, i) => ({ token, logprob: i === 0 ? null : logprob(token) }))
    for (const via of ['echo', 'prompt_logprobs'] as const) {
      expect((await endpoint.logprobs(text, via, never)).tokens, via).toEqual(expected)
    }
  })

  it('embeds in the order of the texts, whatever the order of the answer', async () => {
    const server = await serve()
    const { vectors } = await openAiCompatible({ url: server.url, model: 'test' }).embed(['a', 'bb', 'ccc'], never)
    expect(vectors.map((vector) => vector[0])).toEqual([1, 2, 3])
  })

  it('reuses its connections', async () => {
    const server = await serve({ latencyMs: 2 })
    const endpoint = openAiCompatible({ url: server.url, model: 'test' })
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 16 }, () => endpoint.generate(ask, 1, never)))
    }
    expect(server.requests).toBe(160)
    expect(server.connections).toBeLessThanOrEqual(16)
  })
})

describe('keys', () => {
  const SECRET = 'sk-test-5f1d0c9b8a7e6f5d4c3b2a19'
  const NAME = 'GRADUS_TEST_KEY'

  it('are sent, and are found in no message, object, identity or completion', async () => {
    process.env[NAME] = SECRET
    try {
      const server = await serve({
        behave: (nth) =>
          nth === 0
            ? { kind: 'answer' }
            : { kind: 'status', status: 401, body: `{"error":{"message":"Incorrect API key provided: ${SECRET}"}}` },
        text: () => `your key is ${SECRET}`,
      })
      const endpoint = openAiCompatible({ url: server.url, model: 'test', keyFrom: NAME })
      const { completions } = await endpoint.generate(ask, 1, never)
      expect(completions[0]?.text).toBe('your key is [key]')
      expect(server.headers[0]?.authorization).toBe(`Bearer ${SECRET}`)
      const error: unknown = await endpoint.generate(ask, 1, never).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'GRD-CALL-002', found: 'status 401: Incorrect API key provided: [key]' })
      const shown =
        inspect([endpoint, error, completions], { depth: 12, showHidden: true }) + JSON.stringify([endpoint, error])
      expect(shown).not.toContain(SECRET)
    } finally {
      delete process.env[NAME]
    }
  })

  it('are in no file of the run, whatever the server says', async () => {
    process.env[NAME] = SECRET
    const folder = mkdtempSync(join(tmpdir(), 'gradus-key-'))
    try {
      const server = await serve({
        behave: (nth) => (nth === 0 ? { kind: 'status', status: 500, body: `no: ${SECRET}` } : { kind: 'answer' }),
        text: () => `echo ${SECRET}`,
      })
      for (const stream of [false, true]) {
        const endpoint = openAiCompatible({ url: server.url, model: `m${stream}`, keyFrom: NAME, stream })
        const retry = { baseMs: 1, capMs: 1, patienceMs: 1 }
        const engine = new Engine({ path: join(folder, 'run.db'), run: 'r', retry })
        const [outcome] = await engine.sample(samplerOf(endpoint), { api: 'chat', ...ask })
        expect(outcome).toMatchObject({ ok: true, value: { text: 'echo [key]' } })
        const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'))
        expect(files.some((bytes) => bytes.includes('echo [key]'))).toBe(true)
        for (const bytes of files) expect(bytes).not.toContain(SECRET)
        await engine.close()
      }
    } finally {
      delete process.env[NAME]
      rmSync(folder, { recursive: true })
    }
  })

  it('that are missing are missed before anything is sent', async () => {
    const server = await serve()
    const endpoint = openAiCompatible({ url: server.url, model: 'test', keyFrom: NAME })
    await expect(endpoint.generate(ask, 1, never)).rejects.toThrow(`the environment variable ${NAME} is empty`)
    expect(server.requests).toBe(0)
  })

  it('have no place in a configuration file, and are not repeated when they stand there', () => {
    const config = { url: 'http://127.0.0.1:1/v1', model: 'm', keyFrom: NAME, price: { prompt: 1, completion: 2 } }
    expect(OPENAI_COMPATIBLE_OPTIONS.parse(config)).toEqual(config)
    const refused = OPENAI_COMPATIBLE_OPTIONS.safeParse({
      ...config,
      apiKey: SECRET,
      headers: { authorization: SECRET },
    })
    expect(refused.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['apiKey', 'headers'] })
    expect(inspect(refused.error, { depth: 9 })).not.toContain(SECRET)
  })

  it('are refused as options or in addresses, without being repeated', () => {
    for (const make of [
      () => openAiCompatible({ url: 'http://127.0.0.1:1/v1', model: 'test', keyFrom: SECRET }),
      () => openAiCompatible({ url: `http://user:${SECRET}@127.0.0.1:1/v1`, model: 'test' }),
      () => openAiCompatible({ url: `http://127.0.0.1:1/v1?key=${SECRET}`, model: 'test' }),
    ]) {
      let thrown: unknown
      try {
        make()
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'GRD-CLI-002' })
      expect(inspect(thrown)).not.toContain(SECRET)
    }
  })
})
