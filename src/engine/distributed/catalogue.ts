import { Readable } from 'node:stream'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import type { Usage } from '../../core/words.ts'
import type { ObjectStore } from '../../io/stores/store.ts'
import type { Database, Row } from './database.ts'
import { objectName, sha256, storeOf } from './plan.ts'
import { resultsOf, type Stored } from './shard.ts'

export type JobState = 'planning' | 'running' | 'paused' | 'stopped' | 'done'

/** How a job stands. */
export interface JobStatus {
  job: string
  kind: string
  state: JobState
  /** Why it was stopped: the error, as JSON. */
  reason: unknown
  priority: number
  results: string
  items: { done: number; total: number }
  shards: { done: number; total: number; inHand: number }
  /** Items and calls a second over the last thirty to sixty seconds, and seconds to the end at that rate. */
  rate: { items: number; calls: number; secondsLeft: number | null }
  spent: Usage
  /** Of the calls: sent by workers that died before they heard of the end. */
  inDoubt: number
  callsUnderWay: number
  /** Calls that failed, by code; most were tried again. */
  failedCalls: Record<string, number>
  /** What items were lost to for good, by code. */
  lost: Record<string, { count: number; first: unknown }>
  /** What the kind of job counts. */
  counts: Record<string, number>
  limits: { calls?: number; tokens?: number; cost?: number; callsPerSecond?: number }
}

export interface WorkerStatus {
  name: string
  shards: number
  callsUnderWay: number
  /** Seconds since its last sign of life. */
  quiet: number
}

/** Workers that gave no sign of life for so long are not shown: they are dead, or their database was. */
const QUIET_SECONDS = 15
/** Of the span that began last and the one before it, where they are recent. */
const LATELY = `
  CASE WHEN span > now() - interval '60 seconds' THEN span_items + before_items ELSE 0 END AS items_lately,
  CASE WHEN span > now() - interval '60 seconds' THEN span_calls + before_calls ELSE 0 END AS calls_lately,
  extract(epoch FROM now() - greatest(j.created, CASE WHEN before_calls + before_items > 0
    THEN span - interval '30 seconds' ELSE span END)) AS lately`

const Lost = z.record(z.string(), z.object({ count: z.number(), first: z.unknown() }))
const Counts = z.record(z.string(), z.number())

/** All jobs, or one; those that came last stand first. */
export async function jobStatus(database: Database, job?: string): Promise<JobStatus[]> {
  const rows = await database.query(
    `SELECT j.*, s.*, j.items AS all_items, s.items AS done_items, ${LATELY}, sh.*, c.calls_under_way, f.failures
     FROM gradus.jobs j JOIN gradus.spend s USING (job)
     CROSS JOIN LATERAL (
       SELECT count(*) AS all_shards, count(*) FILTER (WHERE state <> 'open') AS done_shards,
         count(*) FILTER (WHERE holder IS NOT NULL) AS in_hand,
         json_agg(lost) FILTER (WHERE lost IS NOT NULL) AS losses,
         json_agg(counts) FILTER (WHERE state <> 'open') AS counts
       FROM gradus.shards WHERE job = j.job
     ) sh
     CROSS JOIN LATERAL (SELECT count(*) AS calls_under_way FROM gradus.calls WHERE job = j.job) c
     CROSS JOIN LATERAL (SELECT json_object_agg(code, n) AS failures FROM gradus.failures WHERE job = j.job) f
     WHERE $1::text IS NULL OR j.job = $1
     ORDER BY j.created DESC, j.job`,
    [job ?? null],
  )
  return rows.map(statusOf)
}

function statusOf(row: Row): JobStatus {
  const number = (name: string): number => Number(row[name] ?? 0)
  const done = number('done_items')
  const total = number('all_items')
  const seconds = Math.max(1, number('lately'))
  const items = number('items_lately') / seconds
  const left = total - done
  const spent: Usage = {
    calls: number('calls'),
    promptTokens: number('prompt_tokens'),
    completionTokens: number('completion_tokens'),
    cachedTokens: number('cached_tokens'),
    seconds: number('seconds'),
  }
  if (row['cost'] !== null) spent.cost = number('cost')
  const limits = Object.entries({
    calls: row['limit_calls'],
    tokens: row['limit_tokens'],
    cost: row['limit_cost'],
    callsPerSecond: row['calls_per_second'],
  }).filter(([, value]) => typeof value === 'number')
  return {
    job: String(row['job']),
    kind: String(row['kind']),
    state: row['state'] as JobState,
    reason: row['reason'] === null ? null : JSON.parse(String(row['reason'])),
    priority: number('priority'),
    results: String(row['results']),
    items: { done, total },
    shards: { done: number('done_shards'), total: number('all_shards'), inHand: number('in_hand') },
    rate: {
      items,
      calls: number('calls_lately') / seconds,
      secondsLeft: left === 0 ? 0 : items > 0 ? left / items : null,
    },
    spent,
    inDoubt: number('in_doubt'),
    callsUnderWay: number('calls_under_way'),
    failedCalls: Counts.parse(row['failures'] ?? {}),
    lost: losses(listOf(row['losses'])),
    counts: summed(listOf(row['counts'])),
    limits: Object.fromEntries(limits),
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.flatMap((text) => (typeof text === 'string' ? [JSON.parse(text)] : [])) : []
}

function losses(all: readonly unknown[]): JobStatus['lost'] {
  const sum: JobStatus['lost'] = {}
  for (const one of all) {
    for (const [code, { count, first }] of Object.entries(Lost.parse(one))) {
      const seen = sum[code]
      if (seen) seen.count += count
      else sum[code] = { count, first }
    }
  }
  return sum
}

function summed(all: readonly unknown[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const one of all) {
    for (const [name, n] of Object.entries(Counts.parse(one))) sum[name] = (sum[name] ?? 0) + n
  }
  return sum
}

/** Workers that gave a sign of life lately. */
export async function liveWorkers(database: Database): Promise<WorkerStatus[]> {
  const rows = await database.query(
    `SELECT name, shards, under_way, extract(epoch FROM now() - seen) AS quiet FROM gradus.workers
     WHERE ended IS NULL AND seen > now() - interval '${QUIET_SECONDS} seconds' ORDER BY name, worker`,
  )
  return rows.map((row) => ({
    name: String(row['name']),
    shards: Number(row['shards']),
    callsUnderWay: Number(row['under_way']),
    quiet: Number(row['quiet']),
  }))
}

/**
 * The output of a job as lines in the order of its items, byte for byte what one machine writes (of Parquet: the same
 * traces). Of shards that are not finished
 * comes what they have: the items of a job that was stopped.
 * @throws GradusError GRD-STORE-002 where an output is missing or differs from the catalogue
 */
export async function* outputOf(database: Database, job: string): AsyncGenerator<Buffer, void, void> {
  const store = await storeOf(database, job)
  const shards = await database.query(
    'SELECT shard, state, input, output, sha256 FROM gradus.shards WHERE job = $1 ORDER BY shard',
    [job],
  )
  for (const row of shards) {
    if (row['state'] === 'open') yield await unfinished(database, store, job, row)
    else {
      const name = String(row['output'])
      const bytes = await store.get(name)
      if (sha256(bytes) !== row['sha256']) {
        throw new GradusError('GRD-STORE-002', {
          where: { file: `${store.where}/${name}` },
          found: 'other bytes than the catalogue says',
          try: ['remove the object and give the command again: its items are done anew'],
        })
      }
      yield name.endsWith('.parquet') ? await linesOfTable(bytes, `${store.where}/${name}`) : bytes
    }
  }
}

/** Traces of a shard in Parquet as lines: the same traces, each with its fields in the order of the columns. */
async function linesOfTable(bytes: Buffer, file: string): Promise<Buffer> {
  const { readParquetRows } = await import('../../io/parquet.ts')
  const rows = await readParquetRows({ file, bytes: Readable.from([bytes]) })
  // No field of a trace is null: such a cell is one that the trace does not have.
  const lines = rows.map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).filter(([, v]) => v !== null))))
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

/** As `outputOf`, a line after the other. */
export async function* linesOf(database: Database, job: string): AsyncGenerator<string, void, void> {
  for await (const bytes of outputOf(database, job)) yield* bytes.toString().split('\n').slice(0, -1)
}

/** The lines beside the output, where the kind of job writes some, in the order of the items. */
export async function* besideOf(database: Database, job: string): AsyncGenerator<string, void, void> {
  const store = await storeOf(database, job)
  const there = await store.sizes(`${job}/beside/`)
  const shards = await database.query('SELECT shard, state, input FROM gradus.shards WHERE job = $1 ORDER BY shard', [
    job,
  ])
  for (const row of shards) {
    const name = objectName(job, 'beside', Number(row['shard']))
    if (row['state'] === 'open') {
      for (const { beside } of await unfinishedResults(database, store, job, row))
        if (beside !== undefined) yield beside
    } else if (there.has(name)) yield* (await store.get(name)).toString().split('\n').slice(0, -1)
  }
}

async function unfinished(database: Database, store: ObjectStore, job: string, row: Row): Promise<Buffer> {
  const results = await unfinishedResults(database, store, job, row)
  return Buffer.from(results.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join(''))
}

async function unfinishedResults(database: Database, store: ObjectStore, job: string, row: Row): Promise<Stored[]> {
  const results = await resultsOf(database, job, Number(row['shard']))
  if (results.size === 0) return []
  const items = (await store.get(String(row['input']))).toString().split('\n').slice(0, -1)
  return items.flatMap((line) => results.get(contentHash(JSON.parse(line))) ?? [])
}
