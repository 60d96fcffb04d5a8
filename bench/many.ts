/**
 * A job on several machines, against a Postgres of its own in this machine: `node bench/many.ts [part]`.
 *
 * - `workers`: the same job by 1, 2, 4 and 8 worker processes against a server that only waits; speed-up over one.
 * - `calls [n]`: what the database has to do for an item of 32 model calls, as processor time of all its processes; two
 *   workers with n (64) calls under way each.
 * - `plan`: a million items planned, in a process of its own; then resumed with all but one shard finished.
 *
 * Each prints JSON and a Markdown row. The database syncs its log to disk here, as in real life.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outputOf } from '../src/engine/distributed/catalogue.ts'
import { type Database, openDatabase } from '../src/engine/distributed/database.ts'
import { declareJob, objectName, planShards, reviveJob, sha256, storeOf } from '../src/engine/distributed/plan.ts'
import { Queue } from '../src/engine/distributed/queue.ts'
import { Worker } from '../src/engine/distributed/worker.ts'
import { drawing } from '../src/engine/testing/drawing.ts'
import { give, prompts, spawnWorker, until } from '../src/engine/testing/many.ts'
import { startPostgres } from '../src/engine/testing/postgres.ts'

const PARTS = { workers, calls, plan }
/** Server latency where calls are to come fast, and where they are to be waited for: both short for a language model. */
const LATENCY_MS = { calls: 250, workers: 1_000 }
/** Between two looks at the job, as the command looks. */
const LOOK_MS = 500
/** Calls under way of a worker that waits: as many as an engine begins with. */
const WAITING = 8
const MILLION = 1_000_000

const [part = '', ...more] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'gradus-bench-many-'))
if (part === 'server') waitingServer(Number(more[0]))
else if (part === 'planner') await planner(...(more as [string, string]))
else {
  const postgres = await startPostgres({ durable: true })
  const database = await openDatabase(postgres.url)
  const queue = await Queue.open(database, () => undefined)
  try {
    for (const [name, run] of Object.entries(PARTS)) {
      if (part === '' || part === name) await run(database, queue, postgres.url)
    }
  } finally {
    await queue.close()
    await database.close()
    await postgres.remove()
    rmSync(folder, { recursive: true })
  }
}

function print(figures: Record<string, unknown>, row: string): void {
  console.log(JSON.stringify(figures))
  console.log(row)
}

async function workers(database: Database, queue: Queue, url: string): Promise<void> {
  const server = await serverProcess(LATENCY_MS.workers)
  const items = prompts(80)
  const seconds = new Map<number, number>()
  for (const count of [1, 2, 4, 8]) {
    const crowd = await Promise.all(Array.from({ length: count }, () => spawnWorker(url, WAITING)))
    const started = performance.now()
    const job = await give(database, queue, { url: `${server.url}/${count}`, n: 8 }, items, folder, { shardItems: 1 })
    await until(database, job, ({ state }) => state === 'done', 600)
    seconds.set(count, (performance.now() - started) / 1000)
    for (const { child } of crowd) child.kill('SIGTERM')
    await Promise.all(crowd.map(({ ended }) => ended))
  }
  server.stop()
  const one = seconds.get(1) ?? 0
  const speedUp = Object.fromEntries([...seconds].map(([count, s]) => [count, round(one / s)]))
  const ideal = (items.length * 8 * LATENCY_MS.workers) / WAITING / 1000
  print(
    {
      workers: Object.fromEntries([...seconds].map(([n, s]) => [n, round(s)])),
      speedUp,
      oneOverIdeal: round(one / ideal),
    },
    `| 8 workers, latency-bound server | ${((speedUp[8] ?? 0) / 8).toFixed(2)} of the ideal speed-up (bar .9) |`,
  )
}

async function calls(database: Database, queue: Queue, url: string): Promise<void> {
  const server = await serverProcess()
  const items = prompts(400)
  const underWay = Number(more[0] ?? 64)
  const [{ data_directory: data } = {}] = await database.query('SHOW data_directory')
  const postmaster = Number(readFileSync(join(String(data), 'postmaster.pid'), 'utf8').split('\n')[0])
  const crowd = await Promise.all([spawnWorker(url, underWay), spawnWorker(url, underWay)])
  const before = cpuMs(postmaster)
  const job = await give(database, queue, { url: server.url, n: 32 }, items, folder, { shardItems: 50 })
  const row = await until(database, job, ({ state }) => state === 'done', 600, LOOK_MS)
  const ms = cpuMs(postmaster) - before
  for (const { child } of crowd) child.kill('SIGTERM')
  await Promise.all(crowd.map(({ ended }) => ended))
  server.stop()
  const perItem = ms / items.length
  print(
    {
      items: items.length,
      calls: row.spent.calls,
      underWay,
      databaseCpuMsPerItem: round(perItem),
      perCall: round(perItem / 32),
    },
    `| database time of an item with 32 calls, 2 workers with ${underWay} under way | ${perItem.toFixed(2)} ms (bar 5) |`,
  )
}

/** Processor time of a server with all its processes, ended ones too: unlike wall time it says what other load leaves. */
function cpuMs(postmaster: number): number {
  // Clock ticks are 10 ms on Linux, whatever the machine (USER_HZ).
  const TICK_MS = 10
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number)
      const [own, ended] = [fields[11]! + fields[12]!, fields[13]! + fields[14]!]
      if (Number(name) === postmaster) ticks += own + ended
      else if (fields[1] === postmaster) ticks += own
    } catch {
      // Ended meanwhile.
    }
  }
  return ticks * TICK_MS
}

async function plan(database: Database, queue: Queue, url: string): Promise<void> {
  const results = join(folder, 'million')
  const child = spawn(process.execPath, [import.meta.filename, 'planner', url, results], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  await once(child, 'exit')
  const planned = JSON.parse(said) as { job: string; seconds: number; megabytes: number }
  const { job } = planned

  // All but the last shard are finished: their outputs are in the store, as large as labels are.
  const store = await storeOf(database, job)
  const rows: object[] = []
  const shards = MILLION / 500
  for (let shard = 0; shard < shards - 1; shard++) {
    const bytes = await store.get(objectName(job, 'input', shard))
    const output = objectName(job, 'output', shard)
    await store.put(output, bytes)
    rows.push({ shard, output, bytes: bytes.length, sha256: sha256(bytes) })
  }
  await database.query(
    `UPDATE gradus.shards h SET state = 'done', output = x.output, bytes = x.bytes, sha256 = x.sha256, lines = items, counts = '{}'
     FROM json_to_recordset($2::json) AS x(shard int, output text, bytes bigint, sha256 text)
     WHERE h.job = $1 AND h.shard = x.shard`,
    [job, JSON.stringify(rows)],
  )
  await queue.hold(
    job,
    Array.from({ length: shards }, (_, shard) => shard),
  )
  await database.query("UPDATE gradus.jobs SET state = 'stopped' WHERE job = $1", [job])
  await database.query('UPDATE gradus.spend SET items = $2 WHERE job = $1', [job, MILLION - 500])
  const server = await serverProcess()
  await database.query('UPDATE gradus.jobs SET config = $2 WHERE job = $1', [
    job,
    JSON.stringify({ url: server.url, n: 1 }),
  ])
  const hand = new Worker({ database, queue, kinds: [drawing], concurrency: 500 })
  const run = hand.run()
  const started = performance.now()
  await reviveJob(database, queue, job)
  const resumed = (performance.now() - started) / 1000
  await until(database, job, ({ state }) => state === 'done', 120)
  const finished = (performance.now() - started) / 1000
  let bytes = 0
  for await (const piece of outputOf(database, job)) bytes += piece.length
  const assembled = (performance.now() - started) / 1000
  hand.drain()
  await run
  server.stop()
  print(
    {
      planSeconds: round(planned.seconds),
      planMegabytes: Math.round(planned.megabytes),
      resumeSeconds: round(resumed),
      lastShardDone: round(finished),
      outputRead: round(assembled),
      outputMegabytes: Math.round(bytes / 1e6),
    },
    `| a million items | planned in ${planned.seconds.toFixed(0)} s (bar 120) with ${planned.megabytes.toFixed(0)} MB (bar 500); resumed in ${resumed.toFixed(1)} s, output read in ${assembled.toFixed(1)} s (bar 10) |`,
  )
}

/** A million items of some 300 bytes, as problems are. */
async function planner(url: string, results: string): Promise<void> {
  const database = await openDatabase(url)
  const queue = await Queue.open(database, () => undefined)
  const started = performance.now()
  const config = { url: 'http://127.0.0.1:1/v1', n: 1 }
  const { job } = await declareJob(database, { kind: 'drawing', config, inputs: ['million'] }, results)
  function* items(): Generator<string> {
    for (let i = 0; i < MILLION; i++) yield `${String(i).padStart(7, '0')} ${'a problem in words '.repeat(15)}`
  }
  await planShards(database, queue, job, items())
  const seconds = (performance.now() - started) / 1000
  await queue.close()
  await database.close()
  // Linux counts in KiB.
  console.log(JSON.stringify({ job, seconds, megabytes: process.resourceUsage().maxRSS / 1024 }))
}

async function serverProcess(latencyMs = LATENCY_MS.calls): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [import.meta.filename, 'server', String(latencyMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(child.stdout, 'data')
  return { url: `http://127.0.0.1:${String(port).trim()}/v1`, stop: () => child.kill() }
}

function waitingServer(latencyMs: number): void {
  const text = 'A step of the answer. '.repeat(10)
  const answer = JSON.stringify({ choices: [{ text }], usage: { prompt_tokens: 200, completion_tokens: 60 } })
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(answer), latencyMs)
    })
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
