import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Ball } from './ball.ts'
import * as ball from './ball.ts'
import { rational } from './rational.ts'

const of = (n: number, d = 1): Ball => ball.fromRational(rational(BigInt(n), BigInt(d)))
/** Holds the ball of a - b zero, and is it as narrow as 150 bits? */
const meets = (a: Ball, b: Ball): boolean => {
  const gap = ball.minus(a, b)
  return ball.sign(gap) === 0 && (gap.r === -Infinity || gap.r < ball.top(a) - 130)
}
const near = (a: Ball, x: number): boolean => Math.abs(ball.toNumber(a) - x) <= 1e-12 * Math.max(1, Math.abs(x))

const fraction = fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: 1, max: 700 }))
const positive = fc.tuple(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 700 }))

describe('balls', () => {
  it('hold what doubles say, for every function', () => {
    fc.assert(
      fc.property(fraction, positive, ([n, d], [p, q]) => {
        const x = n / d
        const y = p / q
        const [c, s] = ball.circle(of(n, d))
        expect(near(c, Math.cos(x))).toBe(true)
        expect(near(s, Math.sin(x))).toBe(true)
        expect(near(ball.arctangent(of(n, d)), Math.atan(x))).toBe(true)
        expect(near(ball.logarithm(of(p, q)), Math.log(y))).toBe(true)
        expect(near(ball.root(of(p, q), 3), Math.cbrt(y))).toBe(true)
        expect(near(ball.exponential(of(n % 50, d)), Math.exp((n % 50) / d))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('meet where identities say so, to 130 bits', () => {
    fc.assert(
      fc.property(fraction, positive, ([n, d], [p, q]) => {
        const [c, s] = ball.circle(of(n, d))
        expect(meets(ball.plus(ball.times(c, c), ball.times(s, s)), of(1))).toBe(true)
        expect(meets(ball.exponential(ball.logarithm(of(p, q))), of(p, q))).toBe(true)
        expect(meets(ball.powerOf(ball.root(of(p, q), 5), 5n), of(p, q))).toBe(true)
        expect(meets(ball.divide(ball.times(of(p, q), of(7, 3)), of(7, 3)), of(p, q))).toBe(true)
        const a = ball.arctangent(of(p, q))
        const [ca, sa] = ball.circle(a)
        expect(meets(ball.divide(sa, ca), of(p, q))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('know pi and e to 50 digits', () => {
    const scaled = (x: Ball): bigint => (x.m * 10n ** 50n) >> BigInt(-x.e)
    expect(String(scaled(ball.pi))).toBe('314159265358979323846264338327950288419716939937510')
    expect(String(scaled(ball.e))).toBe('271828182845904523536028747135266249775724709369995')
  })

  it('refuse what has no real value', () => {
    expect(() => ball.divide(of(1), of(0))).toThrow(ball.Undefined)
    expect(() => ball.root(of(-2), 2)).toThrow(ball.Undefined)
    expect(() => ball.logarithm(of(0))).toThrow(ball.Undefined)
  })
})
