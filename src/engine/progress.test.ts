import { describe, expect, it } from 'vitest'
import { NO_USAGE } from '../core/words.ts'
import type { Counts } from './engine.ts'
import { Progress, progressLine } from './progress.ts'

const counts = (more: Partial<Counts>): Counts => ({
  asked: 0,
  cached: 0,
  shared: 0,
  kept: 0,
  failed: {},
  unfinished: 0,
  requests: 0,
  retries: 0,
  ...more,
})

describe('progress', () => {
  it('takes rate and time left from what is bought, not from what the cache gives', () => {
    const progress = new Progress(1000)
    expect(progress.look(0, counts({}), 8, NO_USAGE)).toMatchObject({ done: 0, rate: null, left: null })
    const seen = progress.look(10, counts({ cached: 400, kept: 90, failed: { 'GRD-CALL-004': 10 } }), 8, NO_USAGE)
    expect(seen).toMatchObject({ done: 500, rate: 10, left: 50 })
    expect(progress.look(11, counts({ cached: 900, kept: 100 }), 0, NO_USAGE).left).toBe(0)
  })

  it('forgets how fast it was half a minute ago', () => {
    const progress = new Progress(null)
    for (let second = 0; second <= 100; second++) {
      const kept = second < 50 ? 100 * second : 5000 + (second - 50)
      const { rate } = progress.look(second, counts({ kept }), 0, NO_USAGE)
      if (second === 40) expect(rate).toBe(100)
      if (second === 100) expect(rate).toBe(1)
    }
  })

  it('fits on a line', () => {
    const spent = { ...NO_USAGE, calls: 1204, promptTokens: 90_000, completionTokens: 6_320, cost: 0.12 }
    const state = { done: 1204, total: 2000, rate: 63.81, left: 12.4, inFlight: 64, spent }
    expect(progressLine(state)).toBe(
      '1,204 of 2,000   63.8/s   13 s left   64 under way   1,204 calls   96,320 tokens   $0.12',
    )
    expect(progressLine({ ...state, total: null, rate: null, left: null, inFlight: 0, spent: NO_USAGE })).toBe(
      '1,204   0 calls   0 tokens',
    )
    expect(progressLine({ ...state, left: 7_500 })).toContain('2 h 05 min left')
  })
})
