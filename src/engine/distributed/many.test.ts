import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startS3Server } from '../../io/testing/s3-server.ts'
import { drawing } from '../testing/drawing.ts'
import { alone, give, passHeartbeats, prompts, spawnWorker, statusOf, textOf, until } from '../testing/many.ts'
import { startTestServer, type TestServer } from '../testing/openai-server.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { liveWorkers } from './catalogue.ts'
import { type Database, openDatabase, peer } from './database.ts'
import { BY_COMMAND } from './job.ts'
import { declareJob, pauseJob, planShards, resumeJob, reviveJob } from './plan.ts'
import { Queue } from './queue.ts'
import { Worker } from './worker.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'gradus-many-'))
let postgres: TestPostgres
let database: Database
let queue: Queue
const servers: TestServer[] = []
const running: { worker: Worker; run: Promise<void>; queue: Queue }[] = []

beforeAll(async () => {
  postgres = await startPostgres()
  database = await openDatabase(postgres.url)
  queue = await Queue.open(database, () => undefined)
})
afterEach(async () => {
  for (const { worker, run, queue: own } of running.splice(0)) {
    worker.drain()
    await run
    await own.close()
  }
  for (const server of servers.splice(0)) await server.close()
})
afterAll(async () => {
  await queue.close()
  await database.close()
  await postgres.remove()
  if (mounted) spawnSync('umount', [small])
  rmSync(folder, { recursive: true })
})

async function server(script: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const started = await startTestServer({ latencyMs: 5, ...script })
  servers.push(started)
  return started
}

/** A file system of 256 KiB. @returns false where that is not allowed */
function mount(path: string): boolean {
  mkdirSync(path)
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]).status === 0
}

/** A worker in this process. */
async function work(concurrency = 16): Promise<Worker> {
  const own = await Queue.open(database, () => undefined)
  const worker = new Worker({ database, queue: own, kinds: [drawing], concurrency })
  running.push({ worker, run: worker.run(), queue: own })
  return worker
}

const rows = async (table: string, job: string): Promise<number> =>
  Number((await database.query(`SELECT count(*) AS n FROM gradus.${table} WHERE job = $1`, [job]))[0]?.['n'])

describe('a job on several machines', () => {
  it('puts items that may ask in the same words into one shard, up to four times its size', async () => {
    const spec = { kind: drawing.name, config: { url: '', n: 0 }, inputs: ['together'] }
    const { job } = await declareJob(database, spec, folder, {})
    const items = ['a1', 'a2', 'b1', 'b2', 'b3', 'c1', ...Array.from({ length: 14 }, (_, i) => `d${i}`), 'a3']
    await planShards(database, null, job, items, { shardItems: 3 }, (item) => String(item).charAt(0))
    const shards = await database.query('SELECT items FROM gradus.shards WHERE job = $1 ORDER BY shard', [job])
    // a1 a2 b1 b2 b3 | c1 d0 ... d10 | d11 d12 d13 | a3
    expect(shards.map((row) => Number(row['items']))).toEqual([5, 12, 3, 1])
  })

  it('writes what one machine writes, with an exact bill, and leaves only its catalogue', async () => {
    const { url } = await server()
    const config = { url, n: 3 }
    const items = [...prompts(50), 'prompt 7', 'prompt 7', 'prompt 49']
    const expected = await alone(config, items)
    const alreadyAsked = servers[0]?.requests ?? 0
    await work()
    await work()
    const job = await give(database, queue, config, items, folder, { shardItems: 10 })
    const status = await until(database, job, ({ state }) => state === 'done')
    expect(await textOf(database, job)).toBe(expected)
    expect(status).toMatchObject({
      items: { done: 53, total: 53 },
      shards: { done: 6, total: 6, inHand: 0 },
      counts: { completions: 159 },
      inDoubt: 0,
      failedCalls: {},
      lost: {},
    })
    // Equal items of one shard are done once, those of different shards once each, unless a worker has both at once.
    expect(status.spent.calls).toBe((servers[0]?.requests ?? 0) - alreadyAsked)
    expect(status.spent.calls).toBeGreaterThanOrEqual(3 * 50)
    expect(status.spent.calls).toBeLessThanOrEqual(3 * 52)
    expect(status.spent.completionTokens).toBe(status.spent.calls * 8)
    for (const table of ['items', 'completions', 'calls']) expect([table, await rows(table, job)]).toEqual([table, 0])
    expect(await liveWorkers(database)).toHaveLength(2)
    // The same command again has nothing to do.
    expect(await give(database, queue, config, items, folder)).toBe(job)
    expect((await statusOf(database, job)).state).toBe('done')
  })

  it('asks for nothing that the job before it has paid for, whoever did that one', async () => {
    const { url } = await server()
    await work()
    const first = await give(database, queue, { url, n: 2, keepsCompletions: true }, prompts(12), folder, {
      shardItems: 5,
    })
    await until(database, first, ({ state }) => state === 'done')
    expect(servers[0]?.requests).toBe(24)
    await work()
    const config = { url, n: 3, after: first }
    const job = await give(database, queue, config, prompts(14), folder, { shardItems: 4 })
    const status = await until(database, job, ({ state }) => state === 'done')
    // A third of each of the twelve, three of the two new ones.
    expect(status).toMatchObject({ items: { done: 14 }, spent: { calls: 12 + 6 } })
    expect(servers[0]?.requests).toBe(24 + 18)
    expect(await textOf(database, job)).toBe(await alone({ url, n: 3 }, prompts(14)))
  })

  it('never gives workers what the command does itself, paused and resumed or not', async () => {
    const { job } = await declareJob(database, { kind: BY_COMMAND, config: {}, inputs: [] }, folder)
    await planShards(database, queue, job, ['the run'])
    await work()
    await pauseJob(database, queue, job)
    await resumeJob(database, queue, job)
    await reviveJob(database, queue, job)
    expect(await queue.absent(job, [0])).toEqual([0])
    expect(await statusOf(database, job)).toMatchObject({ state: 'running', shards: { total: 1, inHand: 0 } })
  })

  it('does anew what somebody removed from the store, and refuses what somebody changed', async () => {
    const { url } = await server()
    const config = { url, n: 1 }
    const items = prompts(20)
    const results = join(folder, 'removed')
    await work()
    const job = await give(database, queue, config, items, results, { shardItems: 10 })
    await until(database, job, ({ state }) => state === 'done')
    const whole = await textOf(database, job)
    rmSync(join(results, job, 'output', '000001.jsonl'))
    await expect(textOf(database, job)).rejects.toMatchObject({ code: 'GRD-STORE-002' })
    await give(database, queue, config, items, results)
    const status = await until(database, job, ({ state }) => state === 'done')
    expect(status).toMatchObject({ items: { done: 20 }, spent: { calls: 30 } })
    expect(await textOf(database, job)).toBe(whole)
    await expect(give(database, queue, config, items, join(folder, 'elsewhere'))).rejects.toMatchObject({
      code: 'GRD-CLI-002',
    })
  })

  it('keeps one budget for all workers, stops cleanly with what it has, and goes on with a larger one', async () => {
    const { url } = await server({ latencyMs: 10 })
    const config = { url, n: 1 }
    const items = prompts(60)
    const expected = await alone(config, items)
    const asked = servers[0]?.requests ?? 0
    await Promise.all([work(), work(), work()])
    const results = join(folder, 'budget')
    const job = await give(database, queue, config, items, results, { shardItems: 10, budget: { calls: 37 } })
    const stopped = await until(database, job, ({ state, shards }) => state === 'stopped' && shards.inHand === 0)
    expect(stopped).toMatchObject({ reason: { code: 'GRD-RUN-001' }, spent: { calls: 37 }, items: { done: 37 } })
    expect((servers[0]?.requests ?? 0) - asked).toBe(37)
    const some = (await textOf(database, job)).split('\n').slice(0, -1)
    expect(some).toHaveLength(37)
    expect(expected.split('\n').filter((line) => some.includes(line))).toEqual(some)
    await give(database, queue, config, items, results, { budget: { calls: 60 } })
    const done = await until(database, job, ({ state }) => state === 'done')
    expect(done).toMatchObject({ spent: { calls: 60 }, items: { done: 60 } })
    expect(await textOf(database, job)).toBe(expected)
  })

  it('keeps one rate for all workers', async () => {
    const { url } = await server({ latencyMs: 1 })
    await Promise.all([work(), work()])
    const job = await give(database, queue, { url, n: 1 }, prompts(60), folder, { shardItems: 10, callsPerSecond: 60 })
    const started = performance.now()
    await until(database, job, ({ state }) => state === 'done')
    // The bucket starts empty and gives 60 a second.
    expect((performance.now() - started) / 1000).toBeGreaterThan(0.9)
  })

  it('takes shards of more urgent jobs first, and none of a paused one until it is resumed', async () => {
    const { url } = await server({ latencyMs: 20 })
    const items = prompts(60)
    const slow = await give(database, queue, { url, n: 1 }, items, folder, { shardItems: 5 })
    await work(2)
    await until(database, slow, ({ items: { done } }) => done > 0)
    const urgent = await give(database, queue, { url, n: 2 }, prompts(10), folder, { shardItems: 5, priority: 9 })
    await until(database, urgent, ({ state }) => state === 'done')
    expect((await statusOf(database, slow)).state).toBe('running')
    await pauseJob(database, queue, slow)
    const paused = await until(database, slow, ({ shards }) => shards.inHand === 0)
    expect(paused.state).toBe('paused')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await statusOf(database, slow)).items.done).toBe(paused.items.done)
    expect(paused.items.done).toBeLessThan(60)
    await resumeJob(database, queue, slow)
    const done = await until(database, slow, ({ state }) => state === 'done')
    expect(done).toMatchObject({ items: { done: 60 }, spent: { calls: 60 }, inDoubt: 0 })
    await expect(pauseJob(database, queue, slow)).rejects.toMatchObject({ code: 'GRD-RUN-006' })
  })

  it('keeps shards in an S3 store', async () => {
    const s3 = await startS3Server()
    for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value)
    const { url } = await server()
    const config = { url, n: 2 }
    await work()
    const job = await give(database, queue, config, prompts(25), 's3://bucket/runs', { shardItems: 10 })
    await until(database, job, ({ state }) => state === 'done')
    expect(await textOf(database, job)).toBe(await alone(config, prompts(25)))
    expect([...s3.objects.keys()].filter((key) => key.includes('/output/'))).toHaveLength(3)
    expect(s3.refused).toBe(0)
    vi.unstubAllEnvs()
    await s3.close()
  })

  it('ends with the same bytes and an exact bill where the model server refuses, fails, cuts off and is slow', async () => {
    const { url } = await server({
      slots: 6,
      beyond: 'refuse',
      latencyMs: 4,
      behave: (nth) =>
        nth % 11 === 3
          ? { kind: 'status', status: 500 }
          : nth % 17 === 5
            ? { kind: 'cut', bytes: 40 }
            : { kind: 'answer' },
    })
    const config = { url, n: 2 }
    await Promise.all([work(), work()])
    const job = await give(database, queue, config, prompts(60), folder, { shardItems: 15 })
    const status = await until(database, job, ({ state }) => state === 'done')
    const asked = servers[0]?.requests
    expect(status.spent.calls).toBe(asked)
    expect(status).toMatchObject({ lost: {}, items: { done: 60 }, inDoubt: 0 })
    // Each completion is paid for once: 8 tokens each.
    expect(status.spent.completionTokens).toBe(2 * 60 * 8)
    expect(Object.values(status.failedCalls).reduce((a, b) => a + b, 0)).toBe((asked ?? 0) - 120)
    if (servers[0]) servers[0].script = {}
    expect(await textOf(database, job)).toBe(await alone(config, prompts(60)))
  })
})

describe('a database that is stopped and started', () => {
  it('costs a wait and nothing else', async () => {
    const { url } = await server({ latencyMs: 10 })
    const config = { url, n: 4 }
    await Promise.all([work(8), work(8)])
    const job = await give(database, queue, config, prompts(80), folder, { shardItems: 20 })
    await until(database, job, ({ spent }) => spent.calls > 40)
    await postgres.stop()
    await new Promise((resolve) => setTimeout(resolve, 300))
    await postgres.start()
    const status = await until(database, job, ({ state }) => state === 'done')
    expect(status).toMatchObject({ spent: { calls: 320 }, items: { done: 80 }, inDoubt: 0, lost: {} })
    expect(servers[0]?.requests).toBe(320)
    expect(await textOf(database, job)).toBe(await alone(config, prompts(80)))
  })
})

const small = join(folder, 'small disk')
const mounted = process.getuid?.() === 0 && mount(small)

describe('a full disk', () => {
  it.skipIf(!mounted)(
    'stops the job with the reason; given again on a disk with room it pays for nothing twice (needs root and mount)',
    async () => {
      const { url } = await server()
      const config = { url, n: 2 }
      const ballast = join(small, 'ballast')
      const job = await give(database, queue, config, prompts(40), small, { shardItems: 20 })
      writeFileSync(ballast, Buffer.alloc(1024))
      try {
        for (;;) appendFileSync(ballast, Buffer.alloc(1024))
      } catch {
        // Full now.
      }
      await work()
      const stopped = await until(database, job, ({ state, shards }) => state !== 'running' && shards.inHand === 0)
      expect(stopped).toMatchObject({ state: 'stopped', reason: { code: 'GRD-IO-014' } })
      rmSync(ballast)
      await give(database, queue, config, prompts(40), small)
      const status = await until(database, job, ({ state }) => state === 'done')
      expect(status).toMatchObject({ spent: { calls: 80 }, items: { done: 40 }, inDoubt: 0 })
      expect(servers[0]?.requests).toBe(80)
      expect(await textOf(database, job)).toBe(await alone(config, prompts(40)))
    },
  )
})

describe('a worker', () => {
  it('that is told to drain ends what is under way and gives the rest back, with nothing paid twice', async () => {
    const { url } = await server({ latencyMs: 15 })
    const config = { url, n: 4 }
    const job = await give(database, queue, config, prompts(60), folder, { shardItems: 30 })
    const first = await spawnWorker(postgres.url, 8)
    await until(database, job, ({ spent }) => spent.calls > 20)
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    const left = await statusOf(database, job)
    expect(left).toMatchObject({ shards: { inHand: 0, done: 0 }, callsUnderWay: 0 })
    expect(left.spent.calls).toBeLessThan(240)
    await work()
    const status = await until(database, job, ({ state }) => state === 'done')
    expect(status).toMatchObject({ spent: { calls: 240 }, inDoubt: 0 })
    expect(servers[0]?.requests).toBe(240)
    expect(await textOf(database, job)).toBe(await alone(config, prompts(60)))
  })

  it('that is killed costs at most the calls it had under way; another goes on, even if its clock jumps by days', async () => {
    const { url } = await server({ latencyMs: 150 })
    const config = { url, n: 4 }
    const job = await give(database, queue, config, prompts(40), folder, { shardItems: 20 })
    const first = await spawnWorker(postgres.url, 8)
    await until(database, job, ({ shards }) => shards.inHand === 2)
    // It finds nothing to do, and waits until the next look by its jumping clock.
    const second = await spawnWorker(postgres.url, 8, new URL('../testing/clock-jumps.mjs', import.meta.url).href)
    await until(database, job, ({ spent, callsUnderWay }) => spent.calls > 60 && callsUnderWay > 4)
    first.child.kill('SIGKILL')
    expect(await first.ended).toBe(null)
    const underWay = (await statusOf(database, job)).callsUnderWay
    expect(underWay).toBeLessThanOrEqual(8)
    await passHeartbeats(database, job)
    if (servers[0]) servers[0].script = { latencyMs: 10 }
    const status = await until(database, job, ({ state }) => state === 'done')
    second.child.kill('SIGKILL')
    expect(status.inDoubt).toBe(underWay)
    expect(status.spent.completionTokens).toBe(160 * 8)
    // In doubt: perhaps not even sent. Everything else was asked for once.
    expect(status.spent.calls).toBe(160 + underWay)
    expect(servers[0]?.requests).toBeGreaterThanOrEqual(160)
    expect(servers[0]?.requests).toBeLessThanOrEqual(160 + underWay)
    expect(await textOf(database, job)).toBe(await alone(config, prompts(40)))
  })
})

describe('an optional package that is not installed', () => {
  it('is named, with the command that installs it', async () => {
    const missing = peer('pg-boss', '--engine postgres', () => import('pg-boss/nowhere' as string))
    await expect(missing).rejects.toMatchObject({
      code: 'GRD-CLI-003',
      try: [expect.stringContaining('pg-boss'), expect.anything()],
    })
  })
})
