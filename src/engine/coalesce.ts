/** One piece of work under way that several callers may wait for. */
export class Flight<T> {
  readonly done: Promise<T>
  #controller = new AbortController()
  #waiting = 0

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.done = start(this.#controller.signal)
    // Every caller may have left; whoever stays sees the rejection through `wait`.
    this.done.catch(() => undefined)
  }

  /** Waits for the result; the work itself is given up when the last caller has left. */
  wait(signal?: AbortSignal): Promise<T> {
    this.#waiting++
    if (!signal) return this.done
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (--this.#waiting === 0) this.#controller.abort(signal.reason)
        reject(signal.reason)
      }
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      this.done.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }
}

/** Work under way by name, so that the same thing is never asked for twice at the same time. */
export class Flights<T> {
  #open = new Map<string, Flight<T>>()

  get size(): number {
    return this.#open.size
  }

  get(name: string): Flight<T> | undefined {
    return this.#open.get(name)
  }

  /** Starts the work under all of the names; they are free again when it has ended. */
  open(names: readonly string[], start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const flight = new Flight(start)
    for (const name of names) this.#open.set(name, flight)
    const land = (): void => {
      for (const name of names) if (this.#open.get(name) === flight) this.#open.delete(name)
    }
    flight.done.then(land, land)
    return flight
  }

  abortAll(reason: unknown): void {
    for (const flight of new Set(this.#open.values())) flight.abort(reason)
  }
}
