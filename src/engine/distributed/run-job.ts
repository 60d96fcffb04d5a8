import { GradusError } from '../../core/errors.ts'
import { sleep } from '../deadline.ts'
import { type JobStatus, jobStatus, liveWorkers, type WorkerStatus } from './catalogue.ts'
import type { Database } from './database.ts'
import type { JobKind, JobSettings, JobSpec } from './job.ts'
import { declareJob, planShards, reviveJob, stopJob } from './plan.ts'
import { Queue } from './queue.ts'
import { Worker } from './worker.ts'

export interface RunJobOptions {
  database: Database
  spec: JobSpec
  settings: JobSettings
  /** Folder or `s3://bucket/prefix`. */
  results: string
  /** Asked only where the job is new. */
  items: () => Iterable<unknown> | AsyncIterable<unknown>
  /** As the kind of the job has it. */
  together?: JobKind['together'] | undefined
  /** Finds out what must be known before anything is spent; asked each time. */
  prepare?: (job: string) => Promise<void>
  /** Work in this process too: what a database in this process needs. */
  work?: { kinds: readonly JobKind[]; concurrency?: number }
  /** Wall time of this wait, after which the job is stopped, seconds. */
  seconds?: number
  /** Leaves the job to its workers; work in this process drains. */
  signal: AbortSignal
  /** Gives up calls of this process that are under way. */
  abort?: AbortSignal
  onStatus?: (status: JobStatus, workers: readonly WorkerStatus[]) => void
  onTrouble?: (error: unknown) => void
}

/** Between two looks at a job, milliseconds. */
const LOOK_MS = 500
/** Looks at a job of which nothing is in hand before its tickets are counted. */
const LOOKS_IDLE = 20

/**
 * Plans the job or joins it, and waits until it is done, stopped, or the signal fires.
 * @returns how it stands then
 * @throws GradusError GRD-DB-*, GRD-STORE-*, GRD-CLI-003, and what `items` and `prepare` throw
 */
export async function runJob(options: RunJobOptions): Promise<JobStatus> {
  const { database, spec, settings, results, signal } = options
  const queue = await Queue.open(database, (error) => options.onTrouble?.(error))
  let worker: Worker | undefined
  let working: Promise<void> | undefined
  try {
    const { job, known } = await declareJob(database, spec, results, settings)
    await options.prepare?.(job)
    if (known) await reviveJob(database, queue, job, settings)
    else await planShards(database, queue, job, options.items(), settings, options.together)
    if (options.work) {
      const { kinds, concurrency } = options.work
      const onTrouble = (_: unknown, error: unknown): void => options.onTrouble?.(error)
      worker = new Worker({ database, queue, kinds, onTrouble, ...(concurrency !== undefined && { concurrency }) })
      const own = worker
      options.abort?.addEventListener('abort', () => own.abort(), { once: true })
      working = worker.run()
      // It is waited for below; a failure before that must not end the process.
      working.catch(() => undefined)
    }
    const started = performance.now()
    let idle = 0
    for (;;) {
      const [status] = await jobStatus(database, job)
      if (!status) throw new GradusError('GRD-RUN-006', { found: job })
      const workers = await liveWorkers(database)
      options.onStatus?.(status, workers)
      // Shards of a stopped job that are in hand are waited for, while there are workers to end them.
      const held = status.shards.inHand > 0 && workers.length > 0
      if (status.state === 'done' || (status.state === 'stopped' && !held)) break
      if (signal.aborted) break
      if (options.seconds !== undefined && performance.now() - started > options.seconds * 1000) {
        const found = `${options.seconds.toLocaleString('en-US')} seconds are over`
        await stopJob(database, job, new GradusError('GRD-RUN-001', { found, try: ['the same command again'] }))
      }
      await sleep(LOOK_MS, signal)
      idle = status.shards.inHand > 0 ? 0 : idle + 1
      // Workers that find nothing: tickets may be gone.
      if (idle % LOOKS_IDLE === LOOKS_IDLE - 1) await reviveJob(database, queue, job, settings)
    }
    worker?.drain()
    await working
    const [status] = await jobStatus(database, job)
    if (!status) throw new GradusError('GRD-RUN-006', { found: job })
    return status
  } finally {
    worker?.drain()
    await working?.catch(() => undefined)
    await queue.close()
  }
}
