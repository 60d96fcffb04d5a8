import { random } from '../../core/seeds.ts'
import type { Ball } from './ball.ts'
import * as ball from './ball.ts'
import { PRECISION, Undefined } from './ball.ts'
import type { Canonical } from './canonical.ts'
import { agree, canonical, decisive } from './canonical.ts'
import type { Complex } from './evaluate.ts'
import { evaluate } from './evaluate.ts'
import type { Expr } from './expression.ts'
import { rebuild, some, symbolsOf } from './expression.ts'
import type { Rational } from './rational.ts'
import { rational, TooLarge } from './rational.ts'
import type { Verdict } from './verdict.ts'
import { different, equalBy, unknown } from './verdict.ts'

/** Points at which two functions must agree, and points tried to find them. */
const POINTS = { needed: 4, tried: 12 }
/** Bits to which agreeing balls must be known, relative to the value: 36 decimal digits. */
const AGREEMENT_BITS = 120
/** Binary size of a constant from which two different ones may agree to 36 digits: sin(10^-30) and 10^-30 do. */
const MAX_SIZE_BITS = 64
/** Digits of a written number from which agreement of 36 digits would prove nothing. */
const MAX_WRITTEN_BITS = 100

/**
 * Compares two values: numbers or functions of symbols over the reals.
 *
 * Equal normal forms are equal wherever both have a value; unequal ones are different where the normal form is unique.
 * Elsewhere balls at fixed pseudo-random points decide: disjoint balls prove a difference, agreement to 36 digits at
 * four points of different size and sign with no point where only one side has a value counts as equality.
 */
export function compareValues(a: Expr, b: Expr): Verdict {
  if (!some(a, isBareLog) && !some(b, isBareLog)) return compareSettled(a, b)
  // A logarithm without a base is natural or decimal by context: only what holds for both is said.
  const ten: Expr = { t: 'number', v: rational(10n) }
  const [natural, decimal] = [null, ten].map((base) => compareSettled(withBase(a, base), withBase(b, base))) as [
    Verdict,
    Verdict,
  ]
  return natural.verdict === decimal.verdict ? natural : unknown('depends on the base of the logarithm')
}

const isBareLog = (x: Expr): boolean => x.t === 'call' && x.f === 'log'

/** Bare logarithms with a base; null = natural. */
const withBase = (x: Expr, base: Expr | null): Expr =>
  rebuild(x, (y) => {
    if (y.t !== 'call' || y.f !== 'log') return y
    const ln: Expr = { ...y, f: 'ln' }
    return base === null ? ln : { t: 'quotient', n: ln, d: { t: 'call', f: 'ln', a: [base] } }
  })

function compareSettled(a: Expr, b: Expr): Verdict {
  let unique = false
  try {
    const [x, y] = [canonical(a), canonical(b)]
    if (agree(x, y))
      return vanishing(x) || vanishing(y) ? unknown('division by zero') : equalBy('canonical', 'same normal form')
    unique = decisive(x) && decisive(y)
  } catch (error) {
    if (!(error instanceof TooLarge || error instanceof RangeError)) throw error
    if (error instanceof RangeError) return unknown(error.message)
  }
  if (unique) return different('canonical', 'different normal forms')
  return byPoints(a, b)
}

const vanishing = (x: Canonical): boolean => x.d.size === 0

function byPoints(a: Expr, b: Expr): Verdict {
  const names = [...symbolsOf(b, symbolsOf(a))].sort()
  const complex = [a, b].some((x) => some(x, (y) => y.t === 'constant' && y.name === 'i'))
  const stepwise =
    names.length > 0 && [a, b].some((x) => some(x, (y) => y.t === 'call' && /^(floor|ceil|min|max)$/.test(y.f)))
  const long = [a, b].some((x) => some(x, (y) => y.t === 'number' && writtenBits(y.v) > MAX_WRITTEN_BITS))
  let agreed = 0
  let oneSided = 0
  for (const point of pointsFor(names, a, b)) {
    const x = valueAt(a, point, complex)
    const y = valueAt(b, point, complex)
    if (x === null && y === null) continue
    if (x === null || y === null) {
      oneSided++
      continue
    }
    const gap = [ball.minus(x.re, y.re), ball.minus(x.im, y.im)] as const
    if (gap.some((g) => ball.sign(g) !== 0)) return different('evaluation', 'different values')
    if (close(gap[0], x) && close(gap[1], x)) agreed++
    if (names.length === 0 && sizeOf(x) > MAX_SIZE_BITS) return unknown('numbers of a size where agreement is no proof')
    if (agreed >= POINTS.needed) break
  }
  const needed = names.length === 0 ? 1 : POINTS.needed
  if (oneSided > 0) return unknown('equal only where both sides have a value')
  if (agreed < needed) return unknown('no point decides')
  if (stepwise || long) return unknown('equal at the points tried, which is no proof here')
  return equalBy('evaluation', names.length === 0 ? 'same value to 36 digits' : 'same values at random points')
}

const writtenBits = (v: Rational): number => v.n.toString(2).length + v.d.toString(2).length

const sizeOf = (z: Complex): number =>
  Math.max(...[z.re, z.im].map((part) => (ball.sign(part) === 0 ? 0 : Math.abs(ball.top(part)))))

/** Is the gap, which holds zero, known to be small beside the value? */
function close(gap: Ball, value: Complex): boolean {
  const size = Math.max(ball.top(value.re), ball.top(value.im), -PRECISION / 8)
  return gap.r <= size - AGREEMENT_BITS || gap.r === -Infinity
}

function valueAt(x: Expr, point: ReadonlyMap<string, Rational>, complex: boolean): Complex | null {
  try {
    return evaluate(x, point, complex)
  } catch (error) {
    if (error instanceof Undefined || error instanceof TooLarge || error instanceof RangeError) return null
    throw error
  }
}

/** Points of both signs and several sizes, some beyond every number written in the two answers. */
function* pointsFor(names: readonly string[], a: Expr, b: Expr): Generator<ReadonlyMap<string, Rational>> {
  if (names.length === 0) {
    yield new Map()
    return
  }
  let largest = 1n
  for (const x of [a, b]) {
    some(x, (y) => {
      if (y.t === 'number') {
        const size = (y.v.n < 0n ? -y.v.n : y.v.n) / y.v.d + 1n
        if (size > largest && size < 1_000_000_000n) largest = size
      }
      return false
    })
  }
  for (let i = 0; i < POINTS.tried; i++) yield new Map(names.map((name, j) => [name, coordinate(i, j, largest)]))
}

const TABLE: readonly (readonly number[])[] = (() => {
  const source = random('answers/points')
  return Array.from({ length: 16 }, () => Array.from({ length: 16 }, () => source.below(9_973) + 1))
})()
/** Positive near 1, then negative, then between 0 and 1, then past the largest number written, and again. */
function coordinate(i: number, j: number, largest: bigint): Rational {
  const draw = BigInt(TABLE[i % 16]?.[j % 16] ?? 1) + BigInt(Math.floor(j / 16)) * 10_007n
  const negative = i % 4 === 1 || (i % 8 === 6 && j % 2 === 0)
  const size =
    i % 4 === 2 ? rational(draw, 10_007n) : i % 4 === 3 ? rational(draw * largest * 3n, 4_999n) : rational(draw, 2_003n)
  return negative ? { n: -size.n, d: size.d } : size
}

/** Order of two numbers; null where they cannot be told apart or one is no real number. */
export function order(a: Expr, b: Expr): -1 | 0 | 1 | null {
  const verdict = compareValues(a, b)
  if (verdict.verdict === 'equal') return 0
  const [x, y] = [valueAt(a, new Map(), false), valueAt(b, new Map(), false)]
  if (x === null || y === null) return null
  const s = ball.sign(ball.minus(x.re, y.re))
  return s === 0 ? null : s
}

/** The number as a double, null where it has no real value. */
export function approximate(x: Expr): number | null {
  const value = valueAt(x, new Map(), false)
  if (value === null) return null
  const out = ball.toNumber(value.re)
  return Number.isFinite(out) ? out : null
}
