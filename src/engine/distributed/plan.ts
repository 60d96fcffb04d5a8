import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import { storeAt } from '../../io/stores/index.ts'
import type { ObjectStore } from '../../io/stores/store.ts'
import type { Database } from './database.ts'
import {
  BY_COMMAND,
  type JobKind,
  type JobSettings,
  type JobSpec,
  jobId,
  SHARD_ITEMS,
  type ShardFormat,
} from './job.ts'
import type { Queue } from './queue.ts'

/** A job as the command that gave it knows it. */
export interface Planned {
  job: string
  /** Was it there already, with its shards? */
  known: boolean
}

/**
 * A worker that has just seen a ticket of a stopped job ends it by its number; were the new ticket, which has the same,
 * there already and in another's hand, it would be ended instead.
 */
const LET_GO_MS = 500
/** Name of the fact that says how shards are written. */
const FORMAT = 'format of shards'
/** A shard whose items may ask in the same words ends at so many times its size all the same. */
const MOST_TOGETHER = 4
/** Rows of one insertion. */
const ROWS = 1_000

/**
 * Makes the job known, or its settings new where it is known: from here on facts can be found out in its name.
 * @param results folder or `s3://bucket/prefix`; a folder becomes absolute, since workers may stand elsewhere
 * @throws GradusError GRD-CLI-002 where the same job has its results elsewhere
 */
export async function declareJob(
  database: Database,
  spec: JobSpec,
  results: string,
  { priority = 0, budget = {}, callsPerSecond, format = 'jsonl' }: JobSettings = {},
): Promise<Planned> {
  const job = jobId(spec)
  const where = results.startsWith('s3://') ? results.replace(/\/$/, '') : resolve(results)
  const limits = [budget.calls ?? null, budget.tokens ?? null, budget.cost ?? null, callsPerSecond ?? null]
  const [row] = await database.query(
    `INSERT INTO gradus.jobs AS j
       (job, kind, config, results, priority, limit_calls, limit_tokens, limit_cost, calls_per_second)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (job) DO UPDATE SET priority = EXCLUDED.priority, limit_calls = EXCLUDED.limit_calls,
       limit_tokens = EXCLUDED.limit_tokens, limit_cost = EXCLUDED.limit_cost,
       calls_per_second = EXCLUDED.calls_per_second
     RETURNING state, results`,
    [job, spec.kind, JSON.stringify(spec.config), where, priority, ...limits],
  )
  await database.query('INSERT INTO gradus.spend (job) VALUES ($1) ON CONFLICT DO NOTHING', [job])
  await database.query(
    `INSERT INTO gradus.facts (job, name, value) VALUES ($1, '${FORMAT}', $2)
     ON CONFLICT (job, name) DO UPDATE SET value = EXCLUDED.value`,
    [job, JSON.stringify(format)],
  )
  if (row?.['results'] !== where) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--results' },
      found: where,
      expected: `${String(row?.['results'])}, where the results of this job are`,
      try: [`--results ${String(row?.['results'])}`],
    })
  }
  return { job, known: row['state'] !== 'planning' }
}

/**
 * Writes the items as shards into the store, then rows and tickets, then lets the job run. Done again after a death
 * in the middle it comes to the same.
 * @param queue null where no worker is to do it
 * @param together items of one name that stand behind one another go into one shard, up to four times its size
 */
export async function planShards(
  database: Database,
  queue: Queue | null,
  job: string,
  items: Iterable<unknown> | AsyncIterable<unknown>,
  { shardItems = SHARD_ITEMS, priority = 0 }: JobSettings = {},
  together?: JobKind['together'],
): Promise<void> {
  const store = await storeOf(database, job)
  let rows: object[] = []
  let shards = 0
  let total = 0
  const insert = async (): Promise<void> => {
    await database.query(
      `INSERT INTO gradus.shards (job, shard, items, input, input_sha256)
       SELECT $1, x.shard, x.items, x.input, x.sha256
       FROM json_to_recordset($2::json) AS x(shard int, items int, input text, sha256 text)
       ON CONFLICT DO NOTHING`,
      [job, JSON.stringify(rows)],
    )
    rows = []
  }
  for await (const lines of portions(items, shardItems, together)) {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    const input = objectName(job, 'input', shards)
    await store.put(input, bytes)
    rows.push({ shard: shards, items: lines.length, input, sha256: sha256(bytes) })
    shards++
    total += lines.length
    if (rows.length === ROWS) await insert()
  }
  await insert()
  // Before the tickets: a worker that meets one of a job that does not run throws it away.
  await database.query(
    `UPDATE gradus.jobs SET items = $2, state = CASE WHEN $3 THEN 'done' ELSE 'running' END
     WHERE job = $1 AND state = 'planning'`,
    [job, total, shards === 0],
  )
  await enqueue(
    queue,
    job,
    Array.from({ length: shards }, (_, shard) => shard),
    priority,
  )
}

/**
 * Lets a job go on that was stopped, or that ended with lost items or with outputs that are no longer in the store.
 * A job that runs only gets back tickets that are gone; a paused one is left alone.
 */
export async function reviveJob(
  database: Database,
  queue: Queue,
  job: string,
  { priority = 0 }: JobSettings = {},
): Promise<void> {
  const [row] = await database.query('SELECT state FROM gradus.jobs WHERE job = $1', [job])
  const state = row?.['state']
  if (state === 'running') {
    const absent = await queue.absent(job, await openShards(database, job))
    if (absent.length > 0) await enqueue(queue, job, absent, priority)
  }
  if (state !== 'done' && state !== 'stopped') return
  const store = await storeOf(database, job)
  const there = await store.sizes(`${job}/output/`)
  const ended = await database.query(
    "SELECT shard, state, output, bytes FROM gradus.shards WHERE job = $1 AND state <> 'open'",
    [job],
  )
  const again = ended
    .filter((one) => one['state'] === 'lost' || there.get(String(one['output'])) !== Number(one['bytes']))
    .map((one) => Number(one['shard']))
  if (again.length > 0) await reopenShards(database, job, again)
  const open = await openShards(database, job)
  if (open.length === 0) return
  await queue.remove(job, open)
  await new Promise((resolve) => setTimeout(resolve, LET_GO_MS))
  await runAgain(database, job)
  await enqueue(queue, job, open, priority)
}

/** Shards whose results are gone, or no longer wanted, are done anew, and counted anew. */
export async function reopenShards(database: Database, job: string, shards: readonly number[]): Promise<void> {
  await database.query(
    `WITH again AS (
       UPDATE gradus.shards h SET state = 'open', tries = 0
       FROM gradus.shards before
       WHERE h.job = $1 AND h.shard IN (SELECT json_array_elements_text($2::json)::int)
         AND before.job = h.job AND before.shard = h.shard AND before.state <> 'open'
       RETURNING h.items, before.state
     )
     UPDATE gradus.spend SET items = items - (SELECT coalesce(sum(items), 0) FROM again WHERE state = 'done')
     WHERE job = $1`,
    [job, JSON.stringify(shards)],
  )
}

/** A job that was stopped or done. */
export async function runAgain(database: Database, job: string): Promise<void> {
  await database.query(
    `UPDATE gradus.jobs SET state = 'running', reason = NULL, ended = NULL
     WHERE job = $1 AND state IN ('done', 'stopped')`,
    [job],
  )
}

/** What one job has found out is known to the other too: probes of endpoints, the recovery rate. */
export async function copyFacts(database: Database, from: string, to: string): Promise<void> {
  await database.query(
    `INSERT INTO gradus.facts (job, name, value) SELECT $2, name, value FROM gradus.facts WHERE job = $1
     ON CONFLICT DO NOTHING`,
    [from, to],
  )
}

async function enqueue(queue: Queue | null, job: string, shards: readonly number[], priority: number): Promise<void> {
  if (!job.startsWith(`${BY_COMMAND}-`)) await queue?.add(job, shards, priority)
}

/** As `pauseJob`, for a reason that stands until the command is given again. */
export async function stopJob(database: Database, job: string, reason: GradusError): Promise<void> {
  await database.query(
    "UPDATE gradus.jobs SET state = 'stopped', reason = $2, ended = now() WHERE job = $1 AND state = 'running'",
    [job, JSON.stringify(reason)],
  )
}

/** Nobody begins anything of the job any more; what is under way ends and is kept. */
export async function pauseJob(database: Database, queue: Queue, job: string): Promise<void> {
  await change(database, job, 'running', 'paused')
  await queue.hold(job, await openShards(database, job))
}

/** @throws GradusError GRD-RUN-006 */
export async function resumeJob(database: Database, queue: Queue, job: string): Promise<void> {
  const [row] = await database.query('SELECT priority FROM gradus.jobs WHERE job = $1', [job])
  await change(database, job, 'paused', 'running')
  await enqueue(queue, job, await openShards(database, job), Number(row?.['priority'] ?? 0))
}

async function change(database: Database, job: string, from: string, to: string): Promise<void> {
  const rows = await database.query(
    'UPDATE gradus.jobs SET state = $3 WHERE job = $1 AND state IN ($2, $3) RETURNING job',
    [job, from, to],
  )
  if (rows.length > 0) return
  const [known] = await database.query('SELECT state FROM gradus.jobs WHERE job = $1', [job])
  throw new GradusError('GRD-RUN-006', {
    found: known ? `${job}, which is ${String(known['state'])}` : job,
    expected: `a job that is ${from}`,
    try: ['gradus status'],
  })
}

async function openShards(database: Database, job: string): Promise<number[]> {
  const rows = await database.query(
    "SELECT shard FROM gradus.shards WHERE job = $1 AND state = 'open' ORDER BY shard",
    [job],
  )
  return rows.map((row) => Number(row['shard']))
}

/** How the shards of a job's output are written, from the next one on. */
export async function formatOf(database: Database, job: string): Promise<ShardFormat> {
  const [row] = await database.query('SELECT value FROM gradus.facts WHERE job = $1 AND name = $2', [job, FORMAT])
  return row?.['value'] === '"parquet"' ? 'parquet' : 'jsonl'
}

/** The store that a job's results are in. @throws GradusError GRD-RUN-006 */
export async function storeOf(database: Database, job: string): Promise<ObjectStore> {
  const [row] = await database.query('SELECT results FROM gradus.jobs WHERE job = $1', [job])
  if (typeof row?.['results'] !== 'string') throw new GradusError('GRD-RUN-006', { found: job, try: ['gradus status'] })
  return await storeAt(row['results'])
}

export function objectName(
  job: string,
  kind: 'input' | 'output' | 'beside' | 'completions',
  shard: number,
  format: ShardFormat = 'jsonl',
): string {
  return `${job}/${kind}/${String(shard).padStart(6, '0')}.${format}`
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function* portions(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  size: number,
  together?: JobKind['together'],
): AsyncGenerator<string[], void, void> {
  let lines: string[] = []
  let last: string | undefined
  for await (const item of items) {
    const name = together?.(item)
    const goesOn = name !== undefined && name === last && lines.length < MOST_TOGETHER * size
    if (lines.length >= size && !goesOn) {
      yield lines
      lines = []
    }
    lines.push(JSON.stringify(item))
    last = name
  }
  if (lines.length > 0) yield lines
}
