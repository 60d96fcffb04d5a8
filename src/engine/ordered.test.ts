import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ordered } from './ordered.ts'

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('ordered', () => {
  it('keeps the order and the window, whatever takes how long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 })),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (times, window, isAsync) => {
          let begun = 0
          let handedOn = 0
          async function* slowly() {
            for (const time of times) {
              await Promise.resolve()
              yield time
            }
          }
          const seen: number[] = []
          const work = async (time: number) => {
            begun++
            expect(begun - handedOn).toBeLessThanOrEqual(window + 1)
            if (time > 0) await wait(time - 1)
            return time
          }
          for await (const time of ordered(isAsync ? slowly() : times, work, window)) {
            handedOn++
            seen.push(time)
          }
          expect(seen).toEqual(times)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('hands on what is ready while the next job is still awaited', async () => {
    let second: () => void = () => undefined
    async function* jobs() {
      yield 1
      await new Promise<void>((resolve) => (second = resolve))
      yield 2
    }
    const results = ordered(jobs(), async (job) => job, 8)
    expect((await results.next()).value).toBe(1)
    second()
    expect((await results.next()).value).toBe(2)
    expect((await results.next()).done).toBe(true)
  })

  it('closes the jobs when the reader leaves, and takes no more', async () => {
    let taken = 0
    let closed = false
    function* jobs() {
      try {
        for (;;) yield taken++
      } finally {
        closed = true
      }
    }
    for await (const job of ordered(jobs(), async (job) => job, 4)) if (job === 10) break
    expect(closed).toBe(true)
    const then = taken
    await wait(5)
    expect(taken).toBe(then)
  })

  it('throws what a job or the work throws, after all that came before', async () => {
    const seen: number[] = []
    const read = async (jobs: Iterable<number>, failAt: number) => {
      for await (const job of ordered(
        jobs,
        async (job) => (job === failAt ? Promise.reject(new Error('work')) : job),
        4,
      ))
        seen.push(job)
    }
    await expect(read([0, 1, 2, 3], 2)).rejects.toThrow('work')
    expect(seen).toEqual([0, 1])
    function* failing() {
      yield 5
      throw new Error('jobs')
    }
    await expect(read(failing(), -1)).rejects.toThrow('jobs')
    expect(seen).toEqual([0, 1, 5])
  })
})
