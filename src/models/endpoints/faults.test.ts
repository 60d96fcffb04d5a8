import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { EngineOptions, Outcome } from '../../engine/engine.ts'
import { Engine } from '../../engine/engine.ts'
import { Fault } from '../../engine/fault.ts'
import type { Behaviour, ServerScript, TestServer } from '../../engine/testing/openai-server.ts'
import { startTestServer } from '../../engine/testing/openai-server.ts'
import type { Completion, Generation } from './endpoint.ts'
import type { OpenAiCompatibleOptions } from './openai-compatible.ts'
import { openAiCompatible } from './openai-compatible.ts'
import type { GenerateRequest } from './sampler.ts'
import { samplerOf } from './sampler.ts'

/** Every fault that real servers show, against the whole path: engine, limiter, retries, HTTP, reading, cache. */

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

const request: GenerateRequest = { api: 'chat', messages: [{ role: 'user', content: 'x' }], maxTokens: 50 }

async function start(
  script: ServerScript,
  options: Partial<OpenAiCompatibleOptions> = {},
  engineOptions: EngineOptions = {},
  perCall = 1,
) {
  const server: TestServer = await startTestServer(script)
  open.push(server)
  const engine = new Engine({
    retry: { baseMs: 1, capMs: 4, patienceMs: 5_000 },
    deadline: 5,
    run: 'faults',
    ...engineOptions,
  })
  open.push(engine)
  const endpoint = openAiCompatible({ url: server.url, model: 'test', ...options })
  const sampler = samplerOf(endpoint, perCall)
  return {
    server,
    engine,
    endpoint,
    draw: (count = 1, more: Partial<GenerateRequest> = {}) =>
      engine.sample(sampler, { ...request, ...more } as GenerateRequest, { count }),
  }
}
const first =
  (n: number, behaviour: Behaviour) =>
  (nth: number): Behaviour =>
    nth < n ? behaviour : { kind: 'answer' }
const codes = (outcomes: Outcome<Completion>[]) => outcomes.map((o) => (o.ok ? 'ok' : o.error.code))
function exact(engine: Engine): void {
  const { asked, cached, shared, kept, failed, unfinished } = engine.counts
  expect(cached + shared + kept + unfinished + Object.values(failed).reduce((a, b) => a + b, 0)).toBe(asked)
}

describe('faults of a server', () => {
  it('refused connection: a few tries, then the endpoint is given up for all', async () => {
    const unused = createServer()
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve))
    const { port } = unused.address() as AddressInfo
    await new Promise((resolve) => unused.close(resolve))
    const { engine, draw, server } = await start({}, { url: `http://127.0.0.1:${port}/v1` }, { concurrency: 2 })
    expect(new Set(codes(await draw(100)))).toEqual(new Set(['GRD-CALL-001']))
    expect(engine.counts.requests).toBeLessThanOrEqual(8 + 3)
    expect(engine.counts.failed).toEqual({ 'GRD-CALL-001': 100 })
    expect(server.requests).toBe(0)
    exact(engine)
  })

  it('a server that restarts: waited for, and everything arrives', async () => {
    const { engine, draw, server } = await start(
      { latencyMs: 5 },
      {},
      { retry: { baseMs: 60, capMs: 500, patienceMs: 5_000 } },
    )
    const wanted = draw(300)
    while (server.requests < 50) await new Promise((resolve) => setTimeout(resolve, 1))
    await server.close()
    const again = await startTestServer({}, Number(new URL(server.url).port))
    open.push(again)
    expect(new Set(codes(await wanted))).toEqual(new Set(['ok']))
    expect(engine.counts.kept).toBe(300)
    exact(engine)
  })

  it('401: one request, and none after it', async () => {
    const { server, engine, draw } = await start(
      { behave: () => ({ kind: 'status', status: 401 }) },
      {},
      { concurrency: 1 },
    )
    expect(new Set(codes(await draw(20)))).toEqual(new Set(['GRD-CALL-002']))
    expect(server.requests).toBe(1)
    exact(engine)
  })

  it('429 storm with Retry-After: nothing is sent before its time, everything arrives, each paid for once', async () => {
    const times: number[] = []
    let until = 0
    const { server, engine, draw } = await start({
      latencyMs: 5,
      behave: (nth) => {
        const now = performance.now()
        times.push(now)
        // Requests sent in the same instant as the refused one could not know.
        if (until > 0 && now < until - 5) expect(now).toBeLessThan(until - 300)
        if (nth < 30) {
          until = now + 400
          return { kind: 'status', status: 429, headers: { 'retry-after': '0.4' } }
        }
        return { kind: 'answer' }
      },
    })
    const outcomes = await draw(100)
    expect(new Set(codes(outcomes))).toEqual(new Set(['ok']))
    expect(engine.counts).toMatchObject({ kept: 100, failed: {}, retries: 30 })
    expect(server.requests).toBe(130)
    exact(engine)
  })

  it('500s now and then: tried again; 500s for ever: given up, and the count is exact', async () => {
    const some = await start({
      // Not for ever: one sample in so many would meet it six times in a row, and be given up.
      behave: (nth) => (nth % 3 === 0 && nth < 60 ? { kind: 'status', status: 500 } : { kind: 'answer' }),
    })
    expect(new Set(codes(await some.draw(50)))).toEqual(new Set(['ok']))
    const always = await start({ behave: () => ({ kind: 'status', status: 500, body: '<html>oops</html>' }) })
    expect(codes(await always.draw(3))).toEqual(Array(3).fill('GRD-CALL-004'))
    expect(always.server.requests).toBe(18)
    expect(always.engine.history().failures).toEqual({ 'GRD-CALL-004': 18 })
    exact(always.engine)
  })

  it('a hanging server: ends at the deadline', async () => {
    const { server, draw, engine } = await start({ behave: first(2, { kind: 'hang' }) }, {}, { deadline: 0.15 })
    expect(codes(await draw())).toEqual(['ok'])
    expect(server.requests).toBe(3)
    expect(engine.history().failures).toEqual({ 'GRD-CALL-005': 2 })
  })

  it('an answer that stalls half-way, whole or streamed: ends at the deadline, and the connection is closed', async () => {
    for (const stream of [false, true]) {
      const { server, draw, engine } = await start(
        { behave: first(2, { kind: 'stall', bytes: 60 }) },
        { stream },
        { deadline: 0.15 },
      )
      expect(codes(await draw())).toEqual(['ok'])
      expect(engine.history().failures).toEqual({ 'GRD-CALL-005': 2 })
      while (server.working > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })

  it('an answer cut off: tried again', async () => {
    const { draw, engine } = await start({ behave: first(2, { kind: 'cut', bytes: 60 }) })
    expect(codes(await draw())).toEqual(['ok'])
    expect(engine.history().failures).toEqual({ 'GRD-CALL-006': 2 })
  })

  it('a stream cut off: choices that had ended are kept, the others are drawn again, what came is counted', async () => {
    const event = (choice: unknown) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`
    const part =
      event({ index: 0, delta: { content: 'whole' }, finish_reason: null }) +
      event({ index: 1, delta: { content: 'half of th' }, finish_reason: null }) +
      event({ index: 0, delta: {}, finish_reason: 'stop' })
    const { draw, engine, server } = await start(
      {
        text: () => 'fresh',
        behave: first(1, { kind: 'raw', body: part, headers: { 'content-type': 'text/event-stream' } }),
      },
      { stream: true },
      {},
      2,
    )
    const outcomes = await draw(2)
    expect(outcomes.map((o) => o.ok && o.value.text)).toEqual(['whole', 'fresh'])
    expect(server.requests).toBe(2)
    const { attempts, spent } = engine.history()
    expect(attempts).toMatchObject({ partial: 1, kept: 1 })
    expect(spent.completionTokens).toBe(Math.ceil(5 / 4) + Math.ceil(10 / 4) + 1)
    exact(engine)
  })

  it('a stream broken in the middle of an event: nothing half is ever kept', async () => {
    for (const bytes of [10, 50, 100, 200]) {
      const { draw, engine } = await start(
        { text: () => 'one two three', behave: first(1, { kind: 'cut', bytes }) },
        { stream: true },
      )
      const [outcome] = await draw()
      expect(outcome?.ok && outcome.value).toEqual({ text: 'one two three', finish: 'stop' })
      expect(engine.counts.requests).toBe(2)
    }
  })

  it('invalid JSON, HTML, an empty body, a list: three tries, then a reason', async () => {
    for (const body of ['{"choices":[', '<html>login</html>', '', '[]', '{"choices":5}', '{"object":"x"}']) {
      const { draw, server, engine } = await start({ behave: () => ({ kind: 'raw', body }) })
      expect(codes(await draw()), body).toEqual(['GRD-CALL-007'])
      expect(server.requests).toBe(3)
      exact(engine)
    }
  })

  it('fewer choices than asked for: kept, and only the missing ones are asked for again', async () => {
    const wanted: unknown[] = []
    const { draw, engine } = await start(
      {
        behave: (nth, body) => {
          wanted.push(body['n'] ?? 1)
          return nth < 2
            ? { kind: 'change', change: (a) => ({ ...a, choices: a.choices.slice(0, 3) }) }
            : { kind: 'answer' }
        },
      },
      {},
      {},
      8,
    )
    expect(codes(await draw(8))).toEqual(Array(8).fill('ok'))
    expect(wanted).toEqual([8, 5, 2])
    exact(engine)
  })

  it('no choices at all: a fault of its own', async () => {
    const { draw } = await start({ behave: () => ({ kind: 'change', change: (a) => ({ ...a, choices: [] }) }) })
    expect(codes(await draw())).toEqual(['GRD-CALL-008'])
  })

  it('more choices than asked for: the surplus is left', async () => {
    const { draw, server } = await start({
      behave: () => ({ kind: 'change', change: (a) => ({ ...a, choices: [...a.choices, ...a.choices] }) }),
    })
    expect(codes(await draw(2))).toEqual(['ok', 'ok'])
    expect(server.requests).toBe(2)
  })

  it('empty completions: paid for, kept, never drawn again', async () => {
    const { draw, server } = await start({
      behave: () => ({
        kind: 'change',
        change: (a) => ({ ...a, choices: [{ index: 0, message: { content: null }, finish_reason: 'length' }] }),
      }),
    })
    const [outcome] = await draw()
    expect(outcome?.ok && outcome.value).toEqual({ text: '', finish: 'length' })
    await draw()
    expect(server.requests).toBe(1)
  })

  it('log-probabilities of a wrong shape: the text is kept and says so', async () => {
    for (const logprobs of [
      null,
      5,
      {},
      { content: 'x' },
      { content: [{ token: 1, logprob: -1 }] },
      { content: [{ token: 'a', logprob: 'b' }] },
      { content: [{ token: 'a', logprob: 3 }] },
      { tokens: ['a', 'b'], token_logprobs: [-1] },
    ]) {
      const change = (a: { choices: Record<string, unknown>[] }) => ({
        ...a,
        choices: a.choices.map((c) => ({ ...c, logprobs })),
      })
      const { draw, server } = await start({ text: () => 'four', behave: () => ({ kind: 'change', change }) })
      const [outcome] = await draw(1, { logprobs: 0 })
      expect(outcome?.ok && outcome.value, JSON.stringify(logprobs)).toEqual({
        text: 'four',
        finish: 'stop',
        faults: ['logprobs'],
      })
      expect(server.requests).toBe(1)
    }
  })

  it('any JSON at all: a completion or a fault, never another error', async () => {
    let body = ''
    const { endpoint, server } = await start({ behave: () => ({ kind: 'raw', body }) })
    const answer = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            choices: fc.array(
              fc.record(
                {
                  index: fc.jsonValue(),
                  text: fc.jsonValue(),
                  message: fc.oneof(fc.jsonValue(), fc.record({ content: fc.jsonValue(), tool_calls: fc.jsonValue() })),
                  logprobs: fc.oneof(fc.jsonValue(), fc.record({ content: fc.jsonValue(), tokens: fc.jsonValue() })),
                  finish_reason: fc.jsonValue(),
                },
                { requiredKeys: [] },
              ),
            ),
            usage: fc.jsonValue(),
            error: fc.jsonValue(),
          },
          { requiredKeys: ['choices'] },
        )
        .map((value) => JSON.stringify(value)),
    )
    await fc.assert(
      fc.asyncProperty(answer, async (text) => {
        body = text
        const result = await endpoint
          .generate({ messages: [], logprobs: 1 }, 2, new AbortController().signal)
          .catch((error: unknown) => error)
        if (result instanceof Error) expect(result).toBeInstanceOf(Fault)
        else expect((result as Generation).completions.every((c) => typeof c.text === 'string')).toBe(true)
      }),
      { numRuns: 200 },
    )
    expect(server.connections).toBeLessThan(5)
  })

  it('context overflow: told apart from other refusals, and not tried again', async () => {
    const phrases = [
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
      'the request exceeds the available context size, try increasing it',
      'Input validation error: `inputs` must have less than 1024 tokens. Given: 2000',
      'The input (5000 tokens) is longer than the model allows',
    ]
    for (const message of phrases) {
      const { draw, server } = await start({
        behave: () => ({ kind: 'status', status: 400, body: JSON.stringify({ error: { message } }) }),
      })
      expect(codes(await draw()), message).toEqual(['GRD-CALL-009'])
      expect(server.requests).toBe(1)
    }
    const other = await start({
      behave: () => ({ kind: 'status', status: 400, body: '{"error":{"message":"unknown field foo"}}' }),
    })
    expect(codes(await other.draw())).toEqual(['GRD-CALL-010'])
  })

  it('an error with status 200, and one in the middle of a stream', async () => {
    const error = JSON.stringify({ error: { message: 'provider down', code: 502 } })
    const whole = await start({ behave: first(1, { kind: 'raw', body: error }) })
    expect(codes(await whole.draw())).toEqual(['ok'])
    const headers = { 'content-type': 'text/event-stream' }
    const streamed = await start(
      { behave: first(1, { kind: 'raw', body: `data: ${error}\n\n`, headers }) },
      { stream: true },
    )
    expect(codes(await streamed.draw())).toEqual(['ok'])
    expect(streamed.engine.history().failures).toEqual({ 'GRD-CALL-004': 1 })
  })

  it('a used-up quota: nothing more is sent, though the status is 429', async () => {
    const body = JSON.stringify({ error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } })
    const { draw, server } = await start(
      { behave: () => ({ kind: 'status', status: 429, body }) },
      {},
      { concurrency: 1 },
    )
    expect(new Set(codes(await draw(10)))).toEqual(new Set(['GRD-CALL-012']))
    expect(server.requests).toBe(1)
  })

  it('a redirect: not followed, so that the key stays', async () => {
    const { draw, server } = await start({
      behave: () => ({ kind: 'status', status: 307, headers: { location: 'http://127.0.0.1:9/' } }),
    })
    expect(codes(await draw())).toEqual(['GRD-CALL-010'])
    expect(server.requests).toBe(1)
  })

  it('a server with few slots that refuses the rest: all arrive, and few requests are wasted', async () => {
    const { draw, server, engine } = await start({ slots: 10, beyond: 'refuse', latencyMs: 10 })
    expect(new Set(codes(await draw(600)))).toEqual(new Set(['ok']))
    expect(engine.counts.kept).toBe(600)
    expect(server.refused).toBeLessThan(120)
    exact(engine)
  })
})
