import { hostname } from 'node:os'
import { GradusError } from '../../../core/errors.ts'
import type { Database } from '../../../engine/distributed/database.ts'
import { BY_COMMAND, type JobSettings, type JobSpec } from '../../../engine/distributed/job.ts'
import { declareJob, planShards, reopenShards, runAgain, storeOf } from '../../../engine/distributed/plan.ts'
import { doShard } from '../../../engine/distributed/shard.ts'
import { SharedLedger } from '../../../engine/distributed/shared-ledger.ts'
import { Engine } from '../../../engine/engine.ts'
import type { FigureData } from '../../../prove/report/figure-data.ts'
import { JOB_KINDS } from '../jobs/index.ts'
import { type RunConfig, whatDecides } from './config.ts'
import type { RunFolder } from './folder.ts'
import { runAll } from './run.ts'
import { StageJobs } from './stage-jobs.ts'

export interface RunOnManyOptions {
  database: Database
  config: RunConfig
  /** Digests of the files that the configuration names. */
  inputs: readonly string[]
  folder: RunFolder
  results: string
  settings: Omit<JobSettings, 'budget'>
  /** Is the work done in this process too? What a database in this process needs. */
  workHere: boolean
}

/** One shard with one item: the run. */
const SHARD = 0

/**
 * A run whose traces are written and labelled by workers. Everything else is one item of a job of its own, which the
 * command itself does: what its models say is kept as that of a worker is, and a second command with the same settings
 * takes the item over, as a worker takes a shard.
 */
export class RunOnMany {
  readonly engine: Engine
  #options: RunOnManyOptions
  #spec: JobSpec
  #job: string
  #ledger: SharedLedger

  private constructor(options: RunOnManyOptions, spec: JobSpec, job: string) {
    const { database, config } = options
    const { seconds } = config.budget
    this.#options = options
    this.#spec = spec
    this.#job = job
    this.#ledger = new SharedLedger(database, job)
    this.engine = new Engine({
      ledger: this.#ledger,
      concurrency: config.jobs,
      ...(seconds !== undefined && { budget: { seconds } }),
    })
  }

  /**
   * The engine is to be closed by whoever opens the run.
   * @throws GradusError GRD-DB-*, GRD-STORE-*, GRD-CLI-002 where the same run has its results elsewhere
   */
  static async open(options: RunOnManyOptions): Promise<RunOnMany> {
    const { database, config, inputs, results, settings } = options
    const spec: JobSpec = { kind: BY_COMMAND, config: whatDecides(config), inputs }
    // What this job writes is no traces.
    const own: JobSettings = { ...settings, format: 'jsonl', budget: config.budget }
    const { job, known } = await declareJob(database, spec, results, own)
    if (!known) await planShards(database, null, job, [spec.config])
    else {
      await reopenShards(database, job, [SHARD])
      await runAgain(database, job)
    }
    return new RunOnMany(options, spec, job)
  }

  /**
   * As `runAll`.
   * @param signal leaves the jobs under way to their workers
   * @param abort gives up calls of this process
   */
  async run(signal: AbortSignal, abort: AbortSignal, say: (line: string) => void): Promise<FigureData[]> {
    const { database, config, folder, results, settings, workHere } = this.#options
    const { seconds } = config.budget
    const jobs = new StageJobs({
      database,
      spec: this.#spec,
      ledger: this.#ledger,
      folder,
      results,
      settings: { ...settings, budget: config.budget },
      ...(seconds !== undefined && { seconds }),
      ...(workHere && { work: { kinds: JOB_KINDS, concurrency: config.jobs } }),
      signal,
      abort,
      onTrouble: (error) => say(error instanceof Error ? error.message : String(error)),
    })
    await jobs.settle()
    const done: { figures?: FigureData[]; error?: unknown } = {}
    const end = await doShard(
      {
        job: this.#job,
        database,
        store: await storeOf(database, this.#job),
        ledger: this.#ledger,
        engine: this.engine,
        worker: `${hostname()}/${process.pid}`,
        work: {
          window: 1,
          run: async () => {
            try {
              done.figures = await runAll({ config, folder, engine: this.engine, jobs, signal, say })
            } catch (error) {
              done.error = error
              throw error
            }
            return { lines: done.figures.map((figure) => JSON.stringify(figure)) }
          },
        },
      },
      SHARD,
      // Whoever takes the run over is heard of by the next call, which is refused.
      new AbortController().signal,
    )
    if (done.error !== undefined) throw done.error
    if (done.figures) return done.figures
    if (this.engine.stopped) throw this.engine.stopped
    throw new GradusError('GRD-RUN-007', { found: `${this.#job}: ${end.state}` })
  }
}
