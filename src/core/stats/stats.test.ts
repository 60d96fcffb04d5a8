import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accuracy,
  auroc,
  bootstrap,
  brier,
  cohenKappa,
  confusion,
  differenceOf,
  estimateOf,
  expectedCalibrationError,
  groupsOf,
  krippendorffAlpha,
  macroF1,
  pairedBootstrap,
  passAtK,
  passHatK,
  quantile,
  reliability,
  resampled,
  riskCoverage,
  wilson,
} from './index.ts'

describe('intervals', () => {
  it('Wilson: published example, 8 of 10 gives .490 to .943', () => {
    const { low, high } = wilson(8, 10)
    expect(low).toBeCloseTo(0.4902, 4)
    expect(high).toBeCloseTo(0.9433, 4)
  })

  it('bootstrap by question is wider than by item when solutions of a question agree', () => {
    const values = Array.from({ length: 200 }, (_, i) => (Math.floor(i / 20) % 2 === 0 ? 1 : 0))
    const mean = (items: readonly number[]): number => items.reduce((a, i) => a + values[i]!, 0) / items.length
    const byItem = bootstrap(
      values.map((_, i) => i),
      mean,
    )
    const byQuestion = bootstrap(
      values.map((_, i) => Math.floor(i / 20)),
      mean,
    )
    expect(byQuestion.high - byQuestion.low).toBeGreaterThan(2 * (byItem.high - byItem.low))
  })

  it('bootstrap covers the truth about 95 times in 100', () => {
    let covered = 0
    for (let trial = 0; trial < 100; trial++) {
      const sample = Array.from({ length: 60 }, (_, i) => ((i * 7919 + trial * 104729) % 1000) / 1000)
      const { low, high } = bootstrap(
        sample.map((_, i) => i),
        (items) => items.reduce((a, i) => a + sample[i]!, 0) / items.length,
        { resamples: 300, seed: String(trial) },
      )
      if (low <= 0.4995 && high >= 0.4995) covered++
    }
    expect(covered).toBeGreaterThanOrEqual(88)
  })

  it('a paired difference of a predictor with itself is exactly 0', () => {
    const stat = (items: readonly number[]): number => items.length
    expect(pairedBootstrap([0, 1, 2], stat, stat)).toEqual({ value: 0, low: 0, high: 0 })
  })

  it('statistics taken together give what each gives alone, and their differences what pairing gives', () => {
    const groups = [0, 0, 1, 2, 2, 3, 4]
    const total = (items: readonly number[]): number => items.reduce((a, i) => a + i, 0)
    const odd = (items: readonly number[]): number => items.filter((i) => i % 2 === 1).length / items.length
    const [a, b] = resampled(groups, [total, odd])
    expect([estimateOf(a!), estimateOf(b!)]).toEqual([bootstrap(groups, total), bootstrap(groups, odd)])
    expect(differenceOf(a!, b!)).toEqual(pairedBootstrap(groups, total, odd))
  })

  it('groups keys by first appearance; quantiles interpolate', () => {
    expect([...groupsOf(['b', 'a', 'b'])]).toEqual([0, 1, 0])
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
  })
})

describe('classification', () => {
  it('macro-F1: hand-computed, abstentions are misses', () => {
    const table = confusion(['a', 'b'], [0, 0, 1, 1], [0, 1, 1, -1])
    // a: precision 1, recall 1/2 -> 2/3; b: precision 1/2, recall 1/2 -> 1/2
    expect(macroF1(table)).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12)
    expect(accuracy(table)).toBe(0.5)
  })

  it('AUROC is the share of ordered pairs, ties one half', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 30 }),
        (items) => {
          const positives = items.filter(([, y]) => y).map(([s]) => s)
          const negatives = items.filter(([, y]) => !y).map(([s]) => s)
          const pairs = positives.flatMap((p) => negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)))
          const truth = pairs.length === 0 ? Number.NaN : pairs.reduce((a: number, b) => a + b, 0) / pairs.length
          const seen = auroc(
            items.map(([s]) => s),
            items.map(([, y]) => y),
          )
          expect(Number.isNaN(truth) ? Number.isNaN(seen) : Math.abs(seen - truth) < 1e-12).toBe(true)
        },
      ),
    )
  })

  it('a score that is not a number is refused', () => {
    expect(() => auroc([0.2, Number.NaN], [1, 0])).toThrow('value 1 is not a number')
    expect(() => expectedCalibrationError([Number.NaN], [1])).toThrow(RangeError)
    expect(() => riskCoverage([0.5, Number.NaN], [1, 0])).toThrow(RangeError)
  })

  it('pass@k and pass^k agree with enumerating all draws', () => {
    const draws = (n: number, k: number): number[][] =>
      k === 0 ? [[]] : Array.from({ length: n }, (_, i) => i).flatMap((i) => draws(i, k - 1).map((d) => [...d, i]))
    for (const [n, c, k] of [
      [5, 2, 3],
      [6, 1, 2],
      [4, 4, 2],
      [5, 0, 1],
    ] as const) {
      const all = draws(n, k)
      expect(passAtK(n, c, k)).toBeCloseTo(all.filter((d) => d.some((i) => i < c)).length / all.length, 12)
      expect(passHatK(n, c, k)).toBeCloseTo(all.filter((d) => d.every((i) => i < c)).length / all.length, 12)
    }
    expect(passAtK(2, 1, 3)).toBeNaN()
  })

  it('Brier and risk-coverage: hand-computed', () => {
    expect(brier([1, 0.5], [true, false])).toBeCloseTo(0.125, 12)
    expect(riskCoverage([0.9, 0.8, 0.1], [1, 1, 0]).map((p) => p.risk)).toEqual([0, 0, 1 / 3])
  })
})

describe('calibration', () => {
  it('is 0 for a predictor that is right as often as it says, and the gap for one that is not', () => {
    const confidence = Array.from({ length: 1000 }, (_, i) => 0.5 + 0.05 * Math.floor(i / 100))
    const calibrated = confidence.map((c, i) => (i % 100 < Math.round(c * 100) ? 1 : 0))
    expect(expectedCalibrationError(confidence, calibrated)).toBeCloseTo(0, 10)
    expect(expectedCalibrationError(new Array(100).fill(0.9), new Array(100).fill(0))).toBeCloseTo(0.9, 10)
  })

  it('does not depend on the order of items, even with ties', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(0.5, 0.7, 0.9), fc.boolean()), { minLength: 1, maxLength: 60 }),
        (items) => {
          const ece = (list: typeof items): number =>
            expectedCalibrationError(
              list.map(([c]) => c),
              list.map(([, r]) => r),
            )
          expect(ece(items)).toBeCloseTo(ece([...items].reverse()), 12)
        },
      ),
    )
  })

  it('bins hold all items', () => {
    expect(reliability([0.1, 0.2, 0.3], [0, 1, 1]).reduce((a, b) => a + b.n, 0)).toBe(3)
  })
})

describe('agreement', () => {
  it("Cohen's kappa: textbook example, 20/5/10/15 gives .4", () => {
    const a = [...new Array(25).fill(0), ...new Array(25).fill(1)]
    const b = [...new Array(20).fill(0), ...new Array(5).fill(1), ...new Array(10).fill(0), ...new Array(15).fill(1)]
    expect(cohenKappa(a, b)).toBeCloseTo(0.4, 12)
  })

  it("Krippendorff's alpha: the published four-observer example gives .743", () => {
    const m = -1
    const observers = [
      [1, 2, 3, 3, 2, 1, 4, 1, 2, m, m, m],
      [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, m, 3],
      [m, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, m],
      [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, m],
    ]
    expect(krippendorffAlpha(observers)).toBeCloseTo(0.743, 3)
  })
})
