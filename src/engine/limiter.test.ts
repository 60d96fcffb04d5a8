import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Limiter } from './limiter.ts'

/**
 * A server with fixed slots and latency that refuses what it cannot take, in virtual time; returns calls per second.
 */
async function serve(limiter: Limiter, slots: number, seconds: number): Promise<{ rate: number; refused: number }> {
  let working = 0
  let served = 0
  let refused = 0
  const end = performance.now() + seconds * 1000
  async function worker(): Promise<void> {
    while (performance.now() < end) {
      const slot = await limiter.acquire()
      if (working >= slots) {
        refused++
        await wait(2)
        slot.release('overloaded')
        await wait(300)
        continue
      }
      working++
      await wait(100)
      working--
      served++
      slot.release('ok')
    }
  }
  await Promise.all(Array.from({ length: slots * 5 }, worker))
  return { rate: served / seconds, refused }
}
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('limiter', () => {
  it('finds the capacity of a server that refuses, and uses nearly all of it', async () => {
    vi.useFakeTimers()
    try {
      const limiter = new Limiter(256)
      const running = serve(limiter, 64, 20)
      await vi.advanceTimersByTimeAsync(30_000)
      const { rate, refused } = await running
      expect(rate).toBeGreaterThan(0.95 * 640)
      expect(refused).toBeLessThan(0.05 * rate * 20)
    } finally {
      vi.useRealTimers()
    }
  })

  it('never exceeds its maximum, starts in order, and loses no slot, whatever the calls do', async () => {
    const outcome = fc.constantFrom('ok' as const, 'overloaded' as const, 'other' as const)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.array(outcome, { maxLength: 200 }),
        async (max, outcomes) => {
          const limiter = new Limiter(max)
          const started: number[] = []
          await Promise.all(
            outcomes.map(async (how, i) => {
              const slot = await limiter.acquire()
              started.push(i)
              expect(limiter.inFlight).toBeLessThanOrEqual(max)
              await Promise.resolve()
              slot.release(how)
              slot.release(how)
              expect(limiter.limit).toBeGreaterThanOrEqual(1)
              expect(limiter.limit).toBeLessThanOrEqual(max)
            }),
          )
          expect(started).toEqual(outcomes.map((_, i) => i))
          expect(limiter.inFlight).toBe(0)
          expect(limiter.waiting).toBe(0)
        },
      ),
    )
  })

  it('starts nothing before the time that the endpoint asked for', async () => {
    vi.useFakeTimers()
    try {
      const limiter = new Limiter(4)
      const first = await limiter.acquire()
      first.release('overloaded', 2000)
      let startedAt = 0
      const began = performance.now()
      const next = limiter.acquire().then(() => (startedAt = performance.now()))
      await vi.advanceTimersByTimeAsync(5000)
      await next
      expect(startedAt - began).toBeGreaterThanOrEqual(2000)
      expect(startedAt - began).toBeLessThan(2100)
    } finally {
      vi.useRealTimers()
    }
  })

  it('falls to one call at a time in a storm and recovers after it', async () => {
    const limiter = new Limiter(64)
    for (let round = 0; round < 6; round++) {
      const slots = await Promise.all(Array.from({ length: limiter.limit }, () => limiter.acquire()))
      for (const slot of slots) slot.release('ok')
    }
    expect(limiter.limit).toBe(64)
    for (const slot of await Promise.all(Array.from({ length: 64 }, () => limiter.acquire())))
      slot.release('overloaded')
    expect(limiter.limit).toBe(1)
    let rounds = 0
    while (limiter.limit < 64 && rounds < 200) {
      rounds++
      const slots = await Promise.all(Array.from({ length: limiter.limit }, () => limiter.acquire()))
      for (const slot of slots) slot.release('ok')
    }
    expect(rounds).toBeLessThan(60)
  })

  it('tells all who wait, and all who come later, why it was closed', async () => {
    const limiter = new Limiter(1)
    const held = await limiter.acquire()
    const waiting = limiter.acquire()
    limiter.close(new Error('over'))
    await expect(waiting).rejects.toThrow('over')
    await expect(limiter.acquire()).rejects.toThrow('over')
    held.release('ok')
    expect(limiter.inFlight).toBe(0)
  })

  it('passes the slot on when one who waits has left', async () => {
    const limiter = new Limiter(1)
    const held = await limiter.acquire()
    const leaving = new AbortController()
    const left = limiter.acquire(leaving.signal)
    const next = limiter.acquire()
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    held.release('ok')
    ;(await next).release('ok')
    expect(limiter.inFlight).toBe(0)
  })
})
