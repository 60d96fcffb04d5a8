/** How a call ended, as far as the endpoint's capacity is concerned. */
export type SlotOutcome = 'ok' | 'overloaded' | 'other'

export interface Slot {
  /** @param waitMs how long the endpoint asked everyone to wait */
  release(outcome: SlotOutcome, waitMs?: number): void
}

/** First limit of an unknown endpoint: small servers stay unharmed, and doubling reaches 256 after five answers. */
const FIRST_LIMIT = 8
/**
 * At the last known ceiling one more slot is tried once in so many round trips; one refusal in 8 rounds costs little.
 */
const PROBE_ROUNDS = 8

/**
 * How many calls may be under way at one endpoint, learnt from its refusals.
 *
 * Starts small and doubles each round trip until something is refused. Every refusal lowers the limit to the number of
 * calls still under way: at a server with a fixed number of slots that is exactly its capacity, in a storm it falls to
 * 1. The limit then grows again: doubling up to half the last ceiling, by one each round trip up to the ceiling, slowly
 * and then ever faster beyond it. A wait that the endpoint asks for stops all starts until it is over.
 */
export class Limiter {
  readonly max: number
  #limit: number
  #ceiling = Number.POSITIVE_INFINITY
  #fallingFrom: number | undefined
  #inFlight = 0
  #pausedUntil = 0
  #starts = 0
  /** The last start that used up the limit: a limit that was never reached is no reason to raise it. */
  #lastFull = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #queue: { start(): void; fail(error: unknown): void }[] = []
  #head = 0
  #closed: unknown

  constructor(max: number) {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`concurrency ${max}`)
    this.max = max
    this.#limit = Math.min(max, FIRST_LIMIT)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get waiting(): number {
    return this.#queue.length - this.#head
  }

  /** Resolves when the call may start, first come first served; rejects with the reason once the limiter is closed. */
  acquire(signal?: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed)
      if (signal?.aborted) return reject(signal.reason)
      let gone = false
      const onAbort = (): void => {
        gone = true
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push({
        start: () => {
          signal?.removeEventListener('abort', onAbort)
          if (gone) return
          this.#inFlight++
          resolve(this.#slot())
        },
        fail: (error) => {
          signal?.removeEventListener('abort', onAbort)
          reject(error)
        },
      })
      this.#fill()
    })
  }

  /** Starts nothing more: all who wait and all who come later get the reason. */
  close(reason: unknown): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    clearTimeout(this.#timer)
    const waiting = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    for (const one of waiting) one.fail(reason)
  }

  #slot(): Slot {
    const start = ++this.#starts
    if (this.#inFlight >= this.limit) this.#lastFull = start
    let open = true
    return {
      release: (outcome, waitMs = 0) => {
        if (!open) return
        open = false
        this.#inFlight--
        if (outcome === 'overloaded') this.#shrink()
        else if (outcome === 'ok' && this.#lastFull >= start) this.#grow()
        if (waitMs > 0) this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + waitMs)
        this.#fill()
      },
    }
  }

  #shrink(): void {
    const left = Math.max(1, this.#inFlight)
    if (left >= this.#limit) return
    this.#fallingFrom ??= this.#limit
    this.#limit = left
    // A storm says little about capacity: at most half of what went well before is forgotten.
    this.#ceiling = Math.max(left, this.#fallingFrom / 2)
  }

  #grow(): void {
    this.#fallingFrom = undefined
    if (this.#limit >= this.max) return
    const round = 1 / this.#limit
    const beyond = this.#limit - this.#ceiling
    const step = this.#limit < this.#ceiling / 2 ? 1 : beyond < 0 ? round : (round * Math.max(1, beyond)) / PROBE_ROUNDS
    this.#limit = Math.min(this.max, this.#limit + step)
  }

  #fill(): void {
    const wait = this.#pausedUntil - performance.now()
    if (wait > 0) {
      if (this.#timer === undefined && this.waiting > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined
          this.#fill()
        }, Math.ceil(wait))
      }
      return
    }
    while (this.#inFlight < this.limit && this.#head < this.#queue.length) {
      this.#queue[this.#head++]?.start()
    }
    if (this.#head > 1_000 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}
