import { GradusError } from '../../../core/errors.ts'
import { addUsage, NO_USAGE, type Trace, type Usage } from '../../../core/words.ts'
import { type JobStatus, jobStatus, linesOf } from '../../../engine/distributed/catalogue.ts'
import type { Database } from '../../../engine/distributed/database.ts'
import { type JobKind, type JobSettings, type JobSpec, jobId } from '../../../engine/distributed/job.ts'
import { copyFacts, declareJob } from '../../../engine/distributed/plan.ts'
import { runJob } from '../../../engine/distributed/run-job.ts'
import { keptCompletions } from '../../../engine/distributed/shard.ts'
import type { SharedLedger } from '../../../engine/distributed/shared-ledger.ts'
import { togetherIn } from '../jobs/index.ts'
import type { RunFolder } from './folder.ts'

export interface StageJobsOptions {
  database: Database
  /** The job of the run itself: what the command asks models. */
  spec: JobSpec
  ledger: SharedLedger
  folder: RunFolder
  /** Folder or `s3://bucket/prefix`. */
  results: string
  /** Of every job; the budget is that of the whole run. */
  settings: JobSettings
  /** Wall time of this process, seconds. */
  seconds?: number
  /** Work in this process too. */
  work?: { kinds: readonly JobKind[]; concurrency: number }
  /** Leaves the job to its workers. */
  signal: AbortSignal
  /** Gives up calls of this process that are under way. */
  abort: AbortSignal
  onTrouble(error: unknown): void
}

/**
 * Stages of a run that are many independent items, done by workers as jobs of their own, one after the other. What is
 * left of the run's budget is the budget of each.
 */
export class StageJobs {
  #options: StageJobsOptions
  #run: string
  #began = performance.now()

  constructor(options: StageJobsOptions) {
    this.#options = options
    this.#run = jobId(options.spec)
  }

  /**
   * Has the items of a stage done, and waits for them.
   * @param name of the stage's output
   * @param onDone told how many items are done
   * @throws GradusError why the job has ended early: GRD-RUN-001 for the budget, GRD-RUN-002 for the signal
   */
  async do(
    name: string,
    spec: JobSpec,
    items: readonly unknown[],
    onDone: (items: number) => void,
  ): Promise<JobStatus> {
    const { database, folder, results, settings, seconds, work, signal, abort, onTrouble } = this.#options
    const job = jobId(spec)
    folder.state.facts['jobs'] = { ...this.#jobs(), [name]: job }
    await folder.save(true)
    const before = await this.#spentBy([this.#run, ...Object.values(this.#jobs()).filter((other) => other !== job)])
    const status = await runJob({
      database,
      spec,
      settings: { ...settings, budget: less(settings.budget, before) },
      results,
      items: () => items,
      together: togetherIn(spec.kind),
      // Endpoints were probed, and the recovery rate measured, by the command.
      prepare: (planned) => copyFacts(database, this.#run, planned),
      ...(work && { work }),
      ...(seconds !== undefined && { seconds: Math.max(0, seconds - (performance.now() - this.#began) / 1000) }),
      signal,
      abort,
      onStatus: (now) => onDone(now.items.done),
      onTrouble,
    })
    await this.settle()
    if (status.state === 'stopped') throw GradusError.fromJSON(status.reason)
    if (status.state !== 'done') throw new GradusError('GRD-RUN-002', { try: ['the same command again'] })
    return status
  }

  /** The job that has written what is named. */
  of(name: string): string | undefined {
    return this.#jobs()[name]
  }

  /** The traces that a job has written, in the order of its items. */
  async *traces(job: string): AsyncGenerator<Trace, void, void> {
    for await (const line of linesOf(this.#options.database, job)) yield JSON.parse(line) as Trace
  }

  /** What the workers of a stage have paid for is known to the command from here on. */
  async lend(name: string): Promise<void> {
    const { database, ledger } = this.#options
    const job = this.of(name)
    if (job !== undefined) ledger.lend(await keptCompletions(database, job))
  }

  /** The bill of all jobs counts, and the command may spend what they have left. */
  async settle(): Promise<void> {
    const { database, spec, ledger, results, settings } = this.#options
    const spent = await this.#spentBy(Object.values(this.#jobs()))
    ledger.countOthers(spent)
    await declareJob(database, spec, results, { ...settings, format: 'jsonl', budget: less(settings.budget, spent) })
    await ledger.refresh()
  }

  /** By the name of what they write. */
  #jobs(): Record<string, string> {
    return (this.#options.folder.state.facts['jobs'] as Record<string, string> | undefined) ?? {}
  }

  async #spentBy(jobs: readonly string[]): Promise<Usage> {
    let sum = NO_USAGE
    for (const job of jobs)
      for (const { spent } of await jobStatus(this.#options.database, job)) sum = addUsage(sum, spent)
    return sum
  }
}

function less(budget: JobSettings['budget'] = {}, spent: Usage): NonNullable<JobSettings['budget']> {
  const { calls, tokens, cost } = budget
  return {
    ...(calls !== undefined && { calls: calls - spent.calls }),
    ...(tokens !== undefined && { tokens: tokens - spent.promptTokens - spent.completionTokens }),
    ...(cost !== undefined && { cost: cost - (spent.cost ?? 0) }),
  }
}
