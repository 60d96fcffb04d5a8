import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { random } from '../../../core/seeds.ts'
import type { Step, Trace } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import { vllmServer } from '../../endpoints/vllm.ts'
import { loadReward, saveReward } from '../model-file.ts'
import type { Line } from '../reward.ts'
import { startToyServer, type ToyModel, type ToyServer } from '../testing/prm-server.ts'
import { trainReward } from '../train-reward.ts'
import type { Body, Featured } from './body.ts'
import { hiddenBody } from './hidden.ts'
import { remoteBody } from './remote.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-hidden-'))
afterAll(() => rmSync(folder, { recursive: true }))
const servers: ToyServer[] = []
let engine = new Engine()
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
  await engine.close()
  engine = new Engine()
})

const STATES: ToyModel = { tokens: {}, bos: 1, head: { kind: 'states', sees: 'left' } }

async function serve(model: ToyModel = STATES): Promise<ToyServer> {
  const server = await startToyServer(model)
  servers.push(server)
  return server
}
const open = ({ url }: ToyServer): Promise<Body> =>
  hiddenBody({ engine, server: vllmServer({ url, model: 'toy' }), url })

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const line: Line = {
  problem: { id: 'p', prompt: 'What is 2 + 3 - 1?' },
  steps: thoughts(['2 + 3 = 5', '5 - 1 = 3', 'So it is 3.']),
}

function rowsOf(featured: Featured | undefined, width: number): number[][] {
  if (!featured?.ok) throw featured?.error ?? new Error('nothing')
  const all = [...featured.features]
  return Array.from({ length: all.length / width }, (_, i) => all.slice(i * width, (i + 1) * width))
}

describe('hidden states of an endpoint as a body', () => {
  it('are those at the last token of each step, in one forward pass, and see nothing behind it', async () => {
    const server = await serve()
    const body = await open(server)
    expect(body).toMatchObject({ width: 4, spec: { kind: 'hidden', model: 'toy', width: 4 } })
    const before = server.passes['/pooling'] ?? 0
    const rows = rowsOf((await body.features([line]))[0], 4)
    expect((server.passes['/pooling'] ?? 0) - before).toBe(1)
    // The toy's state knows whether the sums of its line hold.
    expect(rows.map(([sums = 0]) => Math.sign(sums))).toEqual([1, -1, 1])
    for (const row of rows) expect(Math.hypot(...row) / 2).toBeCloseTo(1, 4)
    for (let n = 1; n < line.steps.length; n++) {
      const part = rowsOf((await body.features([{ ...line, steps: line.steps.slice(0, n) }]))[0], 4)
      expect(part).toEqual(rows.slice(0, n))
    }
    expect((await body.features([{ ...line, steps: [] }]))[0]).toMatchObject({ ok: true, features: new Float32Array() })
  })

  it('are the same whether the server brings its vectors to unit length or not', async () => {
    const unit = await serve()
    // A server that knows no `use_activation`: it is asked again without the field.
    unit.spoil = (path, body) => {
      if (path !== '/pooling') return undefined
      const { use_activation: _, ...known } = body
      return { text: JSON.stringify(unit.answer('/pooling', known)) }
    }
    const [scaled] = await (await open(unit)).features([line])
    const [plain] = await (await open(await serve())).features([line])
    expect(rowsOf(scaled, 4)).toEqual(rowsOf(plain, 4).map((row) => row.map((x) => expect.closeTo(x, 5))))
  })

  it('teach a reward model, whose card opens the same body again', async () => {
    const server = await serve()
    const draw = random('hidden')
    const traces = Array.from({ length: 120 }, (_, i): Trace => {
      const values: number[] = []
      const steps = thoughts(
        [0, 1, 2].map((n) => {
          const right = draw.next() < 0.6
          values.push(Number(right))
          return `${i + n} + ${n + 2} = ${i + 2 * n + 2 + (right ? 0 : 1)}`
        }),
      )
      const labels = values.map((value, step) => ({ step, meaning: 'correctness' as const, value, source: 'exact' }))
      const source = { generator: '', dataset: 'sums', licence: 'MIT' }
      return {
        id: `${i}`,
        problem: { id: `${i}`, prompt: `Add ${i}.` },
        steps,
        labels,
        outcome: Math.min(...values),
        source,
      }
    })
    const body = await remoteBody('hidden', { engine, url: server.url, model: 'toy' })
    const trained = await trainReward({ traces, kind: 'process', body, learner: 'logistic' })
    expect(trained.card.metrics?.model.auroc).toBeGreaterThan(0.97)
    const path = join(folder, 'hidden.json')
    await saveReward(trained.model, path)
    const again = await loadReward(path, { engine })
    const both = await Promise.all([trained.model, again].map((model) => model.score([line])))
    expect(both[1]).toEqual(both[0])
    await expect(loadReward(path)).rejects.toMatchObject({ code: 'GRD-MODEL-004' })
  })

  it('are refused at opening where the server has none, loses some, or its model reads both ways', async () => {
    const codeOf = (server: ToyServer): Promise<unknown> =>
      open(server).then(
        () => 'opened',
        (error: { code: string }) => error.code,
      )
    expect(await codeOf(await serve({ tokens: {}, head: { kind: 'ratio', gain: 1 } }))).toBe('GRD-CALL-011')
    expect(await codeOf(await serve({ tokens: {}, head: { kind: 'states', sees: 'both' } }))).toBe('GRD-MODEL-005')
    // As a pooler that leaves out the first token, or gives the last one only.
    for (const keep of [(rows: unknown[]) => rows.slice(1), (rows: unknown[]) => rows.slice(-1)]) {
      const short = await serve()
      short.spoil = (path, body) => {
        if (path !== '/pooling') return undefined
        const rows = (body['input'] as number[]).map(() => [1, 2])
        return { text: JSON.stringify({ data: [{ data: keep(rows) }] }) }
      }
      expect(await codeOf(short)).toBe('GRD-CALL-011')
    }
  })

  it('say of each line why it cannot be read, and read the others', async () => {
    const server = await serve()
    const body = await open(server)
    const rows = (count: number, row: string): string => `{"data": [{"data": [${Array(count).fill(row).join(', ')}]}]}`
    const cases: [string, (count: number) => string, number][] = [
      ['GRD-REWARD-001', (n) => rows(n, '[1, NaN, 0, 2]'), 200],
      ['GRD-REWARD-001', (n) => rows(n, '[1, 2]'), 200],
      ['GRD-CALL-007', (n) => rows(n - 1, '[1, 2, 3, 4]'), 200],
      ['GRD-CALL-009', () => '{"error": {"message": "maximum context length is 10 tokens", "code": 400}}', 400],
    ]
    for (const [at, [code, text, status]] of cases.entries()) {
      server.spoil = (path, asked) =>
        path === '/pooling' ? { status, text: text((asked['input'] as number[]).length) } : undefined
      const [said] = await body.features([{ ...line, steps: thoughts([`${at} + 1 = ${at + 1}`]) }])
      expect(said?.ok ? 'ok' : said?.error.code).toBe(code)
      server.spoil = undefined
    }
    const [empty, good] = await body.features([{ ...line, steps: thoughts(['', '', '1 + 1 = 2']) }, line])
    expect(empty?.ok ? 'ok' : empty?.error.code).toBe('GRD-REWARD-001')
    expect(good?.ok).toBe(true)
  })
})
