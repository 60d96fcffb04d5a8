import { afterEach, describe, expect, it } from 'vitest'
import { GradusError } from '../../../core/errors.ts'
import { Engine } from '../../../engine/engine.ts'
import { vllmServer } from '../../endpoints/vllm.ts'
import type { Line, RewardModel } from '../reward.ts'
import { SURE, startToyServer, type ToyModel, type ToyServer } from '../testing/prm-server.ts'
import { PRM_ADAPTERS } from './index.ts'
import { openPrm } from './open.ts'

const qwenChat: NonNullable<ToyModel['chat']> = (messages) =>
  messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('')
const QWEN = { '<|im_start|>': 151_644, '<|im_end|>': 151_645, '<extra_0>': 151_651, '\n': 198 }

/** What the published models look like on the wire. */
const MODELS: Record<string, ToyModel> = {
  'math-shepherd': {
    tokens: { ' ки': 12_902, '+': 648, '-': 387 },
    bos: 1,
    head: { kind: 'writes', good: 648, bad: 387 },
    speaksAt: 12_902,
  },
  // Speaks where the assistant's turn begins.
  'rlhflow-prm': {
    tokens: { '<assistant>': 128_007, '+': 10, '-': 12 },
    head: { kind: 'writes', good: 10, bad: 12 },
    speaksAt: 128_007,
  },
  'skywork-o1-prm': { tokens: QWEN, head: { kind: 'rows', width: 1, pooler: 'all' }, speaksAt: 198 },
  'qwen2.5-math-prm': {
    tokens: QWEN,
    chat: qwenChat,
    head: { kind: 'rows', width: 2, pooler: 'step', activated: true },
    speaksAt: 151_651,
  },
  'eurus-prm': { tokens: QWEN, chat: qwenChat, head: { kind: 'ratio', gain: 0.5 } },
  'reasonflux-prm': {
    tokens: QWEN,
    chat: qwenChat,
    head: { kind: 'rows', width: 2, pooler: 'all' },
    speaksAt: 151_651,
  },
}
const REFERENCE: ToyModel = { tokens: QWEN, chat: qwenChat, head: { kind: 'ratio', gain: 0 } }

const servers: ToyServer[] = []
let engine = new Engine()
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
  await engine.close()
  engine = new Engine()
})

async function serve(model: ToyModel) {
  const server = await startToyServer(model)
  servers.push(server)
  return { server, client: vllmServer({ url: server.url, model: 'toy', name: `toy ${servers.length}` }) }
}

async function open(name: string, model = MODELS[name]): Promise<{ reward: RewardModel; server: ToyServer }> {
  const { server, client } = await serve(model as ToyModel)
  const adapter = PRM_ADAPTERS.find((a) => a.name === name)!
  const reference = adapter.form.kind === 'log-ratio' ? { reference: (await serve(REFERENCE)).client } : {}
  return { reward: await openPrm(adapter, { engine, server: client, ...reference }), server }
}

const line = (...texts: string[]): Line => ({
  problem: { id: 'p', prompt: 'Count them.' },
  steps: texts.map((text) => ({ text, kind: 'thought' })),
})
const LINE = line('We have 2 + 3 = 5.', 'Then 5 + 4 = 8.', 'Take one: 8 - 1 = 7.\nSo 7.')
const codeOf = (work: Promise<unknown>): Promise<(string | undefined)[]> =>
  work.then(
    () => ['opened'],
    (error: unknown) => (error instanceof GradusError ? [error.code, error.found] : [String(error)]),
  )

describe('adapters of public process reward models', () => {
  it.each(['math-shepherd', 'rlhflow-prm', 'skywork-o1-prm', 'qwen2.5-math-prm', 'reasonflux-prm'])(
    '%s: reads the chance of each step where the model speaks, in one pass a solution',
    async (name) => {
      const { reward, server } = await open(name)
      server.passes = {}
      const [scored] = await reward.score([LINE])
      expect(scored?.ok && scored.scores).toEqual([SURE.right, SURE.wrong, SURE.right].map((p) => expect.closeTo(p)))
      expect((server.passes['/pooling'] ?? 0) + (server.passes['/v1/completions'] ?? 0)).toBe(1)
      expect(scored?.usage.promptTokens).toBeGreaterThan(20)
    },
  )

  it('eurus-prm: is the sigmoid of the log-ratio so far, which falls at a wrong step', async () => {
    const { reward, server } = await open('eurus-prm')
    server.passes = {}
    const tokensOf = async (steps: Line): Promise<number[]> => {
      const [scored] = await reward.score([steps])
      // gain .5 a token times beta .001
      return scored?.ok ? scored.scores.map((s) => Math.log((s ?? 0) / (1 - (s ?? 0))) / 0.001 / 0.5) : []
    }
    const wrong = await tokensOf(LINE)
    expect(server.passes['/v1/completions']).toBe(1)
    const right = await tokensOf(line('We have 2 + 3 = 5.', 'Then 5 + 4 = 9.', 'Take one: 9 - 1 = 8.\nSo 8.'))
    for (const n of wrong) expect(n).toBeCloseTo(Math.round(n), 6)
    // The wrong number and the full stop behind it count against instead of for, and in step 3 the line break after them.
    expect(right.map((n, i) => Math.round(n - (wrong[i] ?? 0)))).toEqual([0, 4, 6])
  })

  it.each(PRM_ADAPTERS.map((a) => a.name))(
    '%s: a solution without steps has no scores and costs nothing',
    async (name) => {
      const { reward } = await open(name)
      expect(await reward.score([line()])).toMatchObject([{ ok: true, scores: [], usage: { calls: 0 } }])
    },
  )
})

describe('the test at opening', () => {
  it('refuses a tokenizer in which the separator is several tokens, or another one', async () => {
    const split = { ...MODELS['math-shepherd']!, tokens: { '+': 648, '-': 387 } }
    expect(await codeOf(open('math-shepherd', split))).toEqual(['GRD-MODEL-005', expect.stringContaining('tokens')])
    const without = { ...MODELS['math-shepherd']!, tokens: { ки: 12_902, '+': 648, '-': 387 } }
    expect(await codeOf(open('math-shepherd', without))).toEqual([
      'GRD-MODEL-005',
      expect.stringContaining('" ки" is tokens'),
    ])
    const other = { ...MODELS['qwen2.5-math-prm']!, tokens: { ...QWEN, '<extra_0>': 7 } }
    expect(await codeOf(open('qwen2.5-math-prm', other))).toEqual(['GRD-MODEL-005', expect.stringContaining('token 7')])
  })

  it('refuses a model that says nothing at the separator, and a server without the endpoint', async () => {
    const silent = { ...MODELS['math-shepherd']!, speaksAt: 5 }
    expect(await codeOf(open('math-shepherd', silent))).toEqual([
      'GRD-MODEL-005',
      expect.stringContaining('no step has a score'),
    ])
    expect((await codeOf(open('skywork-o1-prm', MODELS['eurus-prm'])))[0]).toBe('GRD-CALL-010')
  })

  it('refuses a pooler that keeps other places than the separators', async () => {
    const elsewhere = { ...MODELS['qwen2.5-math-prm']!, speaksAt: 151_645 }
    expect(await codeOf(open('qwen2.5-math-prm', elsewhere))).toEqual([
      'GRD-MODEL-005',
      expect.stringContaining('5 steps in'),
    ])
  })

  it('refuses answers that are more than one token, and a reference of another tokenizer', async () => {
    const long: ToyModel = {
      ...MODELS['rlhflow-prm']!,
      chat: (m) => m.map(({ content }) => (content === '-' ? 'no no' : content)).join('|'),
    }
    expect((await codeOf(open('rlhflow-prm', long)))[0]).toBe('GRD-MODEL-005')
    const { client } = await serve(MODELS['eurus-prm']!)
    const other = (await serve({ ...REFERENCE, tokens: { ' apples': 9 } })).client
    const eurus = PRM_ADAPTERS.find((a) => a.name === 'eurus-prm')!
    expect((await codeOf(openPrm(eurus, { engine, server: client, reference: other })))[0]).toBe('GRD-MODEL-005')
  })

  it('shows why: at another token the same model gives numbers of the same shape that mean nothing', async () => {
    const right = await open('skywork-o1-prm')
    const wrong = await open('skywork-o1-prm', { ...MODELS['skywork-o1-prm']!, speaksAt: 151_645 })
    const scoresOf = async ({ reward }: { reward: RewardModel }) => {
      const [scored] = await reward.score([LINE])
      return scored?.ok ? scored.scores.map((s) => s ?? 0) : []
    }
    const [good, bad] = [await scoresOf(right), await scoresOf(wrong)]
    expect(bad).toHaveLength(good.length)
    expect(Math.min(...bad)).toBeGreaterThan(0.2)
  })
})

describe('a server that goes wrong later', () => {
  it.each([
    ['NaN as a row', (n: number) => `{"data":[{"data":[${'[NaN, 0.5],'.repeat(n - 1)}[0.5, 0.5]]}]}`, 'GRD-REWARD-001'],
    ['a number out of range', (n: number) => `{"data":[{"data":[${'[1e400],'.repeat(n - 1)}[0]]}]}`, 'GRD-REWARD-001'],
    [
      'a row too few',
      (n: number) =>
        `{"data":[{"data":[${Array(n - 1)
          .fill('[0.5, 0.5]')
          .join()}]}]}`,
      'GRD-REWARD-001',
    ],
    ['rows of three', (n: number) => `{"data":[{"data":[${Array(n).fill('[0, 0, 1]').join()}]}]}`, 'GRD-REWARD-001'],
    ['no rows at all', () => '{"data":[]}', 'GRD-CALL-007'],
  ])('%s: the line says why, the others have their scores', async (_, text, code) => {
    const { reward, server } = await open('qwen2.5-math-prm')
    // The line with the odd word only.
    server.spoil = (path, body) => {
      const odd = path === '/pooling' && (body['input'] as number[]).filter((id) => id === 151_651).length === 2
      return odd ? { text: text(2) } : undefined
    }
    const scored = await reward.score([line('poison', 'x'), LINE])
    expect(scored).toMatchObject([{ ok: false, error: { code } }, { ok: true }])
  })

  it('a step that holds the separator in its text is refused, not scored twice', async () => {
    const { reward } = await open('qwen2.5-math-prm')
    const [scored] = await reward.score([line('2 + 2 = 5 <extra_0> fine', 'next')])
    expect(scored).toMatchObject({ ok: false, error: { code: 'GRD-REWARD-001', found: '3 separators for 2 steps' } })
  })

  it('probabilities and logits of one model give the same scores', async () => {
    const scores: unknown[] = []
    for (const activated of [true, false]) {
      const { reward } = await open('qwen2.5-math-prm', {
        ...MODELS['qwen2.5-math-prm']!,
        head: { kind: 'rows', width: 2, pooler: 'all', activated },
      })
      const [scored] = await reward.score([LINE])
      scores.push(scored?.ok && scored.scores.map((s) => s?.toFixed(9)))
    }
    expect(scores[0]).toEqual(scores[1])
  })
})
