import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type JobStatus, jobStatus, outputOf } from '../distributed/catalogue.ts'
import type { Database } from '../distributed/database.ts'
import type { JobSettings } from '../distributed/job.ts'
import { declareJob, planShards, reviveJob } from '../distributed/plan.ts'
import type { Queue } from '../distributed/queue.ts'
import { Engine } from '../engine.ts'
import { type Drawing, drawing } from './drawing.ts'

const CHILD = join(import.meta.dirname, 'worker-run.ts')

export const prompts = (n: number): string[] => Array.from({ length: n }, (_, i) => `prompt ${i}`)

/** What a command does: a job for the workers that there are, or the one that is there already goes on. */
export async function give(
  database: Database,
  queue: Queue,
  config: Drawing,
  items: readonly string[],
  results: string,
  settings: JobSettings = {},
): Promise<string> {
  const spec = { kind: drawing.name, config, inputs: [String(items.length)] }
  const { job, known } = await declareJob(database, spec, results, settings)
  if (known) await reviveJob(database, queue, job, settings)
  else await planShards(database, queue, job, items, settings)
  return job
}

/** The bytes of a run on one machine that nobody disturbs. */
export async function alone(config: Drawing, items: readonly string[]): Promise<string> {
  const engine = new Engine({ concurrency: 64 })
  const { run } = await drawing.open(config, engine)
  let text = ''
  for await (const { lines } of engine.each(items, run)) text += lines.map((line) => `${line}\n`).join('')
  await engine.close()
  return text
}

export async function textOf(database: Database, job: string): Promise<string> {
  let text = ''
  for await (const bytes of outputOf(database, job)) text += bytes.toString()
  return text
}

export async function statusOf(database: Database, job: string): Promise<JobStatus> {
  const [status] = await jobStatus(database, job)
  if (!status) throw new Error(`no job ${job}`)
  return status
}

/** Looks until the job is as wanted. */
export async function until(
  database: Database,
  job: string,
  wanted: (status: JobStatus) => boolean,
  seconds = 60,
  everyMs = 50,
): Promise<JobStatus> {
  for (const started = performance.now(); ; ) {
    const status = await statusOf(database, job)
    if (wanted(status)) return status
    if (performance.now() - started > seconds * 1000) throw new Error(`still ${JSON.stringify(status)}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

export interface WorkerProcess {
  child: ChildProcess
  /** Exit code, null after a signal. */
  ended: Promise<number | null>
}

/** @param preload module that is loaded before everything else */
export async function spawnWorker(url: string, concurrency = 8, preload?: string): Promise<WorkerProcess> {
  const child = spawn(
    process.execPath,
    [...(preload === undefined ? [] : ['--import', preload]), CHILD, url, String(concurrency)],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const ended = once(child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
  await Promise.race([
    once(child, 'message'),
    ended.then((code) => {
      throw new Error(`the worker ended with ${code}`)
    }),
  ])
  return { child, ended }
}

/** As if so many seconds had passed since the last heartbeats of whoever has shards of the job. */
export async function passHeartbeats(database: Database, job: string): Promise<void> {
  await database.query(
    `UPDATE gradus_queue.job SET heartbeat_on = heartbeat_on - interval '1 minute'
     WHERE state = 'active' AND data->>'job' = $1`,
    [job],
  )
}
