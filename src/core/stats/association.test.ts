import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kendallTauB, matthews, rankAssociation, somersD, spearman } from './index.ts'

const pairsOf = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 6 })), {
  minLength: 2,
  maxLength: 25,
})

/** Equal but for rounding, or both not defined. */
function same(a: number, b: number): boolean {
  return Number.isNaN(a) ? Number.isNaN(b) : Math.abs(a - b) < 1e-9
}

describe('rank association', () => {
  it('hand-counted: 4 items, one tie on each side', () => {
    // x 1 1 2 3, y 1 2 2 3: concordant (1,3)a (1,4) (2,4) (3,4); tied on x: (1,2); tied on y: (2,3); no discordant pair
    const [x, y] = [
      [1, 1, 2, 3],
      [1, 2, 2, 3],
    ]
    expect(kendallTauB(x, y)).toBeCloseTo(4 / 5, 12)
    expect(somersD(x, y)).toBeCloseTo(4 / 5, 12)
    // ranks 1.5 1.5 3 4 and 1 2.5 2.5 4: covariance 3.75, both variances 4.5
    expect(spearman(x, y)).toBeCloseTo(3.75 / 4.5, 12)
  })

  it('is 1 for the same order, -1 for the opposite one, and not defined for a constant', () => {
    const x = [3, 1, 4, 1.5, 9]
    expect([kendallTauB(x, x), somersD(x, x), spearman(x, x)]).toEqual([1, 1, 1])
    expect(
      kendallTauB(
        x,
        x.map((v) => -v),
      ),
    ).toBe(-1)
    expect(kendallTauB(x, [1, 1, 1, 1, 1])).toBeNaN()
    expect(somersD(x, [1, 1, 1, 1, 1])).toBe(0)
    expect(somersD([1, 1, 1, 1, 1], x)).toBeNaN()
  })

  it('counts pairs as a double loop does', () => {
    fc.assert(
      fc.property(pairsOf, (items) => {
        let surplus = 0
        let untiedX = 0
        let untiedY = 0
        items.forEach(([xi, yi], i) => {
          for (const [xj, yj] of items.slice(0, i)) {
            surplus += Math.sign(xi - xj) * Math.sign(yi - yj)
            if (xi !== xj) untiedX++
            if (yi !== yj) untiedY++
          }
        })
        const [x, y] = [items.map(([v]) => v), items.map(([, v]) => v)]
        expect(same(surplus / untiedX, somersD(x, y))).toBe(true)
        expect(same(surplus / Math.sqrt(untiedX * untiedY), kendallTauB(x, y))).toBe(true)
      }),
    )
  })

  it("Somers' D against a yes/no rating is 2 AUROC - 1, the textbook identity", () => {
    // positives .9 .4, negatives .5 .1: three of four pairs ordered right
    expect(somersD([1, 1, 0, 0], [0.9, 0.4, 0.5, 0.1])).toBeCloseTo(2 * 0.75 - 1, 12)
  })

  it('counting an item twice is the same as writing it twice', () => {
    fc.assert(
      fc.property(pairsOf, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 25, maxLength: 25 }), (items, n) => {
        const written = items.flatMap((item, i) => new Array<[number, number]>(n[i]!).fill(item))
        fc.pre(written.length > 1)
        const counted = rankAssociation(
          items.map(([v]) => v),
          items.map(([, v]) => v),
        )(n)
        const expected = rankAssociation(
          written.map(([v]) => v),
          written.map(([, v]) => v),
        )()
        for (const name of ['kendallTauB', 'somersD', 'spearman'] as const)
          expect(same(counted[name], expected[name])).toBe(true)
      }),
    )
  })
})

describe('Matthews correlation', () => {
  it('hand-computed: 6 right positives, 3 right negatives, 1 and 2 wrong', () => {
    expect(matthews({ tp: 6, tn: 3, fp: 1, fn: 2 })).toBeCloseTo((18 - 2) / Math.sqrt(7 * 8 * 4 * 5), 12)
  })

  it('says 0 of a predictor with one answer, and nothing of a set with one class', () => {
    expect(matthews({ tp: 5, tn: 0, fp: 5, fn: 0 })).toBe(0)
    expect(matthews({ tp: 5, tn: 0, fp: 0, fn: 1 })).toBeNaN()
  })
})
