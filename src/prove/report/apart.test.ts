import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apart } from './apart.ts'

describe('labels apart', () => {
  it('leaves what is far enough apart, and pushes neighbours to both sides', () => {
    expect(apart([10, 50, 30], 12)).toEqual([10, 50, 30])
    expect(apart([30, 30], 12)).toEqual([24, 36])
    expect(apart([30, 29, 60], 12)).toEqual([35.5, 23.5, 60])
  })

  it('keeps gap, order and mean for any positions', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 20 }), (given) => {
        const moved = apart(given, 12)
        const order = [...given.keys()].sort((a, b) => given[a]! - given[b]! || a - b)
        for (const [i, at] of order.entries()) {
          if (i > 0) expect(moved[at]! - moved[order[i - 1]!]!).toBeGreaterThan(12 - 1e-9)
        }
        const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
        expect(sum(moved)).toBeCloseTo(sum(given), 6)
      }),
    )
  })
})
