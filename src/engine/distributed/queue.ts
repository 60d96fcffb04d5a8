import { createHash } from 'node:crypto'
import type { Clock, PgBoss } from 'pg-boss'
import { type Database, peer } from './database.ts'

/** One queue for the shards of all jobs, so that priorities hold between jobs. */
const QUEUE = 'gradus-shards'
const SCHEMA = 'gradus_queue'

/** A shard as it stands in the queue. */
export interface Ticket {
  job: string
  shard: number
}

/** The smallest that pg-boss allows: a dead worker's shards go back after it, and at the next look of a supervisor. */
const HEARTBEAT_SECONDS = 10
const SUPERVISE_SECONDS = 3
/** Workers are woken by a notification; they look by themselves only in case one got lost. */
const LOOK_SECONDS = 2
/** Deaths of workers count as tries in the queue; items that fail are counted elsewhere. */
const RETRIES = 100_000
/** Tickets of one insertion: 40,000 a second with pg-boss in such portions. */
const PORTION = 5_000
/** Goes on evenly when somebody sets the clock of the machine: intervals would last as long as the jump otherwise. */
const STEADY: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (work, ms) => setTimeout(work, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setInterval: (work, ms) => setInterval(work, ms),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout),
}
/** Of one job, as many as pg-boss lists at once: 50 million items. */
const MOST_TICKETS = 100_000
const LIVE = new Set(['created', 'retry', 'active'])
/** A shard in hand, and the next while its last items are under way. */
const SHARDS_AT_ONCE = 2

/** The shards of all jobs in pg-boss: who may take one, and what becomes of it when its worker dies. */
export class Queue {
  #boss: PgBoss

  constructor(boss: PgBoss) {
    this.#boss = boss
  }

  /**
   * @param onError told of lost connections and the like; the queue goes on by itself
   * @throws GradusError GRD-CLI-003 without pg-boss
   */
  static async open(database: Database, onError: (error: Error) => void): Promise<Queue> {
    const { PgBoss: Boss } = await peer('pg-boss', 'a job on several machines', () => import('pg-boss'))
    const boss = new Boss({
      ...database.boss,
      schema: SCHEMA,
      application_name: 'gradus-queue',
      max: 4,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
      useListenNotify: true,
      schedule: false,
      clock: STEADY,
      registerInstance: false,
      monitorVacuum: false,
    })
    boss.on('error', onError)
    await boss.start({ attempts: 5 })
    await boss.createQueue(QUEUE, {
      heartbeatSeconds: HEARTBEAT_SECONDS,
      retryLimit: RETRIES,
      retryDelay: 0,
      expireInSeconds: 24 * 3600,
      retentionSeconds: 365 * 24 * 3600,
      deleteAfterSeconds: 24 * 3600,
      notify: true,
    })
    return new Queue(boss)
  }

  /** Puts shards in; what stands of them from earlier is taken out. */
  async add(job: string, shards: readonly number[], priority: number): Promise<void> {
    await this.remove(job, shards)
    for (let i = 0; i < shards.length; i += PORTION) {
      const portion = shards.slice(i, i + PORTION)
      await this.#boss.insert(
        QUEUE,
        portion.map((shard) => ({ id: ticketId(job, shard), data: { job, shard }, priority })),
      )
    }
  }

  /** Takes shards out, whoever has them. */
  async remove(job: string, shards: readonly number[]): Promise<void> {
    for (let i = 0; i < shards.length; i += PORTION) {
      await this.#boss.deleteJob(
        QUEUE,
        shards.slice(i, i + PORTION).map((shard) => ticketId(job, shard)),
      )
    }
  }

  /** Those of the shards that nobody will ever take: a database that was put back, tickets that somebody removed. */
  async absent(job: string, shards: readonly number[]): Promise<number[]> {
    const found = await this.#boss.findJobs<Ticket>(QUEUE, { data: { job }, limit: MOST_TICKETS })
    const live = new Set(found.flatMap(({ state, data }) => (LIVE.has(state) ? [data.shard] : [])))
    return shards.filter((shard) => !live.has(shard))
  }

  /** Nobody takes these any more; whoever has one hears of it by its heartbeat. */
  async hold(job: string, shards: readonly number[]): Promise<void> {
    for (let i = 0; i < shards.length; i += PORTION) {
      await this.#boss.cancel(
        QUEUE,
        shards.slice(i, i + PORTION).map((shard) => ticketId(job, shard)),
      )
    }
  }

  /**
   * Takes shards until `stop`. A shard whose work throws goes back into the queue at once.
   * @param work its signal fires when the shard has been given to somebody else
   */
  async work(work: (ticket: Ticket, lost: AbortSignal) => Promise<void>): Promise<void> {
    const look = { pollingIntervalSeconds: LOOK_SECONDS, notifyPollingIntervalSeconds: LOOK_SECONDS }
    for (let i = 0; i < SHARDS_AT_ONCE; i++) {
      const id: string = await this.#boss.work<Ticket>(QUEUE, look, async ([ticket]) => {
        try {
          if (ticket) await work(ticket.data, ticket.signal)
        } finally {
          // Where there was one shard there may be another: no waiting until the next look.
          this.#boss.notifyWorker(id)
        }
      })
    }
  }

  /** Takes no more, and waits for what is in hand. */
  async drain(): Promise<void> {
    await this.#boss.offWork(QUEUE, { wait: true })
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false })
  }
}

/** The same for ever, so that a shard stands in the queue once at most. */
function ticketId(job: string, shard: number): string {
  const hex = createHash('sha256').update(`${job}/${shard}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
