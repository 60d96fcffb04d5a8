import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Batcher } from './batcher.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** Doubles numbers, `takes` milliseconds a batch, and remembers the batches. */
function doubling(takes: number): { batcher: Batcher<number, number>; batches: number[][] } {
  const batches: number[][] = []
  const batcher = new Batcher<number, number>(async (calls) => {
    batches.push([...calls])
    await new Promise((resolve) => setTimeout(resolve, takes))
    return calls.map((n) => 2 * n)
  })
  return { batcher, batches }
}

describe('Batcher', () => {
  it('hands on together what comes within 4 ms, and what comes meanwhile as the next batch', async () => {
    const { batcher, batches } = doubling(20)
    const answers = [batcher.ask(1)]
    await vi.advanceTimersByTimeAsync(3)
    answers.push(batcher.ask(2))
    await vi.advanceTimersByTimeAsync(10)
    answers.push(batcher.ask(3), batcher.ask(4))
    await vi.runAllTimersAsync()
    expect(await Promise.all(answers)).toEqual([2, 4, 6, 8])
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it('waits no longer than the last batch took', async () => {
    const quick = doubling(0)
    const slow = doubling(20)
    for (const { batcher } of [quick, slow]) {
      const first = batcher.ask(1)
      await vi.runAllTimersAsync()
      await first
      void batcher.ask(2)
    }
    await vi.advanceTimersByTimeAsync(1)
    expect(quick.batches).toEqual([[1], [2]])
    expect(slow.batches).toEqual([[1]])
    await vi.advanceTimersByTimeAsync(4)
    expect(slow.batches).toEqual([[1], [2]])
  })

  it('tries each call of a batch that fails alone', async () => {
    const batcher = new Batcher<number, number>(async (calls) => {
      if (calls.includes(13)) throw new RangeError('thirteen')
      return calls.map((n) => 2 * n)
    })
    const answers = Promise.allSettled([1, 13, 2].map((n) => batcher.ask(n)))
    await vi.runAllTimersAsync()
    expect((await answers).map((a) => (a.status === 'fulfilled' ? a.value : String(a.reason)))).toEqual([
      2,
      'RangeError: thirteen',
      4,
    ])
  })

  it('refuses more than may wait', async () => {
    const batcher = new Batcher<number, number>(async (calls) => [...calls], 1)
    const first = batcher.ask(1)
    await expect(batcher.ask(2)).rejects.toThrow(RangeError)
    await vi.runAllTimersAsync()
    expect(await first).toBe(1)
  })
})
