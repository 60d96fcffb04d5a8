import type { Rational } from './rational.ts'
import { bits } from './rational.ts'

/**
 * A real number known to lie within 2^r of m * 2^e (ball arithmetic, as in Johansson's Arb): what two disjoint balls
 * say about two expressions is proven, whatever was rounded on the way. r = -Infinity marks an exact value.
 */
export interface Ball {
  readonly m: bigint
  readonly e: number
  readonly r: number
}

/** Bits kept; some 60 decimal digits, twice what anyone writes into an answer. */
export const PRECISION = 200
/** Largest binary exponent of an argument of exp, sin and cos. */
const MAX_ARGUMENT = 40

/** Raised where an expression has no real value: division by zero, root or logarithm of a negative number. */
export class Undefined extends Error {}

export const fromInteger = (n: bigint): Ball => ({ m: n, e: 0, r: -Infinity })
export const fromRational = (q: Rational): Ball =>
  q.d === 1n ? round(q.n, 0, -Infinity) : divide(fromInteger(q.n), fromInteger(q.d))

/** log2 of an upper bound of |m * 2^e|. */
export const top = (a: Ball): number => (a.m === 0n ? -Infinity : bits(a.m) + a.e)

function round(m: bigint, e: number, r: number): Ball {
  const excess = bits(m) - PRECISION
  if (excess <= 0) return { m, e, r }
  return { m: m >> BigInt(excess), e: e + excess, r: Math.max(r, e + excess) + 1 }
}

/** Sign of every number in the ball, 0 where it holds zero. */
export function sign(a: Ball): -1 | 0 | 1 {
  if (a.m === 0n || top(a) - 1 <= a.r) return 0
  return a.m < 0n ? -1 : 1
}
export const isExactZero = (a: Ball): boolean => a.m === 0n && a.r === -Infinity

export const negative = (a: Ball): Ball => ({ ...a, m: -a.m })

export function plus(a: Ball, b: Ball): Ball {
  if (isExactZero(a)) return b
  if (isExactZero(b)) return a
  const r = Math.max(a.r, b.r) + 1
  // A far smaller summand only widens the ball.
  if (a.m !== 0n && b.m !== 0n && Math.abs(top(a) - top(b)) > 4 * PRECISION) {
    const [large, small] = top(a) > top(b) ? [a, b] : [b, a]
    return { m: large.m, e: large.e, r: Math.max(r, top(small)) + 1 }
  }
  const e = Math.min(a.e, b.e)
  return round((a.m << BigInt(a.e - e)) + (b.m << BigInt(b.e - e)), e, r)
}
export const minus = (a: Ball, b: Ball): Ball => plus(a, negative(b))

export function times(a: Ball, b: Ball): Ball {
  if (isExactZero(a) || isExactZero(b)) return fromInteger(0n)
  const exact = a.r === -Infinity && b.r === -Infinity
  const r = exact ? -Infinity : Math.max(top(a) + b.r, top(b) + a.r, a.r + b.r) + 2
  return round(a.m * b.m, a.e + b.e, Number.isNaN(r) ? -Infinity : r)
}

export function divide(a: Ball, b: Ball): Ball {
  if (sign(b) === 0) throw new Undefined('division by zero')
  if (isExactZero(a)) return a
  const shift = Math.max(0, PRECISION + 8 + bits(b.m) - bits(a.m))
  const m = (a.m << BigInt(shift)) / b.m
  const e = a.e - shift - b.e
  // |a/b - a'/b'| <= (ra + |a/b| rb) / |b'|, with |b'| at least half the midpoint.
  const low = top(b) - 3
  const quotient = top(a) - (top(b) - 1)
  return round(m, e, Math.max(e, a.r - low, quotient + b.r - low) + 2)
}

export function powerOf(a: Ball, k: bigint): Ball {
  if (k < 0n) return divide(fromInteger(1n), powerOf(a, -k))
  if (k > 100_000n) throw new Undefined('exponent too large')
  let out = fromInteger(1n)
  let base = a
  for (let i = k; i > 0n; i >>= 1n) {
    if (i & 1n) out = times(out, base)
    if (i > 1n) base = times(base, base)
  }
  return out
}

function integerRoot(n: bigint, k: number): bigint {
  if (n < 2n) return n
  const degree = BigInt(k)
  let x = 1n << BigInt(Math.ceil(bits(n) / k))
  for (;;) {
    const y = ((degree - 1n) * x + n / x ** (degree - 1n)) / degree
    if (y >= x) return x
    x = y
  }
}

/** The k-th root of a number that is not negative, the real root where k is odd. */
export function root(a: Ball, k: number): Ball {
  if (isExactZero(a)) return a
  const s = sign(a)
  if (s === 0) throw new Undefined('root near zero')
  if (s < 0) {
    if (k % 2 === 0) throw new Undefined('even root of a negative number')
    return negative(root(negative(a), k))
  }
  let shift = Math.max(0, k * (PRECISION + 4) - bits(a.m))
  while ((a.e - shift) % k !== 0) shift++
  const m = integerRoot(a.m << BigInt(shift), k)
  const e = (a.e - shift) / k
  // d(a^(1/k)) = a^(1/k) / (k a) da
  const spread = a.r === -Infinity ? -Infinity : bits(m) + e + a.r - (top(a) - 2)
  return round(m, e, Math.max(e, spread) + 1)
}

const W = PRECISION + 48
const UNIT = 1n << BigInt(W)

/** Fixed-point value with W fractional bits. */
const fixed = (a: Ball): bigint => {
  const shift = a.e + W
  return shift >= 0 ? a.m << BigInt(shift) : a.m >> BigInt(-shift)
}
/** Fixed-point results are good to 2^-(W-16): some hundred roundings of one unit each. */
const unfixed = (m: bigint, spread: number): Ball => round(m, -W, Math.max(16 - W, spread) + 1)

/** arctan(1/n) and artanh(1/n) in fixed point. */
function inverseSeries(n: bigint, alternate: boolean): bigint {
  let term = UNIT / n
  let out = 0n
  for (let k = 1n; term !== 0n; k += 2n) {
    out += alternate && k % 4n === 3n ? -(term / k) : term / k
    term /= n * n
  }
  return out
}
const PI = 4n * (4n * inverseSeries(5n, true) - inverseSeries(239n, true))
const LN2 = 2n * inverseSeries(3n, false)

export const pi: Ball = unfixed(PI, -Infinity)

export function exponential(a: Ball): Ball {
  if (isExactZero(a)) return fromInteger(1n)
  if (top(a) > MAX_ARGUMENT || a.r > -8) throw new Undefined('argument of exp out of range')
  const x = fixed(a)
  const k = x / LN2
  // 2^8 smaller argument: some 25 terms instead of 50.
  const y = (x - k * LN2) >> 8n
  let term = UNIT
  let sum = UNIT
  for (let i = 1n; term !== 0n; i++) {
    term = ((term * y) >> BigInt(W)) / i
    if (term === -1n) break
    sum += term
  }
  for (let i = 0; i < 8; i++) sum = (sum * sum) >> BigInt(W)
  const shift = Number(k)
  const error = Math.max(24 - W + Math.max(0, top(a)), a.r) + 3
  return round(sum, shift - W, shift + error)
}
export const e: Ball = exponential(fromInteger(1n))

export function logarithm(a: Ball): Ball {
  if (sign(a) <= 0) throw new Undefined('logarithm of a number that is not positive')
  // a = f * 2^k with f in [1/2, 1): a double start, corrected once; t is near 1e-16, so four terms are enough.
  const k = top(a)
  const f: Ball = { m: a.m, e: a.e - k, r: a.r - k }
  const start = Math.log(Number(fixed(f) >> BigInt(W - 53)) / 2 ** 53)
  const guess: Ball = fromRational({ n: BigInt(Math.round(start * 2 ** 50)), d: 1n << 50n })
  const t = minus(times(f, exponential(negative(guess))), fromInteger(1n))
  let sum = fromInteger(0n)
  for (let i = 5n; i > 0n; i--) {
    const c = divide(fromInteger(i % 2n === 1n ? 1n : -1n), fromInteger(i))
    sum = times(t, plus(c, sum))
  }
  const rest = unfixed(BigInt(k) * LN2, 16 - W + 12)
  const out = plus(plus(guess, sum), rest)
  return { ...out, r: Math.max(out.r, 6 * top(t)) + 1 }
}

/** [cos, sin] */
export function circle(a: Ball): [Ball, Ball] {
  if (isExactZero(a)) return [fromInteger(1n), a]
  if (top(a) > MAX_ARGUMENT || a.r > -8) throw new Undefined('argument of a circular function out of range')
  const x = fixed(a)
  const half = PI / 2n
  const quarter = (2n * x + half) / (2n * half) - ((2n * x + half) % (2n * half) < 0n ? 1n : 0n)
  const y = x - quarter * half
  const square = (y * y) >> BigInt(W)
  let cosine = 0n
  let sine = 0n
  let c = UNIT
  let s = y
  for (let i = 1n; (c !== 0n && c !== -1n) || (s !== 0n && s !== -1n); i += 2n) {
    cosine += c
    sine += s
    c = -((c * square) >> BigInt(W)) / (i * (i + 1n))
    s = -((s * square) >> BigInt(W)) / ((i + 1n) * (i + 2n))
  }
  const error = Math.max(18 - W + Math.max(0, top(a)), a.r)
  const turns = ((quarter % 4n) + 4n) % 4n
  const pairs: readonly [bigint, bigint][] = [
    [cosine, sine],
    [-sine, cosine],
    [-cosine, -sine],
    [sine, -cosine],
  ]
  const [p, q] = pairs[Number(turns)] as [bigint, bigint]
  return [unfixed(p, error), unfixed(q, error)]
}

export function arctangent(a: Ball): Ball {
  if (isExactZero(a)) return a
  // For large arguments the start loses digits: use the complement.
  if (top(a) > 1 && sign(a) !== 0) {
    const quarter: Ball = { ...pi, e: pi.e - 1, r: pi.r }
    return minus(a.m < 0n ? negative(quarter) : quarter, arctangent(divide(fromInteger(1n), a)))
  }
  const start = Math.atan(Number(fixed(a) >> BigInt(W - 60)) / 2 ** 60)
  const guess: Ball = fromRational({ n: BigInt(Math.round(start * 2 ** 50)), d: 1n << 50n })
  const [c, s] = circle(guess)
  const t = divide(minus(times(a, c), s), plus(c, times(a, s)))
  const t2 = times(t, t)
  const cubic = times(times(t, t2), divide(fromInteger(-1n), fromInteger(3n)))
  const quintic = times(times(times(t, t2), t2), divide(fromInteger(1n), fromInteger(5n)))
  const out = plus(guess, plus(t, plus(cubic, quintic)))
  return { ...out, r: Math.max(out.r, 7 * top(t)) + 1 }
}

/** The nearest double; for ordering and tolerance, never for a proof. */
export function toNumber(a: Ball): number {
  const excess = bits(a.m) - 60
  return excess > 0 ? Number(a.m >> BigInt(excess)) * 2 ** (a.e + excess) : Number(a.m) * 2 ** a.e
}
