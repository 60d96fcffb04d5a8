import { GradusError } from '../core/errors.ts'
import type { Usage } from '../core/words.ts'
import { addUsage, NO_USAGE } from '../core/words.ts'

/** What a run may spend at most; absent = no limit. */
export interface BudgetLimits {
  /** Requests sent, failed ones included. */
  calls?: number
  /** Prompt and completion tokens together. */
  tokens?: number
  /** Wall time of this process, seconds; time before a resume does not count. */
  seconds?: number
  /** US dollars. */
  cost?: number
}

type Counted = 'calls' | 'tokens' | 'cost'

export interface Reservation {
  /** Replaces the reserved amount by what was really spent. */
  settle(actual: Usage): void
}

/**
 * Lets calls start only while their expected cost still fits.
 *
 * The expected cost is reserved while a call runs, so the limit is exceeded by estimation errors only, and never for
 * calls. When a reservation does not fit beside the running ones, it waits for them; when it would not fit even if they
 * cost nothing, the budget is used up, for good.
 */
export class Budget {
  #spent: Usage
  #reserved = { calls: 0, tokens: 0, cost: 0 }
  #limits: BudgetLimits
  #waiting: (() => void)[] = []
  #exhausted: GradusError | undefined

  /** @param spentBefore what earlier sessions of the same run spent */
  constructor(limits: BudgetLimits = {}, spentBefore: Usage = NO_USAGE) {
    for (const [name, limit] of Object.entries(limits)) {
      if (typeof limit === 'number' && !(limit > 0)) {
        throw new GradusError('GRD-CLI-002', { found: `a budget of ${limit} ${name}`, expected: 'a number above 0' })
      }
    }
    this.#limits = limits
    this.#spent = spentBefore
  }

  get spent(): Usage {
    return this.#spent
  }

  /** Set once the budget is used up. */
  get exhausted(): GradusError | undefined {
    return this.#exhausted
  }

  /** @throws GradusError GRD-RUN-001 when the budget is used up */
  async reserve(expected: Partial<Usage>): Promise<Reservation> {
    const cost = {
      calls: expected.calls ?? 1,
      tokens: (expected.promptTokens ?? 0) + (expected.completionTokens ?? 0),
      cost: expected.cost ?? 0,
    }
    for (;;) {
      if (this.#exhausted) throw this.#exhausted
      const tooMuch = this.#firstExceeded(cost, false)
      if (tooMuch) throw this.#end(tooMuch, cost)
      if (!this.#firstExceeded(cost, true)) break
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#reserve(cost, 1)
    let open = true
    return {
      settle: (actual) => {
        if (!open) return
        open = false
        this.#reserve(cost, -1)
        this.#spent = addUsage(this.#spent, actual)
        const woken = this.#waiting
        this.#waiting = []
        for (const wake of woken) wake()
      },
    }
  }

  /** Counts what an earlier session of the run has paid for outside the journal of requests. */
  charge(usage: Usage): void {
    this.#spent = addUsage(this.#spent, usage)
  }

  #reserve(cost: Record<Counted, number>, sign: 1 | -1): void {
    this.#reserved.calls += sign * cost.calls
    this.#reserved.tokens += sign * cost.tokens
    this.#reserved.cost += sign * cost.cost
  }

  /** The first limit that would be exceeded, with or without the calls still running. */
  #firstExceeded(more: Record<Counted, number>, withRunning: boolean): Counted | undefined {
    const spent = this.#counted()
    for (const name of ['calls', 'tokens', 'cost'] as const) {
      const limit = this.#limits[name]
      if (limit === undefined) continue
      if (spent[name] >= limit) return name
      if (spent[name] + more[name] + (withRunning ? this.#reserved[name] : 0) > limit) return name
    }
    return undefined
  }

  #counted(): Record<Counted, number> {
    const { calls, promptTokens, completionTokens, cost = 0 } = this.#spent
    return { calls, tokens: promptTokens + completionTokens, cost }
  }

  #end(name: Counted, next: Record<Counted, number>): GradusError {
    const say = (value: number): string => {
      return name === 'cost' ? `$${value.toFixed(4)}` : `${value.toLocaleString('en-US')} ${name}`
    }
    this.#exhausted = new GradusError('GRD-RUN-001', {
      found: `${say(this.#counted()[name])} spent, and the next call may need ${say(next[name])}`,
      expected: `at most ${say(this.#limits[name] ?? 0)}`,
      try: ['run again with a larger budget: what is paid for is kept'],
    })
    return this.#exhausted
  }
}
