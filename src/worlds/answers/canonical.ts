import type { Expr } from './expression.ts'
import type { Rational } from './rational.ts'
import * as q from './rational.ts'
import { spend } from './work.ts'

/**
 * Normal form of a value: a quotient of two polynomials with rational coefficients over atoms.
 *
 * Atoms are symbols, pi, e, i, roots of primes and whatever stays closed (a sine, a root of a sum). Powers of atoms may
 * be fractional. Products of fractional prime powers are linearly independent over the rationals (Besicovitch 1940), so
 * over symbols, primes, i and pi two values are the same function exactly when their normal forms agree.
 */
export interface Canonical {
  n: Polynomial
  d: Polynomial
}
interface Term {
  c: Rational
  /** Sorted by atom. */
  m: readonly (readonly [atom: string, exponent: Rational])[]
}
export type Polynomial = ReadonlyMap<string, Term>

/** Terms of a polynomial and the largest power that is multiplied out. */
const MAX_TERMS = 300
const MAX_EXPANDED_POWER = 24n
/** Size of a number whose exact root is looked for. */
const MAX_ROOT_BITS = 1_024
/** Characters of a closed atom's key. */
const MAX_KEY = 4_000

const constant = (c: Rational): Polynomial => (q.isZero(c) ? new Map() : new Map([['', { c, m: [] }]]))
const UNIT = constant(q.ONE)
const of = (n: Polynomial): Canonical => ({ n, d: UNIT })

/** @throws TooLarge past a limit; RangeError for a division by zero */
export function canonical(x: Expr): Canonical {
  switch (x.t) {
    case 'number':
      return of(constant(x.v))
    case 'symbol':
      return of(atom(`$${x.name}`))
    case 'constant':
      return of(atom(x.name === 'i' ? '!i' : `!${x.name}`))
    case 'sum': {
      let out = canonical(x.a[0] as Expr)
      for (const y of x.a.slice(1)) out = plus(out, canonical(y))
      return out
    }
    case 'product': {
      let out = canonical(x.a[0] as Expr)
      for (const y of x.a.slice(1)) out = times(out, canonical(y))
      return out
    }
    case 'quotient':
      return times(canonical(x.n), inverse(canonical(x.d)))
    case 'power':
      return powerForm(canonical(x.b), x.x)
    case 'call':
      return callForm(x)
    default:
      throw new RangeError(`no value: ${x.t}`)
  }
}

export const rationalOf = (x: Canonical): Rational | null => {
  if (x.n.size === 0) return q.ZERO
  const n = x.n.get('')
  const d = x.d.get('')
  return x.n.size === 1 && x.d.size === 1 && n && d ? q.div(n.c, d.c) : null
}

/** Do the two agree wherever both have a value? */
export function agree(a: Canonical, b: Canonical): boolean {
  if (a.d === UNIT && b.d === UNIT) return samePolynomial(a.n, b.n)
  return samePolynomial(multiply(a.n, b.d), multiply(b.n, a.d))
}

/** True where agreement of normal forms is necessary for equality: symbols with whole powers, primes, i and pi only. */
export const decisive = (x: Canonical): boolean => [x.n, x.d].every(plainPolynomial)
const plainPolynomial = (p: Polynomial): boolean => {
  for (const { m } of p.values()) {
    for (const [name, k] of m) {
      if (name.startsWith('#') || name === '!i') continue
      if ((name.startsWith('$') || name === '!pi') && q.isInteger(k)) continue
      return false
    }
  }
  return true
}

/** The polynomials' symbols with whole powers only, no closed atoms: safe to solve and to compare as curves. */
export function totalDegree(p: Polynomial): number | null {
  let out = 0
  for (const { m } of p.values()) {
    let degree = 0
    for (const [name, k] of m) {
      if (!name.startsWith('$')) continue
      if (!q.isInteger(k) || k.n < 0n || k.n > 100n) return null
      degree += Number(k.n)
    }
    out = Math.max(out, degree)
  }
  return plainPolynomial(p) ? out : null
}

/** Is a a constant times b? The sign of the constant where it is rational, `surd` where it is not, null for no. */
export function proportional(a: Polynomial, b: Polynomial): 'positive' | 'negative' | 'surd' | null {
  if (a.size !== b.size || a.size === 0) return null
  const [key, first] = [...a.entries()][0] as [string, Term]
  const other = b.get(key)
  if (!other) {
    const [, second] = [...b.entries()].find(([, term]) => symbolPart(term) === symbolPart(first)) ?? []
    if (!second || [first, second].some((term) => term.m.some(([name]) => name.startsWith('@')))) return null
    return samePolynomial(multiply(a, single(second)), multiply(b, single(first))) ? 'surd' : null
  }
  const ratio = q.div(first.c, other.c)
  for (const [k, term] of a) {
    const match = b.get(k)
    if (!match || !q.same(term.c, q.mul(ratio, match.c))) return null
  }
  return ratio.n > 0n ? 'positive' : 'negative'
}
const symbolPart = (x: Term): string => monomialKey(x.m.filter(([name]) => name.startsWith('$')))

function samePolynomial(a: Polynomial, b: Polynomial): boolean {
  if (a.size !== b.size) return false
  for (const [key, term] of a) {
    const other = b.get(key)
    if (!other || !q.same(term.c, other.c)) return false
  }
  return true
}

/** A text that equal normal forms share; quotients are scaled so that the denominator's first term is 1. */
function keyOf(x: Canonical): string {
  const scale = ([...x.d.entries()].sort(byKey)[0] as [string, Term])[1].c
  const out = `${polynomialKey(x.n, scale)}/${polynomialKey(x.d, scale)}`
  if (out.length > MAX_KEY) throw new q.TooLarge('expression too large')
  return out
}
const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0
const polynomialKey = (p: Polynomial, scale: Rational): string =>
  [...p.entries()]
    .sort(byKey)
    .map(([key, { c }]) => {
      const s = q.div(c, scale)
      return `${s.n}/${s.d}*${key}`
    })
    .join('+')

const monomialKey = (m: Term['m']): string => m.map(([name, k]) => `${name}^${k.n}/${k.d}`).join('.')
const atom = (name: string, k: Rational = q.ONE): Polynomial => single({ c: q.ONE, m: [[name, k]] })
const single = (term: Term): Polynomial => new Map([[monomialKey(term.m), term]])

function into(sum: Map<string, Term>, term: Term): void {
  const key = monomialKey(term.m)
  const held = sum.get(key)
  const c = held ? q.add(held.c, term.c) : term.c
  if (q.isZero(c)) sum.delete(key)
  else sum.set(key, { c, m: term.m })
  if (sum.size > MAX_TERMS) throw new q.TooLarge('too many terms')
}

function addPolynomials(a: Polynomial, b: Polynomial): Polynomial {
  const out = new Map(a)
  for (const term of b.values()) into(out, term)
  return out
}

function multiply(a: Polynomial, b: Polynomial): Polynomial {
  if (a === UNIT) return b
  if (b === UNIT) return a
  if (a.size * b.size > 20 * MAX_TERMS) throw new q.TooLarge('too many terms')
  spend(a.size * b.size)
  const out = new Map<string, Term>()
  for (const x of a.values()) for (const y of b.values()) into(out, multiplyTerms(x, y))
  return out
}

function multiplyTerms(x: Term, y: Term): Term {
  const c = q.mul(x.c, y.c)
  if (x.m.length === 0) return { c, m: y.m }
  if (y.m.length === 0) return { c, m: x.m }
  const powers = new Map<string, Rational>(x.m)
  for (const [name, k] of y.m) {
    const held = powers.get(name)
    powers.set(name, held ? q.add(held, k) : k)
  }
  return reduced(c, powers)
}

/** Brings powers of i and of primes into their ranges and sorts the atoms. */
function reduced(coefficient: Rational, powers: Iterable<readonly [string, Rational]>): Term {
  let c = coefficient
  const m: [string, Rational][] = []
  for (const [name, k] of powers) {
    if (q.isZero(k)) continue
    if (name === '!i') {
      const turn = ((k.n % 4n) + 4n) % 4n
      if (turn >= 2n) c = q.negate(c)
      if (turn % 2n === 1n) m.push([name, q.ONE])
    } else if (name.startsWith('#')) {
      // Whole powers of a prime join the coefficient, the rest stays in (0, 1).
      const whole = q.floor(k)
      if (whole !== 0n) c = q.mul(c, q.power({ n: BigInt(name.slice(1)), d: 1n }, whole))
      const rest = q.sub(k, { n: whole, d: 1n })
      if (!q.isZero(rest)) m.push([name, rest])
    } else m.push([name, k])
  }
  return { c, m: m.sort(byKey) }
}

function plus(a: Canonical, b: Canonical): Canonical {
  if (a.d === b.d || samePolynomial(a.d, b.d)) return { n: addPolynomials(a.n, b.n), d: a.d }
  return { n: addPolynomials(multiply(a.n, b.d), multiply(b.n, a.d)), d: multiply(a.d, b.d) }
}
const times = (a: Canonical, b: Canonical): Canonical => {
  const out = { n: multiply(a.n, b.n), d: multiply(a.d, b.d) }
  return out.d.size === 1 && out.d !== UNIT ? foldDenominator(out) : out
}

/** A denominator of one term moves into the numerator by negative powers. */
function foldDenominator(x: Canonical): Canonical {
  const [term] = [...x.d.values()] as [Term]
  const inverted = term.m.map(([name, k]) => [name, q.negate(k)] as const)
  return of(multiply(x.n, single(reduced(q.div(q.ONE, term.c), inverted))))
}

function inverse(x: Canonical): Canonical {
  if (x.n.size === 0) throw new RangeError('division by zero')
  const out = { n: x.d, d: x.n }
  return out.d.size === 1 ? foldDenominator(out) : out
}

function wholePower(x: Canonical, k: bigint): Canonical {
  if (k < 0n) return wholePower(inverse(x), -k)
  const value = rationalOf(x)
  if (value) return of(constant(q.power(value, k)))
  if (x.n.size === 1 && x.d === UNIT) {
    const [term] = [...x.n.values()] as [Term]
    const raised = term.m.map(([name, p]) => [name, q.mul(p, { n: k, d: 1n })] as const)
    return of(single(reduced(q.power(term.c, k), raised)))
  }
  if (k > MAX_EXPANDED_POWER) throw new q.TooLarge('power too large to multiply out')
  let out = of(UNIT)
  for (let i = 0n; i < k; i++) out = times(out, x)
  return out
}

function powerForm(b: Canonical, exponent: Expr): Canonical {
  const x = canonical(exponent)
  const k = rationalOf(x)
  if (k && q.isInteger(k)) {
    if (k.n === 0n && b.n.size === 0) throw new RangeError('0^0')
    return wholePower(b, k.n)
  }
  if (k) return fractionalPower(b, k)
  // e^(n ln ...) and 2^(x+1) stay closed, but whole summands of the exponent of a number come out: 2^(x+1) = 2 2^x.
  const base = rationalOf(b)
  const whole = x.d === UNIT ? x.n.get('') : undefined
  if (whole && x.n.size > 1) {
    const rest = new Map(x.n)
    rest.delete('')
    const scaled =
      base && base.n > 0n ? fractionalPower(b, whole.c) : q.isInteger(whole.c) ? wholePower(b, whole.c.n) : null
    if (scaled) return times(scaled, closedPower(b, of(rest)))
  }
  return closedPower(b, x)
}
/** b^x; one coefficient is the atom's power where b is Euler's number, so that e^(2x) = (e^x)^2. */
function closedPower(b: Canonical, x: Canonical): Canonical {
  if (x.d === UNIT && x.n.size === 1 && (isE(b) || (rationalOf(b)?.n ?? -1n) > 0n)) {
    const [term] = [...x.n.values()] as [Term]
    const bare = keyOf(of(single({ c: q.ONE, m: term.m })))
    return of(atom(`@pow(${keyOf(b)};${bare})`, term.c))
  }
  return of(atom(`@pow(${keyOf(b)};${keyOf(x)})`))
}
const isE = (b: Canonical): boolean =>
  b.d === UNIT && b.n.size === 1 && b.n.get('!e^1/1')?.c.n === 1n && b.n.get('!e^1/1')?.c.d === 1n

function fractionalPower(b: Canonical, k: Rational): Canonical {
  if (q.isInteger(k)) return wholePower(b, k.n)
  if (b.n.size === 0) return of(constant(q.ZERO))
  if (b.n.size === 1 && b.d === UNIT) {
    const [term] = [...b.n.values()] as [Term]
    const single_ = monomialPower(term, k)
    if (single_) return single_
  }
  return of(atom(`@root(${keyOf(b)})`, k))
}

/**
 * (c m)^k for c > 0 and m = s^p: the power passes through where that holds for every real s that gives a real value,
 * that is for one symbol with an odd numerator of p. sqrt(x^2) is |x| and stays closed.
 */
function monomialPower(term: Term, k: Rational): Canonical | null {
  let c = term.c
  let turned: Polynomial = UNIT
  if (c.n < 0n) {
    if (term.m.length > 0) return null
    if (k.d % 2n === 1n) turned = constant({ n: k.n % 2n === 0n ? 1n : -1n, d: 1n })
    else if (k.d === 2n) turned = single(reduced(q.ONE, [['!i', { n: k.n, d: 1n }]]))
    else return null
    c = q.negate(c)
  }
  const variable = term.m.filter(([name]) => !name.startsWith('#') && name !== '!pi' && name !== '!e')
  if (variable.length > 1 || variable.some(([name, p]) => name === '!i' || name.startsWith('@') || p.n % 2n === 0n))
    return null
  const numeric = primePowers(c, k)
  if (!numeric) return null
  const m = term.m.map(([name, p]) => [name, q.mul(p, k)] as const)
  return of(multiply(multiply(single(numeric), single(reduced(q.ONE, m))), turned))
}

/** c^k as a rational times fractional powers of primes; null where c has a factor that is not split. */
function primePowers(c: Rational, k: Rational): Term | null {
  const m: [string, Rational][] = []
  for (const [part, s] of [
    [c.n, 1n],
    [c.d, -1n],
  ] as const) {
    const { factors, rest } = q.factorise(part)
    if (rest !== 1n) {
      const whole = perfectPower(rest, k.d)
      if (whole === null) return null
      m.push([`#${whole}`, { n: s * k.n, d: 1n }])
      continue
    }
    for (const [p, count] of factors) m.push([`#${p}`, q.rational(s * BigInt(count) * k.n, k.d)])
  }
  return reduced(q.ONE, m)
}

function perfectPower(n: bigint, k: bigint): bigint | null {
  if (k > 64n || q.bits(n) > MAX_ROOT_BITS) return null
  let low = 1n
  let high = 1n << BigInt(Math.ceil(q.bits(n) / Number(k)) + 1)
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    if (middle ** k <= n) low = middle
    else high = middle - 1n
  }
  return low ** k === n ? low : null
}

function callForm(x: Expr & { t: 'call' }): Canonical {
  const a = x.a.map(canonical)
  const first = a[0] as Canonical
  const value = rationalOf(first)
  switch (x.f) {
    case 'root': {
      const k = rationalOf(a[1] as Canonical)
      if (k && q.isInteger(k) && k.n > 0n) return fractionalPower(first, { n: 1n, d: k.n })
      break
    }
    case 'factorial':
      if (value && q.isInteger(value) && value.n >= 0n) return of(constant({ n: q.factorial(value.n), d: 1n }))
      break
    case 'abs':
      if (value) return of(constant(value.n < 0n ? q.negate(value) : value))
      break
    case 'floor':
      if (value) return of(constant({ n: q.floor(value), d: 1n }))
      break
    case 'ceil':
      if (value) return of(constant({ n: -q.floor(q.negate(value)), d: 1n }))
      break
    case 'binomial': {
      const [n, k] = a.map(rationalOf)
      if (n && k && q.isInteger(n) && q.isInteger(k)) return of(constant(binomial(n.n, k.n)))
      break
    }
    case 'gcd':
    case 'lcm': {
      const values = a.map(rationalOf)
      if (values.every((v) => v !== null && q.isInteger(v) && v.n > 0n)) {
        const numbers = values.map((v) => (v as Rational).n)
        const fold = (p: bigint, n: bigint): bigint => (x.f === 'gcd' ? q.gcd(p, n) : (p / q.gcd(p, n)) * n)
        return of(constant(q.rational(numbers.reduce(fold))))
      }
      break
    }
    case 'min':
    case 'max': {
      const values = a.map(rationalOf)
      if (values.every((v) => v !== null)) {
        return of(constant(values.reduce((p, v) => (q.compare(v, p) > 0 === (x.f === 'max') ? v : p))))
      }
      break
    }
    case 'ln':
      if (isE(first)) return of(UNIT)
      if (value && q.same(value, q.ONE)) return of(constant(q.ZERO))
      break
  }
  return of(atom(`@${x.f}(${a.map(keyOf).join(';')})`))
}

function binomial(n: bigint, k: bigint): Rational {
  if (n < 0n || k < 0n) throw new RangeError('binomial of a negative number')
  if (k > n) return q.ZERO
  const small = k > n - k ? n - k : k
  if (small > 5_000n) throw new q.TooLarge('binomial too large')
  let out = 1n
  for (let i = 1n; i <= small; i++) {
    out = (out * (n - small + i)) / i
    if (q.bits(out) > q.MAX_BITS) throw new q.TooLarge('binomial too large')
  }
  return { n: out, d: 1n }
}

/** slope * name + rest with rational numbers, and where it vanishes; null for anything else. */
export function linear(x: Canonical, name: string): { slope: Rational; root: Rational } | null {
  if (x.d !== UNIT) return null
  const slope = x.n.get(`$${name}^1/1`)?.c
  const rest = x.n.get('')?.c ?? q.ZERO
  if (!slope || x.n.size !== (q.isZero(rest) ? 1 : 2)) return null
  return { slope, root: q.div(q.negate(rest), slope) }
}
