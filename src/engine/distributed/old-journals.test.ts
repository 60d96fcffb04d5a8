import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { Engine } from '../engine.ts'
import { drawing } from '../testing/drawing.ts'
import { httpSampler } from '../testing/http-sampler.ts'
import { alone, prompts, textOf, until } from '../testing/many.ts'
import { startTestServer } from '../testing/openai-server.ts'
import { startPostgres } from '../testing/postgres.ts'
import { openDatabase } from './database.ts'
import { reviveJob } from './plan.ts'
import { Queue } from './queue.ts'
import { SCHEMA_VERSION } from './schema.ts'
import { Worker } from './worker.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Journals as released versions left them; they must resume for ever. */
const FIXTURES = join(import.meta.dirname, '..', 'testing', 'fixtures')
const folder = mkdtempSync(join(tmpdir(), 'gradus-old-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a journal of version 0.1.0', () => {
  it('resumes without a request, and with its bill', async () => {
    const path = join(folder, 'journal.sqlite')
    copyFileSync(join(FIXTURES, 'journal-0.1.0.sqlite'), path)
    const server = await startTestServer()
    const engine = new Engine({ path, run: 'fixture' })
    const sampler = httpSampler(server.url, 'fixture')
    const outcomes = await Promise.all(['one', 'two', 'three'].map((p) => engine.sample(sampler, p, { count: 3 })))
    const seen = outcomes.flat().map((outcome) => (outcome.ok ? [outcome.from, outcome.value] : [outcome.error.code]))
    expect(seen.map(([from]) => from)).toEqual(Array.from({ length: 9 }, () => 'cache'))
    expect(seen[0]?.[1]).toMatch(/^Step 1: 2eb6e248\nStep 2: a0b4f355\nAnswer: \d+$/)
    expect(server.requests).toBe(0)
    // Nine kept, one failed and tried again, one in doubt.
    expect(engine.history()).toEqual({
      spent: { calls: 11, promptTokens: 9, completionTokens: 72, cachedTokens: 0, seconds: 0.625 },
      attempts: { sent: 1, kept: 9, partial: 0, failed: 1, aborted: 0 },
      failures: { 'GRD-CALL-004': 1 },
    })
    await engine.close()
    await server.close()
  })
})

describe('a database with tables of version 1', () => {
  it('goes on with a job whose worker was killed, paying for what is missing alone', async () => {
    // Shards 0 and 1 are in the store; shard 2 has one item and one completion more, and two calls under way.
    const job = 'drawing-581145cefb97801f'
    expect(SCHEMA_VERSION).toBe(1)
    cpSync(join(FIXTURES, 'postgres-1'), join(folder, 'results'), { recursive: true })
    const server = await startTestServer()
    const postgres = await startPostgres()
    const dump = readFileSync(join(FIXTURES, 'postgres-1.sql'), 'utf8')
    await postgres.execute(dump.replaceAll('RESULTS', join(folder, 'results')).replaceAll('SERVER', server.url))
    const database = await openDatabase(postgres.url)
    const queue = await Queue.open(database, () => undefined)
    const worker = new Worker({ database, queue, kinds: [drawing] })
    const run = worker.run()
    await reviveJob(database, queue, job)
    const status = await until(database, job, ({ state }) => state === 'done')
    worker.drain()
    await run
    // 28 completions were there, and one call had failed.
    expect(server.requests).toBe(36 - 28)
    expect(status).toMatchObject({ items: { done: 12, total: 12 }, inDoubt: 2 })
    expect(status.spent).toMatchObject({ calls: 29 + 2 + 8, completionTokens: 36 * 8 })
    expect(await textOf(database, job)).toBe(await alone({ url: server.url, n: 3 }, prompts(12)))
    await queue.close()
    await database.close()
    await postgres.remove()
    await server.close()
  })
})
