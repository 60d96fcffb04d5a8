import { GradusError } from '../core/errors.ts'
import { canonicalJson, contentHash } from '../core/hash.ts'
import type { Usage } from '../core/words.ts'
import { NO_USAGE } from '../core/words.ts'
import type { Flight } from './coalesce.ts'
import { Flights } from './coalesce.ts'
import { sleep, withDeadline } from './deadline.ts'
import { asFault, Fault } from './fault.ts'
import type { History } from './journal.ts'
import { type Ledger, LocalLedger, type LocalLedgerOptions, type Sent } from './ledger.ts'
import type { Slot } from './limiter.ts'
import { Limiter } from './limiter.ts'
import { ordered } from './ordered.ts'
import type { RetryRule } from './retry.ts'
import { isHopeless, RETRY, waitBeforeRetry } from './retry.ts'
import type { Sampler } from './sampler.ts'

export interface EngineOptions extends LocalLedgerOptions {
  /** Journal, cache and budget of a run on several machines, instead of `path`, `run` and `budget`. */
  ledger?: Ledger
  /** Calls under way at most, for each pool whose sampler does not say. */
  concurrency?: number
  /** Longest time of one call, seconds. */
  deadline?: number
  retry?: RetryRule
  /**
   * Milliseconds after which an endpoint that was given up (not reached, key refused, quota used up) is asked again; never
   * where not given: a run ends by then, a server goes on.
   */
  reopenMs?: number
}

/** One sample: the result with what it cost when it was paid for, or why there is none. */
export type Outcome<A> =
  | { ok: true; value: A; usage: Usage; from: 'call' | 'cache' | 'flight' }
  | { ok: false; error: GradusError }

/** asked = cached + shared + kept + failed + unfinished, once nothing is under way. */
export interface Counts {
  /** Samples asked for. */
  asked: number
  /** Found in the cache. */
  cached: number
  /** Were already under way for someone else. */
  shared: number
  /** Paid for now and kept. */
  kept: number
  /** Given up, by error code. */
  failed: Record<string, number>
  /** Not started or not finished because the run ended. */
  unfinished: number
  /** Requests sent now, with retries. */
  requests: number
  /** Requests beyond the first for the same samples. */
  retries: number
}

/** As many as a small server takes without queueing and a large one needs for a start. */
const CONCURRENCY = 64
/** `reopenMs` of servers: a restarted endpoint is back soon, one that stays away costs little. */
export const SERVER_REOPEN_MS = 10_000
/** Ten minutes: long reasoning at slow servers ends within it. */
const DEADLINE_SECONDS = 600

/**
 * Whoever needs model answers asks here, and nothing is paid for twice.
 *
 * A sample is looked up in the cache, then among those under way; only then is it bought: within the budget, within
 * what the endpoint can take, with retries for what may pass. It is on disk before the caller sees it.
 */
export class Engine {
  /** What the run has spent, over all its sessions. */
  readonly budget: Pick<Ledger, 'spent'>
  readonly counts: Counts = {
    asked: 0,
    cached: 0,
    shared: 0,
    kept: 0,
    failed: {},
    unfinished: 0,
    requests: 0,
    retries: 0,
  }
  readonly concurrency: number
  #ledger: Ledger
  #flights = new Flights<Map<number, Outcome<unknown>>>()
  #pools = new Map<string, Pool>()
  #deadline: number
  #retry: RetryRule
  #reopenMs: number
  #halt = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @throws GradusError GRD-RUN-003 when the file is no store, GRD-CLI-002 for a budget or concurrency not above 0 */
  constructor(options: EngineOptions = {}) {
    this.concurrency = options.concurrency ?? CONCURRENCY
    if (!Number.isInteger(this.concurrency) || this.concurrency < 1) {
      throw new GradusError('GRD-CLI-002', {
        found: `${this.concurrency} calls under way`,
        expected: 'a whole number above 0',
      })
    }
    this.#deadline = options.deadline ?? DEADLINE_SECONDS
    this.#retry = options.retry ?? RETRY
    this.#reopenMs = options.reopenMs ?? Number.POSITIVE_INFINITY
    this.#ledger = options.ledger ?? new LocalLedger(options)
    this.budget = this.#ledger
    const seconds = options.budget?.seconds
    if (seconds !== undefined) {
      this.#timer = setTimeout(() => {
        this.abort(
          new GradusError('GRD-RUN-001', {
            found: `${seconds.toLocaleString('en-US')} seconds are over`,
            try: ['run again: what is paid for is kept'],
          }),
        )
      }, seconds * 1000)
      this.#timer.unref()
    }
  }

  /** Why nothing new is started any more. */
  get stopped(): GradusError | undefined {
    return this.#halt.signal.reason instanceof GradusError ? this.#halt.signal.reason : undefined
  }

  /** Calls under way over all pools. */
  get inFlight(): number {
    return [...this.#pools.values()].reduce((sum, pool) => sum + pool.limiter.inFlight, 0)
  }

  /**
   * Samples `from` to `from + count - 1` of the request, in order; never rejects for what a model or a budget does.
   * @throws the signal's reason when the caller leaves
   */
  async sample<Q, A>(
    sampler: Sampler<Q, A>,
    request: Q,
    options: { from?: number; count?: number; signal?: AbortSignal } = {},
  ): Promise<Outcome<A>[]> {
    const { from = 0, count = 1, signal } = options
    const key = sampleKey(sampler, request)
    this.counts.asked += count
    const cached = this.#ledger.find<A>(key, from, count)
    this.counts.cached += cached.size
    if (cached.size === count) return [...cached.values()].map((kept) => ({ ok: true, ...kept, from: 'cache' }))

    const underWay = new Map<Flight<Map<number, Outcome<unknown>>>, number[]>()
    const fresh: number[] = []
    for (let i = from; i < from + count; i++) {
      if (cached.has(i)) continue
      const flight = this.#flights.get(`${key}/${i}`)
      if (flight) underWay.set(flight, [...(underWay.get(flight) ?? []), i])
      else fresh.push(i)
    }
    const bought = chunks(fresh, sampler.perCall(request)).map((samples) =>
      this.#flights.open(
        samples.map((i) => `${key}/${i}`),
        (abort) => this.#buy(sampler, request, key, samples, abort),
      ),
    )
    const outcomes = new Map<number, Outcome<unknown>>()
    for (const [i, kept] of cached) outcomes.set(i, { ok: true, ...kept, from: 'cache' })
    try {
      // All at once: a caller that leaves must leave every flight.
      const landed = await Promise.all([...bought, ...underWay.keys()].map((flight) => flight.wait(signal)))
      for (const own of landed.slice(0, bought.length)) {
        for (const [i, outcome] of own) {
          outcomes.set(i, outcome)
          if (outcome.ok) this.counts.kept++
          else this.#countLoss(outcome.error)
        }
      }
      for (const [at, samples] of [...underWay.values()].entries()) {
        for (const i of samples) {
          const outcome = landed[bought.length + at]?.get(i)
          if (!outcome) continue
          outcomes.set(i, outcome.ok ? { ...outcome, from: 'flight' } : outcome)
          if (outcome.ok) this.counts.shared++
          else this.#countLoss(outcome.error)
        }
      }
    } catch (left) {
      this.counts.unfinished += count - outcomes.size
      throw left
    }
    return Array.from({ length: count }, (_, at) => {
      // A flight holds results of one key, and the key holds the sampler's identity.
      const outcome = outcomes.get(from + at) as Outcome<A> | undefined
      if (!outcome) throw new GradusError('GRD-CORE-001', { found: `no outcome for sample ${from + at}` })
      return outcome
    })
  }

  /**
   * Does the work for every job, several at a time, results in order (`ordered.ts`). No new job is taken once the
   * engine has stopped; those begun are finished.
   */
  each<J, R>(
    jobs: Iterable<J> | AsyncIterable<J>,
    work: (job: J) => Promise<R>,
    window = 4 * this.concurrency,
  ): AsyncGenerator<R, void, void> {
    return ordered(jobs, work, window, () => this.stopped !== undefined)
  }

  /** Starts nothing more; what is under way is finished and kept. The first reason stands. */
  stop(reason: GradusError): void {
    if (this.#halt.signal.aborted) return
    this.#halt.abort(reason)
    for (const pool of this.#pools.values()) pool.limiter.close(reason)
  }

  /** Stops, and gives up what is under way too. */
  abort(reason: GradusError): void {
    this.stop(reason)
    this.#flights.abortAll(reason)
  }

  history(): History {
    return this.#ledger.history()
  }

  /** A fact that is found out once a run, within the budget, and read from the journal ever after. */
  once<T extends { usage: Usage }>(name: string, expected: Partial<Usage>, find: () => Promise<T>): Promise<T> {
    return this.#ledger.once(name, expected, find)
  }

  /** Writes what is waiting and lets go of the file; anything still under way is given up. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.abort(new GradusError('GRD-RUN-002', { found: 'the engine was closed' }))
    // Aborted calls settle in the journal within one turn.
    while (this.#flights.size > 0) await new Promise((resolve) => setImmediate(resolve))
    this.#ledger.close()
  }

  #countLoss(error: GradusError): void {
    if (error.code.startsWith('GRD-RUN-')) this.counts.unfinished++
    else this.counts.failed[error.code] = (this.counts.failed[error.code] ?? 0) + 1
  }

  #pool(name: string, concurrency: number): Pool {
    let pool = this.#pools.get(name)
    const again = pool?.givenUpAt !== undefined && performance.now() - pool.givenUpAt >= this.#reopenMs
    if (!pool || again) {
      pool = { limiter: new Limiter(concurrency), misses: 0, missedAt: Number.NEGATIVE_INFINITY }
      if (this.stopped) pool.limiter.close(this.stopped)
      this.#pools.set(name, pool)
    }
    return pool
  }

  /** Buys the samples of one chunk, one call after the other until all are there or it is hopeless. */
  async #buy<Q, A>(
    sampler: Sampler<Q, A>,
    request: Q,
    key: string,
    samples: readonly number[],
    abort: AbortSignal,
  ): Promise<Map<number, Outcome<A>>> {
    const outcomes = new Map<number, Outcome<A>>()
    const pool = this.#pool(sampler.pool, sampler.concurrency ?? this.concurrency)
    let missing = samples
    let attempt = 0
    const failures = new Map<string, number>()
    while (missing.length > 0) {
      attempt++
      const { kept, fault, final } = await this.#attempt(sampler, request, key, missing, attempt, pool, abort)
      kept.forEach((outcome, at) => {
        outcomes.set(missing[at] ?? -1, outcome)
      })
      missing = missing.slice(kept.length)
      if (!fault || missing.length === 0) continue
      // A call that brought something is progress: only failures in a row count.
      if (kept.length > 0) failures.clear()
      const times = (failures.get(fault.code) ?? 0) + 1
      failures.set(fault.code, times)
      // One that cannot be reached is waited for by all together, in #release.
      if (fault.code === 'GRD-CALL-001' && !final) continue
      const wait = final ? null : waitBeforeRetry(fault, times, `${key}/${missing[0]}`, this.#retry)
      if (wait !== null) await sleep(wait, this.#halt.signal)
      const error = wait === null ? fault : (this.stopped ?? (abort.aborted ? interruption(abort.reason) : undefined))
      if (error === undefined) continue
      for (const i of missing) outcomes.set(i, { ok: false, error })
      break
    }
    return outcomes
  }

  /** One call: what it brought is on disk when the promise resolves. */
  async #attempt<Q, A>(
    sampler: Sampler<Q, A>,
    request: Q,
    key: string,
    samples: readonly number[],
    attempt: number,
    pool: Pool,
    abort: AbortSignal,
  ): Promise<Attempted<A>> {
    let slot: Slot
    try {
      slot = await pool.limiter.acquire(abort)
    } catch (closed) {
      return { kept: [], fault: interruption(closed), final: true }
    }
    let sent: Sent
    try {
      const expected = { ...sampler.expect(request, samples.length), calls: 1 }
      sent = await this.#ledger.send({ key, samples, attempt, expected }, () => this.stopped)
    } catch (refused) {
      if (refused instanceof GradusError && refused.code !== 'GRD-RUN-007') this.stop(refused)
      slot.release('other')
      return { kept: [], fault: asFault(refused), final: true }
    }
    this.counts.requests++
    if (attempt > 1) this.counts.retries++
    const startedAt = performance.now()
    const { values, usage, fault } = await this.#send(sampler, request, samples, abort)
    const shares = share(usage, values.length)
    const kept = values.map((value, i): Paid<A> => ({ ok: true, value, usage: shares[i] ?? NO_USAGE, from: 'call' }))
    const state = abort.aborted ? 'aborted' : !fault ? 'kept' : kept.length > 0 ? 'partial' : 'failed'
    const durable = sent.settle(state, usage, samples, kept, fault?.code)
    // Before the commit: the row of the next call is written after these, so it cannot go out before they are durable.
    this.#release(pool, slot, startedAt, fault)
    try {
      await durable
      return fault ? { kept, fault } : { kept }
    } catch (broken) {
      // Going on would pay for what cannot be kept.
      if (broken instanceof GradusError) this.stop(broken)
      return { kept: [], fault: asFault(broken), final: true }
    }
  }

  /** Tells the limiter how the endpoint fares, and closes the pool where no further call makes sense. */
  #release(pool: Pool, slot: Slot, startedAt: number, fault: Fault | undefined): void {
    let pause = fault?.retryAfterMs
    if (fault?.code === 'GRD-CALL-001') {
      // Calls that were under way together are one miss: it takes time for a server to come back.
      if (startedAt > pool.missedAt) pool.misses++
      pool.missedAt = performance.now()
      pause = waitBeforeRetry(fault, pool.misses, 'unreachable', this.#retry) ?? undefined
      if (pause === undefined) giveUp(pool, fault)
    } else {
      pool.misses = 0
      if (fault && isHopeless(fault, this.#retry)) giveUp(pool, fault)
    }
    const full = fault?.code === 'GRD-CALL-003' || fault?.code === 'GRD-CALL-001'
    slot.release(!fault ? 'ok' : full ? 'overloaded' : 'other', pause)
  }

  /** Over the wire, within the deadline; a failure is an answer without values. */
  async #send<Q, A>(
    sampler: Sampler<Q, A>,
    request: Q,
    samples: readonly number[],
    abort: AbortSignal,
  ): Promise<{ values: A[]; usage: Usage; fault?: Fault }> {
    const started = performance.now()
    const spent = (usage: Partial<Usage>): Usage => {
      return { ...NO_USAGE, ...usage, calls: 1, seconds: exactSeconds(performance.now() - started) }
    }
    try {
      const answer = await withDeadline((signal) => sampler.call(request, samples, signal), this.#deadline, abort)
      const values = answer.values.slice(0, samples.length)
      const few = values.length < samples.length
      const fault =
        answer.fault ??
        (few
          ? new Fault('GRD-CALL-008', { found: String(values.length), expected: String(samples.length) })
          : undefined)
      return { values, usage: spent(answer.usage), ...(fault && { fault }) }
    } catch (thrown) {
      const fault = abort.aborted ? interruption(abort.reason) : asFault(thrown)
      return { values: [], usage: spent(fault.usage), fault }
    }
  }
}

/** Calls to one endpoint. */
interface Pool {
  limiter: Limiter
  /** How often in a row the endpoint could not be reached, and when it was last. */
  misses: number
  missedAt: number
  /** When the endpoint was given up; absent while it is asked. */
  givenUpAt?: number
}

function giveUp(pool: Pool, fault: Fault): void {
  pool.limiter.close(fault)
  pool.givenUpAt ??= performance.now()
}

type Paid<A> = Extract<Outcome<A>, { ok: true }>

interface Attempted<A> {
  kept: Paid<A>[]
  fault?: Fault
  /** No further attempt makes sense, whatever the fault is. */
  final?: boolean
}

/** Why a call was given up: the run's own reason, or that its callers left. */
function interruption(reason: unknown): Fault {
  return reason instanceof GradusError ? asFault(reason) : new Fault('GRD-RUN-002', { cause: reason })
}

const identities = new WeakMap<object, string>()

/** Content hash of who is asked and what; with the sample index it names a completion for ever. */
export function sampleKey<Q, A>(sampler: Sampler<Q, A>, request: Q): string {
  let identity = identities.get(sampler)
  if (identity === undefined) {
    identity = canonicalJson(sampler.identity)
    identities.set(sampler, identity)
  }
  return contentHash([identity, request])
}

/** Groups cut at multiples of the size, so that a resumed run asks in the same groups as an undisturbed one. */
function chunks(samples: readonly number[], size: number): number[][] {
  const groups = new Map<number, number[]>()
  for (const i of samples) {
    const group = Math.floor(i / Math.max(1, size))
    const members = groups.get(group)
    if (members) members.push(i)
    else groups.set(group, [i])
  }
  return [...groups.values()]
}

/**
 * Seconds in steps of 2^-20: such numbers add up without rounding, so that a bill is the same to the last digit in
 * whichever order its calls are summed.
 */
function exactSeconds(milliseconds: number): number {
  return Math.round((milliseconds / 1000) * 2 ** 20) / 2 ** 20
}

/** Splits what a call cost over its samples; the shares add up to the whole, remainders go to the first. */
function share(usage: Usage, n: number): Usage[] {
  const part = (total: number, i: number): number => Math.floor(total / n) + (i === 0 ? total % n : 0)
  return Array.from({ length: n }, (_, i) => ({
    calls: i === 0 ? 1 : 0,
    promptTokens: part(usage.promptTokens, i),
    completionTokens: part(usage.completionTokens, i),
    cachedTokens: part(usage.cachedTokens, i),
    seconds: usage.seconds / n,
    ...(usage.cost !== undefined && { cost: usage.cost / n }),
  }))
}
