/**
 * Does the work for every job, at most `window` begun and not yet handed on, and yields the results in the order of
 * the jobs, each as soon as it and all before it are there.
 *
 * A job that takes long holds results back but not the work behind it, up to the window. When the reader leaves, the
 * jobs are closed; work that is under way is left to end by itself.
 * @param stopped asked before each job is taken
 * @throws what the jobs or the work throw, at the place of the job
 */
export async function* ordered<J, R>(
  jobs: Iterable<J> | AsyncIterable<J>,
  work: (job: J) => Promise<R>,
  window: number,
  stopped: () => boolean = () => false,
): AsyncGenerator<R, void, void> {
  const iterator = Symbol.asyncIterator in jobs ? jobs[Symbol.asyncIterator]() : jobs[Symbol.iterator]()
  const begun: Promise<R>[] = []
  let ended = false
  let failure: { error: unknown } | undefined
  let wakeReader = (): void => undefined
  let wakeTaker = (): void => undefined

  async function take(): Promise<void> {
    try {
      while (!ended && !stopped()) {
        const next = await iterator.next()
        if (next.done || ended) break
        const result = work(next.value)
        // The reader may leave before it comes to this one.
        result.catch(() => undefined)
        begun.push(result)
        wakeReader()
        while (begun.length >= window && !ended) await new Promise<void>((resolve) => (wakeTaker = resolve))
      }
    } catch (error) {
      failure = { error }
    }
    ended = true
    wakeReader()
  }

  void take()
  try {
    for (;;) {
      const first = begun[0]
      if (first) {
        const result = await first
        begun.shift()
        wakeTaker()
        yield result
      } else if (ended) {
        if (failure) throw failure.error
        return
      } else {
        await new Promise<void>((resolve) => (wakeReader = resolve))
      }
    }
  } finally {
    ended = true
    wakeTaker()
    await iterator.return?.()
  }
}
