import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auroc, expectedCalibrationError, ranked, riskCoverage } from './index.ts'

const items = fc.array(
  fc.record({
    score: fc.constantFrom(0.1, 0.3, 0.5, 0.55, 0.9),
    hit: fc.boolean(),
    unit: fc.integer({ min: 0, max: 5 }),
  }),
  { minLength: 1, maxLength: 60 },
)
const counts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 })

describe('ranked', () => {
  it('equals the plain functions on the items written out', () => {
    fc.assert(
      fc.property(items, counts, (list, taken) => {
        const out = list.flatMap((item) => new Array<typeof item>(taken[item.unit]!).fill(item))
        fc.pre(out.length > 0)
        const scores = out.map((i) => i.score)
        const hits = out.map((i) => i.hit)
        const fast = ranked(
          list.map((i) => i.score),
          list.map((i) => i.hit),
          list.map((i) => i.unit),
        )
        const [seen, truth] = [fast.auroc(taken), auroc(scores, hits)]
        expect(Number.isNaN(truth) ? Number.isNaN(seen) : Math.abs(seen - truth) < 1e-10).toBe(true)
        expect(fast.expectedCalibrationError(taken)).toBeCloseTo(expectedCalibrationError(scores, hits), 10)
        const curve = riskCoverage(scores, hits)
        expect(fast.areaUnderRiskCoverage(taken)).toBeCloseTo(curve.reduce((a, p) => a + p.risk, 0) / curve.length, 10)
      }),
    )
  })

  it('is not defined for nothing', () => {
    const none = ranked([0.5], [true], [0])
    expect([none.auroc([0]), none.expectedCalibrationError([0]), none.areaUnderRiskCoverage([0])]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ])
  })
})
