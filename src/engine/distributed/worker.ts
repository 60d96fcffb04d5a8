import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { GradusError } from '../../core/errors.ts'
import { storeAt } from '../../io/stores/index.ts'
import { sleep } from '../deadline.ts'
import { Engine } from '../engine.ts'
import type { Database } from './database.ts'
import type { JobKind } from './job.ts'
import { stopJob } from './plan.ts'
import type { Queue, Ticket } from './queue.ts'
import { doShard, keptCompletions, type ShardEnd, type WorkerJob } from './shard.ts'
import { SharedLedger } from './shared-ledger.ts'

export interface WorkerOptions {
  database: Database
  queue: Queue
  kinds: readonly JobKind[]
  /** Calls under way at most, for each job. */
  concurrency?: number
  /** Ends by itself after so many seconds without a shard in hand. */
  idleSeconds?: number
  /** Told of every shard that is no longer in hand. */
  onShard?: (ticket: Ticket, end: ShardEnd) => void
  /** Told of what stops a job or returns a shard. */
  onTrouble?: (ticket: Ticket, error: unknown) => void
}

/** Between two signs of life, milliseconds; a pause is heard within it. */
const BEAT_MS = 1_000
/** Wait before items that failed are tried again, milliseconds; doubles with each try. */
const TRY_AGAIN_MS = 1_000
/** Troubles after which no worker could go on with the job either: it is stopped, and the reason kept. */
const STOPS_JOB = /^GRD-(RUN-001|STORE|IO-01[34]|CLI|MODEL|LABEL|CALL-0(02|11|12))/

interface Opened extends WorkerJob {
  /** Shards of it in hand. */
  users: number
  /** No new shard uses it: its engine has stopped or met an endpoint that is gone. */
  spent: boolean
}

/** Takes shards of whatever jobs there are, until it is told to drain. */
export class Worker {
  readonly name: string
  #id: string = randomUUID()
  #options: WorkerOptions
  #opened = new Map<string, Promise<Opened>>()
  #live = new Set<Opened>()
  #drain = new AbortController()
  #shards = 0
  #busyAt = performance.now()

  constructor(options: WorkerOptions) {
    this.#options = options
    this.name = `${hostname()}/${process.pid}`
  }

  /** Calls under way. */
  get inFlight(): number {
    let sum = 0
    for (const { engine } of this.#live) sum += engine.inFlight
    return sum
  }

  /** Works until `drain`; everything under way has ended when the promise resolves. */
  async run(): Promise<void> {
    const { database, queue, idleSeconds } = this.#options
    await database.query('INSERT INTO gradus.workers (worker, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      this.#id,
      this.name,
    ])
    await queue.work((ticket, lost) => this.#do(ticket, lost))
    const { signal } = this.#drain
    while (!signal.aborted) {
      await sleep(BEAT_MS, signal)
      await this.#beat()
      const idle = this.#shards === 0 && performance.now() - this.#busyAt > (idleSeconds ?? Infinity) * 1000
      if (idle) this.drain()
    }
    await queue.drain()
    for (const opened of this.#live) await opened.engine.close()
    await database.query('UPDATE gradus.workers SET ended = now(), shards = 0, under_way = 0 WHERE worker = $1', [
      this.#id,
    ])
  }

  /** Takes no more shards and begins no more calls; what is under way ends and is kept, the rest goes back. */
  drain(): void {
    this.#drain.abort()
    for (const { engine } of this.#live) engine.stop(new GradusError('GRD-RUN-002', { found: 'the worker drains' }))
  }

  /** As `drain`, and gives up what is under way. */
  abort(): void {
    this.drain()
    for (const { engine } of this.#live) engine.abort(new GradusError('GRD-RUN-002', { found: 'the worker was ended' }))
  }

  /** A sign of life; jobs that no longer run are heard of. */
  async #beat(): Promise<void> {
    const jobs = JSON.stringify([...this.#live].map(({ job }) => job))
    try {
      const rows = await this.#options.database.query(
        `WITH beat AS (UPDATE gradus.workers SET seen = now(), under_way = $2, shards = $3 WHERE worker = $1)
         SELECT job FROM gradus.jobs WHERE state <> 'running' AND job IN (SELECT json_array_elements_text($4::json))`,
        [this.#id, this.inFlight, this.#shards, jobs],
      )
      const halted = new Set(rows.map((row) => row['job']))
      for (const { job, engine } of this.#live) {
        if (halted.has(job)) engine.stop(new GradusError('GRD-RUN-005', { found: job }))
      }
    } catch (error) {
      // The database stays away: nothing more can be kept.
      if (!(error instanceof GradusError)) throw error
      this.#options.onTrouble?.({ job: '', shard: -1 }, error)
      this.drain()
    }
  }

  /** @throws where the shard must go back into the queue */
  async #do(ticket: Ticket, lost: AbortSignal): Promise<void> {
    const { onShard, onTrouble } = this.#options
    const back = (why: string): Error => new Error(`${why}: shard ${ticket.shard} of ${ticket.job} goes back`)
    if (this.#drain.signal.aborted) throw back('draining')
    this.#shards++
    let opened: Opened | undefined
    try {
      opened = await this.#open(ticket.job)
      if (!opened) return
      opened.users++
      const end = await doShard(opened, ticket.shard, lost)
      onShard?.(ticket, end)
      if (end.state !== 'returned') return
      if (end.failed) {
        // An endpoint that was given up is asked anew.
        opened.spent = true
        await sleep(TRY_AGAIN_MS * 2 ** (end.tries - 1), this.#drain.signal)
      }
    } catch (error) {
      onTrouble?.(ticket, error)
      if (error instanceof GradusError && STOPS_JOB.test(error.code))
        await stopJob(this.#options.database, ticket.job, error)
      throw error
    } finally {
      this.#shards--
      this.#busyAt = performance.now()
      if (opened) await this.#leave(opened)
    }
    throw back('not finished')
  }

  /** The job, ready to be worked on; undefined where it does not run (any more). */
  async #open(job: string): Promise<Opened | undefined> {
    const [row] = await this.#options.database.query(
      'SELECT kind, config, results, state FROM gradus.jobs WHERE job = $1',
      [job],
    )
    if (row?.['state'] !== 'running') return undefined
    let opening = this.#opened.get(job)
    if (opening) {
      const known = await opening.catch(() => undefined)
      if (!known || known.spent || known.engine.stopped) opening = undefined
    }
    if (!opening) {
      opening = this.#openNew(job, String(row['kind']), String(row['config']), String(row['results']))
      this.#opened.set(job, opening)
    }
    return await opening
  }

  async #openNew(job: string, kindName: string, config: string, results: string): Promise<Opened> {
    const { database, kinds, concurrency } = this.#options
    const kind = kinds.find(({ name }) => name === kindName)
    if (!kind) {
      throw new GradusError('GRD-RUN-006', {
        found: `a job of kind ${kindName}`,
        expected: `one of ${kinds.map(({ name }) => name).join(', ')}`,
        try: ['the same version of gradus on all machines'],
      })
    }
    const ledger = new SharedLedger(database, job)
    const engine = new Engine({ ledger, ...(concurrency !== undefined && { concurrency }) })
    try {
      const store = await storeAt(results)
      const work = await kind.open(JSON.parse(config), engine)
      const known = work.after === undefined ? undefined : await keptCompletions(database, work.after)
      const worker = this.name
      const opened: Opened = { job, database, store, ledger, engine, work, known, worker, users: 0, spent: false }
      this.#live.add(opened)
      return opened
    } catch (error) {
      await engine.close()
      throw error
    }
  }

  async #leave(opened: Opened): Promise<void> {
    opened.users--
    if (opened.users > 0 || !(opened.spent || opened.engine.stopped)) return
    this.#live.delete(opened)
    await opened.engine.close()
  }
}
