import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { type Trace, Usage } from '../../core/words.ts'
import type { ObjectStore } from '../../io/stores/store.ts'
import type { Kept } from '../cache.ts'
import type { Engine } from '../engine.ts'
import { ordered } from '../ordered.ts'
import type { Database, Row } from './database.ts'
import type { ItemResult, OpenJob } from './job.ts'
import { formatOf, objectName, sha256, stopJob, storeOf } from './plan.ts'
import type { Completions, SharedLedger } from './shared-ledger.ts'

/** A job as a worker has it open. */
export interface WorkerJob {
  job: string
  database: Database
  store: ObjectStore
  ledger: SharedLedger
  engine: Engine
  work: OpenJob
  /** What the job before it has paid for. */
  known?: Completions | undefined
  /** Name of the worker, for people. */
  worker: string
}

export type ShardEnd =
  | { state: 'done' | 'lost'; items: number; lost: number }
  /** Somebody else has it, or finished it before. */
  | { state: 'not-mine' }
  /** Not finished: the worker drains, the job was paused, the budget is used up, or items failed and are tried again. */
  | { state: 'returned'; failed: boolean; tries: number }

/** Attempts at items that fail, each on whichever worker is free, before a shard ends without them. */
export const TRIES = 3

const Stored = z.object({
  lines: z.array(z.string()),
  beside: z.string().optional(),
  counts: z.record(z.string(), z.number()).optional(),
})
/** Of an item. */
export type Stored = z.infer<typeof Stored>

/**
 * What is missing of one shard; its output goes into the store when every item has its result.
 * @param lost fires when the shard has been given to somebody else
 * @throws GradusError GRD-DB-001, GRD-RUN-003, GRD-STORE-*, GRD-IO-013/014
 */
export async function doShard(open: WorkerJob, shard: number, lost: AbortSignal): Promise<ShardEnd> {
  const { job, database } = open
  const holder = randomUUID()
  const [row] = await database.query('SELECT * FROM gradus.take($1, $2, $3, $4)', [job, shard, holder, open.worker])
  if (row?.['state'] !== 'open') return { state: 'not-mine' }
  try {
    return await work(open, shard, holder, row, lost)
  } catch (error) {
    const reachable = !(error instanceof GradusError) || !/^GRD-(DB|RUN-003)/.test(error.code)
    if (reachable) await returned(open, shard, holder, false)
    throw error
  }
}

async function work(open: WorkerJob, shard: number, holder: string, row: Row, lost: AbortSignal): Promise<ShardEnd> {
  const { job, database, store, ledger, engine } = open
  const items = await inputOf(store, String(row['input']), String(row['input_sha256']))
  const done = await resultsOf(database, job, shard)
  const completions = await completionsOf(database, job, shard)
  const context = { shard, holder, completions, ...(open.known && { known: open.known }) }
  const missing = Map.groupBy(
    items.filter(({ id }) => !done.has(id)),
    ({ id }) => id,
  )
  const failed = new Map<string, ItemResult>()

  const doItem = async ([id, places]: [string, Item[]]): Promise<void> => {
    const result = await ledger.inShard(context, () => attempt(open.work, places[0]?.value))
    if (result.lost && result.lost.length > 0) failed.set(id, result)
    else {
      const { lost: _, ...kept } = result
      const value = JSON.stringify(kept)
      await ledger.put({ shard, item: id, value, times: places.length })
    }
  }
  const ended = (): boolean => engine.stopped !== undefined || lost.aborted
  for await (const _ of ordered(missing, doItem, open.work.window, ended)) void _

  if (ended()) {
    // While the shard is still held: a stopped job without shards in hand may be given again at once.
    if (engine.stopped?.code === 'GRD-RUN-001') await stopJob(database, job, engine.stopped)
    return await returned(open, shard, holder, false)
  }
  if (failed.size > 0 && Number(row['tries']) + 1 < TRIES) return await returned(open, shard, holder, true)

  // Read back: where two workers had the shard, what stands in the table is what counts.
  const results = await resultsOf(database, job, shard)
  const lines: string[] = []
  const beside: string[] = []
  const counts: Record<string, number> = {}
  const errors: GradusError[] = []
  for (const { id } of items) {
    const part = results.get(id) ?? failed.get(id)
    lines.push(...(part?.lines ?? []))
    if (part?.beside !== undefined) beside.push(part.beside)
    for (const [name, n] of Object.entries(part?.counts ?? {})) counts[name] = (counts[name] ?? 0) + n
    if (!results.has(id)) errors.push(...(failed.get(id)?.lost ?? []))
  }
  const format = await formatOf(database, job)
  const bytes = format === 'parquet' ? await tableOf(lines) : bytesOfLines(lines)
  // Before the output: a shard that is finished has everything.
  if (beside.length > 0) await store.put(objectName(job, 'beside', shard), bytesOfLines(beside))
  if (open.work.keepsCompletions) {
    await store.put(objectName(job, 'completions', shard), bytesOf(context.completions))
  }
  const output = objectName(job, 'output', shard, format)
  await store.put(output, bytes)
  const state = errors.length > 0 ? 'lost' : 'done'
  const [finished] = await database.query('SELECT gradus.finish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS mine', [
    job,
    shard,
    holder,
    state,
    output,
    lines.length,
    bytes.length,
    sha256(bytes),
    JSON.stringify(counts),
    errors.length === 0 ? null : JSON.stringify(summed(errors)),
  ])
  if (finished?.['mine'] !== true) return { state: 'not-mine' }
  return { state, items: items.length, lost: errors.length }
}

interface Item {
  value: unknown
  /** Hash of its content. */
  id: string
}

async function attempt(work: OpenJob, item: unknown): Promise<ItemResult> {
  try {
    return await work.run(item)
  } catch (error) {
    if (error instanceof GradusError) return { lines: [], lost: [error] }
    const found = error instanceof Error ? error.message : String(error)
    return { lines: [], lost: [new GradusError('GRD-CORE-001', { found, cause: error })] }
  }
}

async function inputOf(store: ObjectStore, name: string, digest: string): Promise<Item[]> {
  const bytes = await store.get(name)
  if (sha256(bytes) !== digest) {
    throw new GradusError('GRD-STORE-002', {
      where: { file: `${store.where}/${name}` },
      found: 'other bytes than the planner wrote',
      try: ['put the file back, or plan the job anew under another --results'],
    })
  }
  return bytes
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const value: unknown = JSON.parse(line)
      return { value, id: contentHash(value) }
    })
}

/** By hash of the item. */
export async function resultsOf(database: Database, job: string, shard: number): Promise<Map<string, Stored>> {
  const rows = await database.query('SELECT item, value FROM gradus.items WHERE job = $1 AND shard = $2', [job, shard])
  return new Map(rows.map((row) => [String(row['item']), Stored.parse(JSON.parse(String(row['value'])))]))
}

function bytesOfLines(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

/** Lines that are native traces, as Parquet. */
async function tableOf(lines: readonly string[]): Promise<Buffer> {
  const { parquetOf } = await import('../../io/parquet-writer.ts')
  return parquetOf(lines.map((line) => JSON.parse(line) as Trace))
}

/** A line a completion. */
function bytesOf(completions: Completions): Buffer {
  const lines: string[] = []
  for (const [key, samples] of completions) {
    for (const [sample, { value, usage }] of samples) lines.push(JSON.stringify({ key, sample, value, usage }))
  }
  return bytesOfLines(lines)
}

const Line = z.object({ key: z.string(), sample: z.number(), value: z.unknown(), usage: Usage })

/** What the workers of a job bought, where its kind keeps it; of the shards that are finished. */
export async function keptCompletions(database: Database, job: string): Promise<Completions> {
  const store = await storeOf(database, job)
  const completions: Completions = new Map()
  for (const name of (await store.sizes(`${job}/completions/`)).keys()) {
    for (const line of (await store.get(name)).toString().split('\n').slice(0, -1)) {
      const { key, sample, value, usage } = Line.parse(JSON.parse(line))
      const samples = completions.get(key) ?? new Map<number, Kept<unknown>>()
      completions.set(key, samples.set(sample, { value, usage }))
    }
  }
  return completions
}

async function completionsOf(database: Database, job: string, shard: number): Promise<Completions> {
  const rows = await database.query(
    'SELECT key, sample, value, usage FROM gradus.completions WHERE job = $1 AND shard = $2',
    [job, shard],
  )
  const completions: Completions = new Map()
  for (const row of rows) {
    const key = String(row['key'])
    const samples = completions.get(key) ?? new Map<number, Kept<unknown>>()
    completions.set(key, samples)
    samples.set(Number(row['sample']), {
      value: JSON.parse(String(row['value'])),
      usage: JSON.parse(String(row['usage'])),
    })
  }
  return completions
}

async function returned(open: WorkerJob, shard: number, holder: string, failed: boolean): Promise<ShardEnd> {
  const [row] = await open.database.query(
    `UPDATE gradus.shards SET holder = NULL, tries = tries + $4
     WHERE job = $1 AND shard = $2 AND holder = $3 RETURNING tries`,
    [open.job, shard, holder, failed ? 1 : 0],
  )
  return { state: 'returned', failed, tries: Number(row?.['tries'] ?? 0) }
}

/** How many by code, and the first of each. */
function summed(errors: readonly GradusError[]): Record<string, { count: number; first: GradusError }> {
  const byCode: Record<string, { count: number; first: GradusError }> = {}
  for (const error of errors) {
    const seen = byCode[error.code]
    if (seen) seen.count++
    else byCode[error.code] = { count: 1, first: error }
  }
  return byCode
}
