import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type ServerType, serve } from '@hono/node-server'
import OpenAI from 'openai'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { NO_USAGE } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import { splitterNamed } from '../../io/steps/resplit.ts'
import { taskPolicy } from '../../models/policies/simulated.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import type { RewardModel, Scored } from '../../models/rewards/reward.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { searchModels } from './chat-models.ts'
import { type Served, serverApp } from './root.ts'
import { ScoreService, type ServiceOptions } from './score-service.ts'
import { verlClient } from './verl-client.ts'

const TOKEN = 'test-token'
const servers: ServerType[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Knows sums; cannot say where there is none; fails on `poison`. */
const sums: RewardModel = {
  name: 'sums',
  identity: 'sums',
  meaning: 'correctness',
  aggregate: 'min',
  score: async (lines) =>
    lines.map(({ steps }): Scored => {
      if (steps.some(({ text }) => text.includes('poison'))) {
        return { ok: false, error: new GradusError('GRD-CALL-004', { found: 'the model fell over' }), usage: NO_USAGE }
      }
      const scores = steps.map(({ text }) => {
        const sum = /(\d+) \+ (\d+) = (\d+)/.exec(text)
        return sum ? (Number(sum[1]) + Number(sum[2]) === Number(sum[3]) ? 0.75 : 0.25) : null
      })
      return { ok: true, scores, usage: NO_USAGE }
    }),
}

async function start(more: Partial<Served> & { reward?: RewardModel; service?: Partial<ServiceOptions> } = {}) {
  const { reward = sums, service, ...rest } = more
  const app = serverApp({
    models: [],
    token: TOKEN,
    reading: { splitter: splitterNamed('paragraph') },
    scores: new ScoreService(reward, { batch: true, ...service }),
    ...rest,
  })
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  servers.push(server)
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const post = async (
    path: string,
    body: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
  ) => {
    const answer = await fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answered }
  }
  return { base, post }
}

/** What the tests look at; the values are what is tested. */
interface Answered {
  rewards?: unknown
  data?: unknown
  error?: { code: string }
}

const GOOD = 'We see 2 + 3 = 5.\n\nSo 5 + 1 = 6.'
const BAD = 'We see 2 + 3 = 6.\n\nSo 6 + 1 = 7.'

describe('scores as training frameworks ask for them', () => {
  it('OpenRLHF: a reward for each query, prompts given apart, the token in the address', async () => {
    const { post } = await start()
    const body = {
      query: [`Q: sum?\n${GOOD}`, `Q: sum?\n${BAD}`],
      prompts: ['Q: sum?\n', 'Q: sum?\n'],
      labels: ['6', '6'],
    }
    const { status, body: answer } = await post(`/get_reward?token=${TOKEN}`, body, {})
    expect(status).toBe(200)
    expect(answer).toEqual({ rewards: [0.75, 0.25], scores: [0.75, 0.25], extra_logs: { steps: [2, 2] } })
  })

  it('OpenRLHF before it sent prompts: by the text behind which a response begins', async () => {
    const query = `<|im_start|>user\nsum?<|im_end|>\n<|im_start|>assistant\n${GOOD}`
    const { post } = await start()
    expect(await post('/get_reward', { query: [query] })).toMatchObject({
      status: 400,
      body: { error: { code: 'GRD-SERVE-001' } },
    })
    const knowing = await start({
      reading: { splitter: splitterNamed('paragraph'), promptEnd: '<|im_start|>assistant\n' },
    })
    expect((await knowing.post('/get_reward', { query: [query] })).body.rewards).toEqual([0.75])
  })

  it('vLLM: /score of one problem with many solutions, and /pooling with a row for each step', async () => {
    const { post } = await start()
    const score = await post('/score', { model: 'x', text_1: 'sum?', text_2: [GOOD, BAD] })
    expect(score.body).toMatchObject({
      object: 'list',
      model: 'sums',
      data: [
        { index: 0, score: 0.75 },
        { index: 1, score: 0.25 },
      ],
    })
    const messages = [
      { role: 'user', content: 'sum?' },
      { role: 'assistant', content: '2 + 3 = 5<extra_0>5 + 1 = 7<extra_0>' },
    ]
    const pooling = await post('/pooling', { messages })
    expect(pooling.body.data).toEqual([
      {
        index: 0,
        object: 'pooling',
        data: [
          [0.25, 0.75],
          [0.75, 0.25],
        ],
      },
    ])
  })

  it('verl: by a Python file of standard library only', async (context) => {
    const { base } = await start()
    const folder = mkdtempSync(join(tmpdir(), 'gradus-verl-'))
    const file = join(folder, 'gradus_reward.py')
    writeFileSync(file, verlClient(base))
    const program = [
      'import json, gradus_reward as g',
      `good, bad = ${JSON.stringify(GOOD)}, ${JSON.stringify(BAD)}`,
      'one = g.compute_score("data", good, "6", {"question": "sum?"})',
      'many = g.compute_score_batch(["d"] * 2, [good, bad], ["6"] * 2, [None, {"question": "sum?"}])',
      'print(json.dumps([one, many]))',
    ].join('\n')
    const env = { ...process.env, GRADUS_TOKEN: TOKEN, PYTHONDONTWRITEBYTECODE: '1' }
    try {
      const ran = await promisify(execFile)('python3', ['-c', program], { cwd: folder, env }).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') context.skip('no python3 here')
          throw error
        },
      )
      expect(JSON.parse(ran.stdout)).toEqual([
        0.75,
        [
          { score: 0.75, step_scores: [0.75, 0.75] },
          { score: 0.25, step_scores: [0.25, 0.75] },
        ],
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
    expect(verlClient(base).trimEnd().split('\n').length).toBeLessThanOrEqual(25)
  })

  it('says null only where null can be said, and takes another number only from who runs the server', async () => {
    const { post } = await start()
    const lines = [
      { prompt: 'q', steps: ['hello', '1 + 1 = 2'] },
      { prompt: 'q', response: 'no sums here' },
    ]
    expect((await post('/v1/rewards', { lines })).body).toEqual({
      model: 'sums',
      meaning: 'correctness',
      aggregate: 'min',
      data: [
        { scores: [null, 0.75], score: 0.75 },
        { scores: [null], score: null },
      ],
    })
    const silent = { query: ['q no sums here'], prompts: ['q'] }
    expect(await post('/get_reward', silent)).toMatchObject({ status: 422, body: { error: { code: 'GRD-SERVE-007' } } })
    const lenient = await start({ abstainAs: -1 })
    expect((await lenient.post('/get_reward', silent)).body.rewards).toEqual([-1])
  })
})

describe('requests that cannot be served', () => {
  it.each([
    ['/get_reward', '{', 400, 'GRD-SERVE-001'],
    ['/get_reward', {}, 400, 'GRD-SERVE-001'],
    ['/get_reward', { query: ['a', 'b'], prompts: ['a'] }, 400, 'GRD-SERVE-001'],
    ['/score', { text_1: ['a', 'b'], text_2: ['c'] }, 400, 'GRD-SERVE-001'],
    ['/pooling', { model: 'x' }, 400, 'GRD-SERVE-001'],
    ['/v1/rewards', { lines: [{ prompt: 'q' }] }, 400, 'GRD-SERVE-001'],
    ['/v1/rewards', { lines: [{ prompt: 'q', steps: ['poison'] }] }, 502, 'GRD-CALL-004'],
  ])('%s %j: status %i with a code', async (path, body, status, code) => {
    const { post } = await start()
    expect(await post(path, body)).toMatchObject({ status, body: { error: { code } } })
  })

  it('a model that gives NaN or a wrong count is an error, never a score', async () => {
    for (const scores of [[Number.NaN], [0.5, 0.5], [2], []]) {
      const broken: RewardModel = {
        ...sums,
        score: async (lines) => lines.map(() => ({ ok: true, scores, usage: NO_USAGE })),
      }
      const { post } = await start({ reward: broken })
      const answer = await post('/v1/rewards', { lines: [{ prompt: 'q', steps: ['x'] }] })
      expect(answer).toMatchObject({ status: 502, body: { error: { code: 'GRD-REWARD-001' } } })
    }
  })

  it('the door: no score without the token, nothing for other sites', async () => {
    const { post } = await start()
    const body = { lines: [{ prompt: 'q', steps: ['1 + 1 = 2'] }] }
    expect((await post('/v1/rewards', body, {})).status).toBe(401)
    expect((await post('/v1/rewards?token=wrong', body, {})).status).toBe(401)
    expect(
      (await post('/v1/rewards', body, { authorization: `Bearer ${TOKEN}`, origin: 'https://example.com' })).status,
    ).toBe(403)
  })

  it('too much at once is refused with a time to come again, and what was taken is answered', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const slow: RewardModel = { ...sums, score: async (lines) => gate.then(() => sums.score(lines)) }
    const { post, base } = await start({ reward: slow, service: { queue: 3 } })
    const lines = (n: number) => ({ lines: Array.from({ length: n }, () => ({ prompt: 'q', steps: ['1 + 1 = 2'] })) })
    const first = post('/v1/rewards', lines(3))
    const metrics = () =>
      fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } }).then((r) => r.text())
    await expect.poll(metrics).toContain('gradus_queued_lines 3')
    const refused = await post('/v1/rewards', lines(1))
    expect([refused.status, refused.headers.get('retry-after'), refused.body.error?.code]).toEqual([
      429,
      '1',
      'overloaded',
    ])
    release()
    expect((await first).body.data).toHaveLength(3)
    expect((await post('/v1/rewards', lines(1))).status).toBe(200)
    const counted = await metrics()
    expect(counted).toContain('gradus_requests_total{route="/v1/rewards",status="200"} 2')
    expect(counted).toContain('gradus_lines_total{outcome="scored"} 4')
    expect(counted).toContain('gradus_queued_lines 0')
  })

  it('asks a model that takes its time once for what arrives together', async () => {
    const batches: number[] = []
    const counting: RewardModel = {
      ...sums,
      score: async (lines) => {
        batches.push(lines.length)
        await setTimeout(10)
        return sums.score(lines)
      },
    }
    const { post } = await start({ reward: counting })
    await Promise.all(
      Array.from({ length: 50 }, () => post('/v1/rewards', { lines: [{ prompt: 'q', steps: ['1 + 1 = 2'] }] })),
    )
    expect(batches.reduce((a, b) => a + b, 0)).toBe(50)
    expect(batches.length).toBeLessThan(25)
  })

  it('refuses a body beyond 64 MiB by its length alone, and reads one that does not say its length', async () => {
    const { base } = await start()
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
    const status = async (more: Record<string, string | number>, body?: string): Promise<number | undefined> => {
      const asked = request(`${base}/v1/rewards`, { method: 'POST', headers: { ...headers, ...more } })
      asked.on('error', () => {})
      if (body === undefined) asked.flushHeaders()
      else asked.end(body)
      const [answer] = (await once(asked, 'response')) as [IncomingMessage]
      asked.destroy()
      return answer.statusCode
    }
    expect(await status({ 'content-length': 64 * 1024 * 1024 + 1 })).toBe(413)
    const small = JSON.stringify({ lines: [{ prompt: 'q', steps: ['1 + 1 = 2'] }] })
    expect(await status({ 'transfer-encoding': 'chunked' }, small)).toBe(200)
    expect(await status({ 'content-length': small.length }, small)).toBe(200)
  })
})

describe('a text that is too long', () => {
  const tooLong = new GradusError('GRD-MODEL-002', { found: 'a text of 900 tokens', expected: 'at most 112' })
  /** Reads short lines only; `behind` as a server behind this one says it. */
  const narrow: RewardModel = {
    ...sums,
    score: async (lines) =>
      lines.map(({ steps }): Scored => {
        if (steps.every(({ text }) => text.length < 100)) return { ok: true, scores: [0.5], usage: NO_USAGE }
        const error = steps[0]?.text.startsWith('behind') ? new GradusError('GRD-CALL-009') : tooLong
        return { ok: false, error, usage: NO_USAGE }
      }),
  }
  const writer: StepWriter = {
    name: 'narrow',
    identity: 'narrow',
    next: async () => ({ ok: false, error: tooLong, usage: NO_USAGE }),
    complete: async () => ({ ok: false, error: new GradusError('GRD-CALL-009'), usage: NO_USAGE }),
  }

  it('is a 400 that the official client does not ask again, on every path', async () => {
    const { base } = await start({ reward: narrow, chats: searchModels({ policy: writer, reward: narrow }) })
    let asked = 0
    const client = new OpenAI({
      baseURL: base,
      apiKey: TOKEN,
      fetch: (url, init) => {
        asked++
        return fetch(url, init)
      },
    })
    const chat = (model: string) =>
      client.post('/v1/chat/completions', { body: { model, messages: [{ role: 'user', content: 'hello' }] } })
    const asks = [
      () => client.post('/score', { body: { text_1: 'q', text_2: 'x'.repeat(200) } }),
      () => client.post('/v1/rewards', { body: { lines: [{ prompt: 'q', steps: [`behind ${'x'.repeat(200)}`] }] } }),
      () => client.post('/get_reward', { body: { query: `q${'x'.repeat(200)}`, prompts: 'q' } }),
      () => chat('gradus/best-of-2'),
      () => chat('gradus/step-beam:k=2,beam=1'),
    ]
    for (const ask of asks) {
      asked = 0
      const error = await ask().then(
        () => null,
        (e: unknown) => e,
      )
      expect(error).toBeInstanceOf(OpenAI.BadRequestError)
      expect(error).toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
        type: 'invalid_request_error',
        param: null,
      })
      expect(asked).toBe(1)
    }
    const fine = (await client.post('/score', { body: { text_1: 'q', text_2: 'short' } })) as { data: unknown[] }
    expect(fine.data).toHaveLength(1)
  })

  it('and so is a problem of another task; what may go by is still asked again', async () => {
    const { post } = await start({
      reward: {
        ...sums,
        score: async () => [{ ok: false, error: new GradusError('GRD-WORLD-001'), usage: NO_USAGE }],
      },
    })
    const lines = [{ prompt: 'q', steps: ['x'] }]
    expect(await post('/v1/rewards', { lines })).toMatchObject({
      status: 400,
      body: { error: { code: 'GRD-WORLD-001' } },
    })
    const { post: flaky } = await start()
    expect((await flaky('/v1/rewards', { lines: [{ prompt: 'q', steps: ['poison'] }] })).status).toBe(502)
  })
})

describe('what the server tells of itself', () => {
  it('an OpenAPI document with every score path, and metrics whose labels no client can make up', async () => {
    const { base, post } = await start()
    const document = await fetch(`${base}/openapi.json`).then((r) => r.json())
    expect(Object.keys(document.paths).sort()).toEqual([
      '/get_reward',
      '/pooling',
      '/score',
      '/v1/rewards',
      '/v1/score',
    ])
    expect(document.paths['/get_reward'].post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/GetReward',
    })
    expect(await fetch(`${base}/health`).then((r) => r.json())).toEqual({ status: 'ok', model: 'sums' })
    await post('/no/such"path', {})
    const metrics = await fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4')
    expect(await metrics.text()).not.toContain('such')
    expect((await fetch(`${base}/metrics`)).status).toBe(401)
  })
})

describe('chats answered by search', () => {
  const problems = arithmeticChain.generate('search-chat', 2, 6)
  const policy = taskPolicy({ slip: 0.25, recovery: 0 })
  const chats = searchModels({ policy, reward: oracleReward(), joiner: '\n', domain: arithmeticChain.name })
  const openai = (base: string) => new OpenAI({ baseURL: `${base}/v1`, apiKey: TOKEN, maxRetries: 0 })
  const rightOf = async (client: OpenAI, model: string): Promise<number> => {
    let right = 0
    for (const problem of problems) {
      const answer = await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: problem.prompt }],
      })
      const text = answer.choices[0]?.message.content ?? ''
      right += Number(arithmeticChain.check(problem, arithmeticChain.answerOf(text.split('\n')) ?? ''))
    }
    return right
  }

  it('the official client gets better answers from more samples', async () => {
    const { base } = await start({ chats })
    const client = openai(base)
    const [two, sixteen] = [await rightOf(client, 'gradus/best-of-2'), await rightOf(client, 'gradus/best-of-16')]
    expect(sixteen).toBe(problems.length)
    expect(two).toBeLessThan(sixteen)
    expect(await rightOf(client, 'gradus/step-beam:k=8,beam=2')).toBe(problems.length)
  })

  it('a stream is the same answer step by step, with what the search did at its end', async () => {
    const { base } = await start({ chats })
    const client = openai(base)
    const body = { model: 'gradus/best-of-4', messages: [{ role: 'user' as const, content: problems[0]!.prompt }] }
    const whole = await client.chat.completions.create(body)
    const stream = await client.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let search: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      if ('gradus' in chunk) search = chunk.gradus
    }
    expect(text).toBe(whole.choices[0]?.message.content)
    expect(search).toMatchObject({ search: 'best-of-n', candidates: { length: 4 } })
  })

  it('lists its searches, and refuses settings and models that cannot be', async () => {
    const { base } = await start({ chats })
    const client = openai(base)
    const names = (await client.models.list()).data.map((m) => m.id)
    expect(names).toContain('gradus/best-of-n')
    expect(names).toContain('gradus/step-beam')
    const code = (model: string) =>
      client.chat.completions.create({ model, messages: [{ role: 'user', content: 'x' }] }).then(
        () => 'answered',
        (error: { status: number; code: string }) => [error.status, error.code],
      )
    expect(await code('gradus/nobody')).toEqual([404, 'GRD-SERVE-002'])
    expect(await code('gradus/best-of-n:depth=3')).toEqual([400, 'GRD-CLI-002'])
    // One candidate is no search.
    expect(await code('gradus/best-of-1')).toEqual([400, 'GRD-CLI-002'])
  })

  it('gives an answer also where nothing can be compared as one: the text with the highest score', async () => {
    const texts = ['short', 'a longer poem', 'poem']
    const { completeMany: _, ...alone } = policy
    const poet: StepWriter = {
      ...alone,
      complete: async (_problem, _steps, sample) => {
        return { ok: true, steps: [{ text: texts[sample % 3] ?? '', kind: 'thought' }], end: 'stop', usage: NO_USAGE }
      },
    }
    const byLength: RewardModel = {
      ...sums,
      score: async (lines) =>
        lines.map(({ steps }) => ({ ok: true, scores: steps.map((s) => s.text.length / 100), usage: NO_USAGE })),
    }
    const { base } = await start({ chats: searchModels({ policy: poet, reward: byLength }) })
    const answer = await openai(base).chat.completions.create({
      model: 'gradus/best-of-3',
      messages: [{ role: 'user', content: 'Write.' }],
    })
    expect(answer.choices[0]?.message.content).toBe('a longer poem')
  })

  it('beyond what it can work on at once, asks to come again', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    let begun = 0
    const { completeMany: _, ...alone } = policy
    const slow: StepWriter = {
      ...alone,
      async complete(...args) {
        begun++
        await gate
        return await policy.complete(...args)
      },
    }
    const settings = { policy: slow, reward: oracleReward(), domain: arithmeticChain.name, most: 1 }
    const { post } = await start({ chats: searchModels(settings) })
    const body = { model: 'gradus/best-of-2', messages: [{ role: 'user', content: problems[0]!.prompt }] }
    const first = post('/v1/chat/completions', body)
    await expect.poll(() => begun).toBe(2)
    const refused = await post('/v1/chat/completions', body)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    release()
    expect((await first).status).toBe(200)
    expect((await post('/v1/chat/completions', body)).status).toBe(200)
  })

  it('without a reward model offers the searches that need none', () => {
    const names = searchModels({ policy }).names
    expect(names).toContain('gradus/majority')
    expect(names).not.toContain('gradus/best-of-n')
  })
})

afterAll(() => {
  for (const server of servers.splice(0)) server.close()
})
