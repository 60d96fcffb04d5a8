import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from './fault.ts'
import { isHopeless, parseRetryAfter, RETRY, waitBeforeRetry } from './retry.ts'

describe('retries', () => {
  it('wait within the doubling bound, never sooner than asked, and the same for the same name', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.string(),
        (attempt, asked, name) => {
          const fault = new Fault('GRD-CALL-003', { retryAfterMs: asked })
          const wait = waitBeforeRetry(fault, attempt, name) ?? Number.NaN
          expect(wait).toBeGreaterThanOrEqual(asked)
          expect(wait).toBeLessThan(asked + Math.min(RETRY.capMs, RETRY.baseMs * 2 ** (attempt - 1)))
          expect(waitBeforeRetry(fault, attempt, name)).toBe(wait)
        },
      ),
    )
  })

  it('spread: a thousand names do not come back together', () => {
    const waits = Array.from({ length: 1000 }, (_, i) => waitBeforeRetry(new Fault('GRD-CALL-004'), 1, `${i}`) ?? 0)
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = waits.filter((wait) => Math.floor((wait / RETRY.baseMs) * 10) === tenth).length / 1000
      // 1,000 draws of probability .1 have a standard deviation of .0095.
      expect(Math.abs(share - 0.1)).toBeLessThan(0.04)
    }
  })

  it('give up an endpoint that asks for more patience than there is', () => {
    const fault = new Fault('GRD-CALL-003', { retryAfterMs: RETRY.patienceMs + 1 })
    expect(waitBeforeRetry(fault, 1, 'x')).toBeNull()
    expect(isHopeless(fault)).toBe(true)
    expect(isHopeless(new Fault('GRD-CALL-003', { retryAfterMs: 1000 }))).toBe(false)
  })

  it('read both forms of Retry-After', () => {
    const now = Date.parse('2025-03-01T12:00:00Z')
    expect(parseRetryAfter('3', now)).toBe(3000)
    expect(parseRetryAfter(' 0.5 ', now)).toBe(500)
    expect(parseRetryAfter('Sat, 01 Mar 2025 12:00:10 GMT', now)).toBe(10_000)
    expect(parseRetryAfter('Sat, 01 Mar 2025 11:00:00 GMT', now)).toBe(0)
    expect(parseRetryAfter('soon', now)).toBeUndefined()
    expect(parseRetryAfter(undefined, now)).toBeUndefined()
  })
})
