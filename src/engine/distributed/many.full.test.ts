import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { random } from '../../core/seeds.ts'
import {
  alone,
  give,
  passHeartbeats,
  prompts,
  spawnWorker,
  statusOf,
  textOf,
  until,
  type WorkerProcess,
} from '../testing/many.ts'
import { startTestServer } from '../testing/openai-server.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { type Database, openDatabase } from './database.ts'
import { Queue } from './queue.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'gradus-many-full-'))
let postgres: TestPostgres
let database: Database
let queue: Queue
const started: WorkerProcess[] = []

beforeAll(async () => {
  postgres = await startPostgres()
  database = await openDatabase(postgres.url)
  queue = await Queue.open(database, () => undefined)
})
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
})
afterAll(async () => {
  await queue.close()
  await database.close()
  await postgres.remove()
  rmSync(folder, { recursive: true })
})

async function spawned(concurrency: number): Promise<WorkerProcess> {
  const worker = await spawnWorker(postgres.url, concurrency)
  started.push(worker)
  return worker
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('20 random kills of workers and 3 restarts of the database in a run of 5,000 items', () => {
  it('lose nothing and double nothing', { timeout: 300_000 }, async () => {
    const draw = random('many/20 kills')
    const server = await startTestServer({ latencyMs: 150 })
    const config = { url: server.url, n: 1 }
    const items = prompts(5_000)
    const job = await give(database, queue, config, items, folder, { shardItems: 50 })
    const workers = await Promise.all(Array.from({ length: 4 }, () => spawned(4)))
    for (let kills = 1; kills <= 20; kills++) {
      // At moments of the run, not of the clock: each kill finds it in the middle, however fast the machine is.
      const moment = 230 * kills - draw.below(200)
      await until(database, job, ({ items: { done } }) => done >= moment, 120)
      const at = draw.below(workers.length)
      workers[at]?.child.kill('SIGKILL')
      workers[at] = await spawned(4)
      if (kills % 6 !== 0) continue
      await postgres.stop()
      await pause(draw.below(1_500))
      await postgres.start()
    }
    expect((await statusOf(database, job)).state).toBe('running')
    const status = await until(database, job, ({ state }) => state === 'done', 120)
    for (const { child } of workers) child.kill('SIGTERM')
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
    const { inDoubt, spent } = status
    expect(status).toMatchObject({ items: { done: 5_000, total: 5_000 }, shards: { done: 100 }, lost: {} })
    expect(spent.calls).toBe(5_000 + inDoubt)
    expect(spent.completionTokens).toBe(5_000 * 8)
    // 20 workers died with at most 4 calls under way each.
    expect(inDoubt).toBeLessThanOrEqual(20 * 4)
    expect(server.requests).toBeGreaterThanOrEqual(5_000)
    expect(server.requests).toBeLessThanOrEqual(5_000 + inDoubt)
    expect(await textOf(database, job)).toBe(await alone(config, items))
    await server.close()
  })
})

describe('a worker', () => {
  it('that was thought dead and wakes up again is refused every further call', async () => {
    const server = await startTestServer({ latencyMs: 20 })
    const config = { url: server.url, n: 4 }
    const job = await give(database, queue, config, prompts(30), folder, { shardItems: 30 })
    const { child } = await spawned(4)
    await until(database, job, ({ spent }) => spent.calls > 10)
    child.kill('SIGSTOP')
    const underWay = (await statusOf(database, job)).callsUnderWay
    await passHeartbeats(database, job)
    await spawned(16)
    await until(database, job, ({ inDoubt }) => inDoubt === underWay)
    child.kill('SIGCONT')
    const status = await until(database, job, ({ state }) => state === 'done')
    expect(status.spent.calls).toBe(120 + underWay)
    expect(server.requests).toBeLessThanOrEqual(120 + underWay)
    expect(await textOf(database, job)).toBe(await alone(config, prompts(30)))
    await server.close()
  })
})
