import { spend } from './work.ts'

/** An exact fraction in lowest terms; the denominator is positive. */
export interface Rational {
  readonly n: bigint
  readonly d: bigint
}

/** Bits beyond which exact arithmetic gives up: 2006! has 19,102, with room for a product of three such numbers. */
export const MAX_BITS = 65_536
/** Factorials up to here stay below MAX_BITS. */
export const MAX_FACTORIAL = 5_000n

/** Thrown inside this folder only, when a computation passes one of its limits; `equal` turns it into `unknown`. */
export class TooLarge extends Error {}

export const ZERO: Rational = { n: 0n, d: 1n }
export const ONE: Rational = { n: 1n, d: 1n }

export function bits(n: bigint): number {
  const hex = (n < 0n ? -n : n).toString(16)
  return hex === '0' ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] as string, 16)))
}

/** Largest integer that a double, and so the quick path below, holds without rounding. */
const SAFE = 9_007_199_254_740_991n

export function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a
  let y = b < 0n ? -b : b
  // Euclid on n bits takes about n steps of n / 64 words.
  if (y > SAFE) spend((bits(x) / 64) * (bits(y) / 64) * 0.3)
  while (y > SAFE) [x, y] = [y, x % y]
  if (y === 0n) return x
  let p = Number(y)
  let q = Number(x % y)
  while (q !== 0) [p, q] = [q, p % q]
  return BigInt(p)
}

/** @throws TooLarge past MAX_BITS; RangeError for a zero denominator */
export function rational(n: bigint, d: bigint = 1n): Rational {
  if (d === 0n) throw new RangeError('division by zero')
  if (d === 1n) {
    if (n > SAFE && bits(n) > MAX_BITS) throw new TooLarge('number too large')
    return { n, d }
  }
  const g = gcd(n, d)
  const s = d < 0n ? -1n : 1n
  const r = { n: (s * n) / g, d: (s * d) / g }
  if ((r.n > SAFE || r.n < -SAFE || r.d > SAFE) && bits(r.n) + bits(r.d) > MAX_BITS)
    throw new TooLarge('number too large')
  return r
}

export const add = (a: Rational, b: Rational): Rational =>
  a.d === 1n && b.d === 1n ? rational(a.n + b.n) : rational(a.n * b.d + b.n * a.d, a.d * b.d)
export const sub = (a: Rational, b: Rational): Rational => add(a, negate(b))
export const mul = (a: Rational, b: Rational): Rational => rational(a.n * b.n, a.d * b.d)
export const div = (a: Rational, b: Rational): Rational => rational(a.n * b.d, a.d * b.n)
export const negate = (a: Rational): Rational => ({ n: -a.n, d: a.d })
export const same = (a: Rational, b: Rational): boolean => a.n === b.n && a.d === b.d
export const isZero = (a: Rational): boolean => a.n === 0n
export const isInteger = (a: Rational): boolean => a.d === 1n
export const compare = (a: Rational, b: Rational): number => {
  const difference = a.n * b.d - b.n * a.d
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
export const floor = (a: Rational): bigint => (a.n >= 0n ? a.n / a.d : -((-a.n + a.d - 1n) / a.d))

/** Integer powers. @throws TooLarge before computing a number past MAX_BITS */
export function power(a: Rational, exponent: bigint): Rational {
  const k = exponent < 0n ? -exponent : exponent
  const size = Math.max(bits(a.n), bits(a.d))
  if (size > 1 && (k > BigInt(MAX_BITS) || Number(k) * (size - 1) > MAX_BITS)) throw new TooLarge('power too large')
  if (size <= 1) {
    if (a.n === 0n && exponent < 0n) throw new RangeError('division by zero')
    if (a.n === 0n) return exponent === 0n ? ONE : ZERO
    return a.n < 0n && k % 2n === 1n ? { n: -1n, d: 1n } : ONE
  }
  return exponent < 0n ? rational(a.d ** k, a.n ** k) : { n: a.n ** k, d: a.d ** k }
}

/** n! for 0 <= n <= MAX_FACTORIAL. */
export function factorial(n: bigint): bigint {
  if (n < 0n) throw new RangeError('factorial of a negative number')
  if (n > MAX_FACTORIAL) throw new TooLarge('factorial too large')
  return product(2n, n)
}

/** Product of lo..hi by halves, which keeps the factors of equal size and the multiplication fast. */
function product(lo: bigint, hi: bigint): bigint {
  if (lo > hi) return 1n
  if (hi - lo < 16n) {
    let out = 1n
    for (let i = lo; i <= hi; i++) out *= i
    return out
  }
  const middle = (lo + hi) / 2n
  return product(lo, middle) * product(middle + 1n, hi)
}

/** Decimal text such as `-12.50`, `.5` or `1.2e-3`. */
export function decimal(text: string): Rational {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match) throw new RangeError(`not a decimal: ${text}`)
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole.length + fraction.length > MAX_BITS / 4) throw new TooLarge('number too long')
  const value = rational(BigInt(`${whole}${fraction}` || '0'), 10n ** BigInt(fraction.length))
  const scaled = exponent === '0' ? value : mul(value, power({ n: 10n, d: 1n }, BigInt(exponent)))
  return sign === '-' ? negate(scaled) : scaled
}

/** Small prime factors with exponents and the rest (1 when fully split); trial division up to the limit. */
export function factorise(n: bigint, limit = 2_000n): { factors: [bigint, number][]; rest: bigint } {
  const factors: [bigint, number][] = []
  spend(bits(n) / 64)
  let rest = n
  for (let p = 2n; p <= limit && p * p <= rest; p += p === 2n ? 1n : 2n) {
    let k = 0
    while (rest % p === 0n) {
      rest /= p
      k++
    }
    if (k > 0) factors.push([p, k])
  }
  if (rest > 1n && rest < limit * limit) {
    factors.push([rest, 1])
    rest = 1n
  }
  return { factors, rest }
}
