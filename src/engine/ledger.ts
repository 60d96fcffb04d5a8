import type { ErrorCode } from '../core/errors.ts'
import type { Usage } from '../core/words.ts'
import { NO_USAGE } from '../core/words.ts'
import type { BudgetLimits, Reservation } from './budget.ts'
import { Budget } from './budget.ts'
import { Cache, type Kept } from './cache.ts'
import { type AttemptState, type History, Journal } from './journal.ts'
import { Store } from './store.ts'

/** A request that is about to go out. */
export interface Call {
  /** `sampleKey` of sampler and request. */
  key: string
  /** Sample indices asked for. */
  samples: readonly number[]
  /** From 1. */
  attempt: number
  /** Upper estimate, reserved while the call runs. */
  expected: Partial<Usage>
}

export interface Sent {
  /**
   * What the call came to, with what it brought; durable when the promise resolves. Whatever is sent later is written
   * after it.
   */
  settle<A>(
    state: Exclude<AttemptState, 'sent'>,
    usage: Usage,
    samples: readonly number[],
    kept: readonly Kept<A>[],
    code?: ErrorCode,
  ): Promise<void>
}

/** Where an engine keeps what it has paid for, and asks whether it may pay for more. */
export interface Ledger {
  /** By the whole run, as far as this process knows. */
  readonly spent: Usage
  /** The kept samples with index in [from, from + count), in order. */
  find<A>(key: string, from: number, count: number): Map<number, Kept<A>>
  /**
   * Resolves when the request may go out: it fits the budget, and that it went out is durable.
   * @param stopped asked after every wait
   * @throws GradusError GRD-RUN-* when it may not
   */
  send(call: Call, stopped: () => Error | undefined): Promise<Sent>
  /**
   * A fact that is found out once a run, at a cost (a capability probe), and known ever after.
   * @param find must give a plain JSON value
   */
  once<T extends { usage: Usage }>(name: string, expected: Partial<Usage>, find: () => Promise<T>): Promise<T>
  history(): History
  close(): void
}

export interface LocalLedgerOptions {
  /** File of journal and cache; without one nothing outlives the process. */
  path?: string
  /** Name of the run in the journal: spending adds up over all processes that use it; without one none does. */
  run?: string
  budget?: BudgetLimits
  /** Samples remembered where there is no file, for a process that runs for ever; all where absent. */
  remember?: number
}

/** Journal, cache and budget of one machine, in one SQLite file. */
export class LocalLedger implements Ledger {
  #store: Store
  #cache: Cache
  #journal: Journal
  #budget: Budget
  /** Facts whose cost is in the budget of this process. */
  #charged = new Set<string>()

  constructor({ path, run, budget, remember }: LocalLedgerOptions) {
    this.#store = new Store(path)
    this.#cache = new Cache(this.#store, path === undefined ? remember : undefined)
    this.#journal = new Journal(this.#store, run ?? '')
    this.#budget = new Budget(budget, run === undefined ? NO_USAGE : this.#journal.history().spent)
  }

  get spent(): Usage {
    return this.#budget.spent
  }

  find<A>(key: string, from: number, count: number): Map<number, Kept<A>> {
    return this.#cache.find<A>(key, from, count)
  }

  async send({ key, samples, attempt, expected }: Call, stopped: () => Error | undefined): Promise<Sent> {
    let reservation: Reservation | undefined
    try {
      reservation = await this.#budget.reserve(expected)
      // The wait for the budget may have outlived the run.
      const reason = stopped()
      if (reason) throw reason
      const entry = await this.#journal.sent(key, samples, attempt)
      const reserved = reservation
      return {
        settle: (state, usage, asked, kept, code) => {
          entry.settle(state, usage, code)
          const durable = this.#cache.keep(key, asked, kept)
          reserved.settle(usage)
          return durable
        },
      }
    } catch (refused) {
      reservation?.settle(NO_USAGE)
      throw refused
    }
  }

  async once<T extends { usage: Usage }>(name: string, expected: Partial<Usage>, find: () => Promise<T>): Promise<T> {
    let fresh = false
    const fact = await this.#journal.once(name, async () => {
      fresh = true
      const reservation = await this.#budget.reserve(expected)
      let usage = NO_USAGE
      try {
        const found = await find()
        usage = found.usage
        return found
      } finally {
        reservation.settle(usage)
      }
    })
    if (!fresh && !this.#charged.has(name)) this.#budget.charge(fact.usage)
    this.#charged.add(name)
    return fact
  }

  history(): History {
    return this.#journal.history()
  }

  close(): void {
    this.#store.close()
  }
}
