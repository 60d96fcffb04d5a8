import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ErrorCode } from '../../core/errors.ts'
import { GradusError } from '../../core/errors.ts'
import { addUsage, NO_USAGE, type Usage } from '../../core/words.ts'
import type { Kept } from '../cache.ts'
import { asFault } from '../fault.ts'
import type { AttemptState, History } from '../journal.ts'
import type { Call, Ledger, Sent } from '../ledger.ts'
import type { Database } from './database.ts'

/** The shard that a piece of work belongs to, and what was bought for it before. */
export interface ShardContext {
  /** -1: the planner, which belongs to none. */
  shard: number
  /** Names this worker's hold on the shard: calls of anybody else are refused. */
  holder: string
  completions: Completions
  /** What an earlier job of the same run has paid for. */
  known?: Completions
}

/** By key and sample. */
export type Completions = Map<string, Map<number, Kept<unknown>>>

interface Settle {
  shard: number
  holder: string
  seq: number
  calls: number
  prompt: number
  completion: number
  cached: number
  seconds: number
  money: number | null
  code: ErrorCode | null
  kept: { sample: number; value: string; usage: string }[]
}
interface Ask extends Waiter {
  body: Record<string, unknown>
}
interface Finished {
  shard: number
  item: string
  value: string
  /** Places of the item in its shard. */
  times: number
}
interface Waiter {
  resolve(said: { verdict: string; waitMs: number }): void
  reject(error: unknown): void
}

const Spent = z.object({
  calls: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  cachedTokens: z.number(),
  seconds: z.number(),
  cost: z.number().nullable(),
})

/** Before a call that must wait for others to end asks again, milliseconds; the rate limit says its own wait. */
const ASK_AGAIN_MS = 50
/**
 * From one exchange to the next, milliseconds: a statement and its commit cost the database about as much as 17 calls in
 * it (docs/scale.md), and a model takes seconds, of which a call waits half of this.
 */
const GATHER_MS = 80

/**
 * Journal, cache and budget of a job in Postgres, shared by all of its workers.
 *
 * Whatever happens at the same time goes into one statement, and one statement is under way at a time, so that a call
 * never goes out before what ended earlier is durable. Which shard a call belongs to is known from the asynchronous
 * context that its item runs in (`inShard`), so that policies and samplers need not know of shards.
 */
export class SharedLedger implements Ledger {
  readonly job: string
  #database: Database
  #contexts = new AsyncLocalStorage<ShardContext>()
  #spent: Usage = NO_USAGE
  #others: Usage = NO_USAGE
  #history: History = {
    spent: NO_USAGE,
    attempts: { sent: 0, kept: 0, partial: 0, failed: 0, aborted: 0 },
    failures: {},
  }
  #seq = 0
  #settles: Settle[] = []
  #results: Finished[] = []
  #asks: Ask[] = []
  #waiters: Waiter[] = []
  #running: Promise<void> | undefined
  /** When the last exchange began. */
  #began = Number.NEGATIVE_INFINITY

  constructor(database: Database, job: string) {
    this.#database = database
    this.job = job
  }

  get spent(): Usage {
    return addUsage(this.#others, this.#spent)
  }

  /** What other jobs of the same run have spent counts as spent from now on. */
  countOthers(usage: Usage): void {
    this.#others = usage
  }

  /** Asks for the bill of the whole job, of which this process hears with its calls else. */
  refresh(): Promise<void> {
    return this.#written()
  }

  /** What an earlier job of the same run has paid for is known to the shard that this is called in. */
  lend(completions: Completions): void {
    this.#context().known = completions
  }

  /** Everything that the work calls, at any depth, belongs to the shard. */
  inShard<T>(context: ShardContext, work: () => Promise<T>): Promise<T> {
    return this.#contexts.run(context, work)
  }

  find<A>(key: string, from: number, count: number): Map<number, Kept<A>> {
    const found = new Map<number, Kept<A>>()
    const context = this.#contexts.getStore()
    const own = context?.completions.get(key)
    const lent = context?.known?.get(key)
    if (!own && !lent) return found
    for (let i = from; i < from + count; i++) {
      const kept = own?.get(i) ?? lent?.get(i)
      // Written by `settle` of the same key, which holds the sampler's identity.
      if (kept) found.set(i, kept as Kept<A>)
    }
    return found
  }

  async send({ key, samples, attempt, expected }: Call, stopped: () => Error | undefined): Promise<Sent> {
    const context = this.#context()
    const seq = this.#seq++
    const { promptTokens = 0, completionTokens = 0, cost = 0, calls = 1 } = expected
    const { shard, holder } = context
    const tokens = promptTokens + completionTokens
    const body = { shard, holder, seq, key, first: samples[0] ?? 0, samples: samples.length, attempt }
    for (;;) {
      const reason = stopped()
      if (reason) throw reason
      const { verdict, waitMs } = await this.#ask({ ...body, calls, tokens, cost })
      if (verdict === 'ok') break
      if (verdict !== 'wait') throw refusal(verdict)
      await new Promise((resolve) => setTimeout(resolve, Math.max(ASK_AGAIN_MS, waitMs)))
    }
    this.#history.attempts.sent++
    return {
      settle: (state, usage, asked, kept, code) => {
        this.#count(state, code)
        const known = context.completions.get(key) ?? new Map<number, Kept<unknown>>()
        context.completions.set(key, known)
        kept.forEach((one, i) => {
          known.set(asked[i] ?? -1, { value: one.value, usage: one.usage })
        })
        this.#settles.push({
          shard,
          holder,
          seq,
          calls: usage.calls,
          prompt: usage.promptTokens,
          completion: usage.completionTokens,
          cached: usage.cachedTokens,
          seconds: usage.seconds,
          money: usage.cost ?? null,
          code: code ?? null,
          kept: kept.map(({ value, usage: own }, i) => ({
            sample: asked[i] ?? -1,
            value: JSON.stringify(value),
            usage: JSON.stringify(own),
          })),
        })
        return this.#written()
      },
    }
  }

  /** The result of an item; durable when the promise resolves. A result that is there already stays. */
  put(item: Finished): Promise<void> {
    this.#results.push(item)
    return this.#written()
  }

  /**
   * The planner finds facts, workers read them: two that find the same fact at once both pay, and the first stands.
   */
  async once<T extends { usage: Usage }>(name: string, expected: Partial<Usage>, find: () => Promise<T>): Promise<T> {
    const known = await this.#fact<T>(name)
    if (known) return known
    const context = this.#contexts.getStore() ?? { shard: -1, holder: randomUUID(), completions: new Map() }
    return await this.#contexts.run(context, async () => {
      const sent = await this.send({ key: name, samples: [], attempt: 1, expected }, () => undefined)
      try {
        const fact = await find()
        await this.#database.query(
          'INSERT INTO gradus.facts (job, name, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
          [this.job, name, JSON.stringify(fact)],
        )
        await sent.settle('kept', fact.usage, [], [])
        return (await this.#fact<T>(name)) ?? fact
      } catch (error) {
        const { code, usage } = asFault(error)
        await sent.settle('failed', { ...NO_USAGE, ...usage, calls: 1 }, [], [], code)
        throw error
      }
    })
  }

  /** Of this process; the bill of the whole job is in the database. */
  history(): History {
    return { ...this.#history, spent: this.spent }
  }

  close(): void {}

  /** Resolves when nothing is waiting to be written. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #fact<T>(name: string): Promise<T | null> {
    const [row] = await this.#database.query('SELECT value FROM gradus.facts WHERE job = $1 AND name = $2', [
      this.job,
      name,
    ])
    // Written by `once` under the same name.
    return typeof row?.['value'] === 'string' ? (JSON.parse(row['value']) as T) : null
  }

  #context(): ShardContext {
    const context = this.#contexts.getStore()
    if (!context) throw new GradusError('GRD-CORE-001', { found: 'a call outside of every shard' })
    return context
  }

  #count(state: Exclude<AttemptState, 'sent'>, code: ErrorCode | undefined): void {
    this.#history.attempts.sent--
    this.#history.attempts[state]++
    if (code) this.#history.failures[code] = (this.#history.failures[code] ?? 0) + 1
  }

  #ask(body: Record<string, unknown>): Promise<{ verdict: string; waitMs: number }> {
    return new Promise((resolve, reject) => {
      this.#asks.push({ body, resolve, reject })
      this.#start()
    })
  }

  #written(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve: () => resolve(), reject })
      this.#start()
    })
  }

  #start(): void {
    const wait = this.#began + GATHER_MS - performance.now()
    // What comes meanwhile goes along, at least what comes in the same turn of the event loop.
    this.#running ??= new Promise<void>((resolve) => (wait > 1 ? setTimeout(resolve, wait) : setImmediate(resolve)))
      .then(() => this.#exchange())
      .finally(() => {
        this.#running = undefined
        if (this.#settles.length + this.#results.length + this.#asks.length > 0) this.#start()
      })
  }

  async #exchange(): Promise<void> {
    const settles = this.#settles.splice(0)
    const results = this.#results.splice(0)
    const asks = this.#asks.splice(0)
    const waiters = this.#waiters.splice(0)
    this.#began = performance.now()
    try {
      const [row] = await this.#database.query('SELECT * FROM gradus.exchange($1, $2, $3, $4)', [
        this.job,
        JSON.stringify(settles),
        JSON.stringify(results),
        JSON.stringify(asks.map((ask, n) => ({ n, ...ask.body }))),
      ])
      const spent = Spent.safeParse(JSON.parse(String(row?.['spent'] ?? 'null')))
      if (!spent.success) throw new GradusError('GRD-RUN-006', { found: this.job })
      const { cost, ...counted } = spent.data
      this.#spent = cost === null ? counted : { ...counted, cost }
      const verdicts = row?.['verdicts']
      const waitMs = Number(row?.['wait_ms'] ?? 0)
      asks.forEach((ask, i) => {
        ask.resolve({ verdict: Array.isArray(verdicts) ? String(verdicts[i]) : 'halted', waitMs })
      })
      for (const waiter of waiters) waiter.resolve({ verdict: 'ok', waitMs })
    } catch (error) {
      for (const waiter of [...asks, ...waiters]) waiter.reject(error)
    }
  }
}

function refusal(verdict: string): GradusError {
  if (verdict === 'over') {
    return new GradusError('GRD-RUN-001', {
      found: 'what is left of the budget is too little for the next call',
      try: ['the same command with a larger budget: what is paid for is kept'],
    })
  }
  if (verdict === 'fenced') return new GradusError('GRD-RUN-007', { found: 'the shard of this call' })
  return new GradusError('GRD-RUN-005', { found: 'the job was paused or stopped' })
}
