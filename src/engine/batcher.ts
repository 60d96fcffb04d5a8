/**
 * Longest time that a call waits for others to share its batch with; far below one step of a transformer. It never waits
 * longer than the last batch took: where a model is as fast as that, waiting would be most of the answer's time.
 */
const WAIT_MS = 4
const MAX_BATCH = 128

/**
 * Gathers calls that arrive together and hands them on as one; one batch is under way at a time, the next gathers
 * meanwhile.
 * @throws RangeError when more than `limit` calls wait
 */
export class Batcher<Q, A> {
  #waiting: { call: Q; resolve: (answer: A) => void; reject: (reason: unknown) => void }[] = []
  #running = false
  #lastMs = WAIT_MS
  readonly #run: (calls: readonly Q[]) => Promise<readonly A[]>
  readonly #limit: number

  constructor(run: (calls: readonly Q[]) => Promise<readonly A[]>, limit = 4_096) {
    this.#run = run
    this.#limit = limit
  }

  ask(call: Q): Promise<A> {
    if (this.#waiting.length >= this.#limit) return Promise.reject(new RangeError(`${this.#limit} calls are waiting`))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject })
      if (!this.#running) {
        this.#running = true
        const begin = (): void => void this.#drain()
        if (this.#lastMs < 1) setImmediate(begin)
        else setTimeout(begin, Math.min(WAIT_MS, this.#lastMs))
      }
    })
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      const began = performance.now()
      try {
        const answers = await this.#run(batch.map((b) => b.call))
        this.#lastMs = performance.now() - began
        batch.forEach((b, i) => {
          b.resolve(answers[i]!)
        })
      } catch (error) {
        // One bad call must not fail the others: each is tried alone once.
        for (const b of batch) {
          if (batch.length === 1) b.reject(error)
          else await this.#run([b.call]).then(([answer]) => b.resolve(answer!), b.reject)
        }
      }
    }
    this.#running = false
  }
}
