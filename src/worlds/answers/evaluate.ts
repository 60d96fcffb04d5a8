import type { Ball } from './ball.ts'
import * as ball from './ball.ts'
import { Undefined } from './ball.ts'
import type { Expr } from './expression.ts'
import type { Rational } from './rational.ts'
import { factorial } from './rational.ts'
import { spend } from './work.ts'

/** A complex number as two balls. */
export interface Complex {
  re: Ball
  im: Ball
}

const ZERO = ball.fromInteger(0n)
const ONE = ball.fromInteger(1n)
const real = (re: Ball): Complex => ({ re, im: ZERO })
export const isReal = (z: Complex): boolean => ball.isExactZero(z.im)

/**
 * Value of an expression at a point, every rounding accounted for.
 *
 * @param complex whether even roots of negative numbers are imaginary (true) or undefined (false)
 * @throws Undefined where there is no value; TooLarge past the limits
 */
export function evaluate(x: Expr, point: ReadonlyMap<string, Rational>, complex: boolean): Complex {
  const go = (y: Expr): Complex => evaluate(y, point, complex)
  spend(x.t === 'call' || x.t === 'power' ? 10 : 1)
  switch (x.t) {
    case 'number':
      return real(ball.fromRational(x.v))
    case 'symbol': {
      const v = point.get(x.name)
      if (!v) throw new Undefined(`no value for ${x.name}`)
      return real(ball.fromRational(v))
    }
    case 'constant':
      return x.name === 'i' ? { re: ZERO, im: ONE } : real(x.name === 'pi' ? ball.pi : ball.e)
    case 'sum':
      return x.a.map(go).reduce((a, b) => ({ re: ball.plus(a.re, b.re), im: ball.plus(a.im, b.im) }))
    case 'product':
      return x.a.map(go).reduce(times)
    case 'quotient':
      return divide(go(x.n), go(x.d))
    case 'power':
      return power(go(x.b), x.x, go, complex)
    case 'call':
      return call(x, go, complex)
    default:
      throw new Undefined(`no value: ${x.t}`)
  }
}

function times(a: Complex, b: Complex): Complex {
  if (isReal(a) && isReal(b)) return real(ball.times(a.re, b.re))
  return {
    re: ball.minus(ball.times(a.re, b.re), ball.times(a.im, b.im)),
    im: ball.plus(ball.times(a.re, b.im), ball.times(a.im, b.re)),
  }
}

function divide(a: Complex, b: Complex): Complex {
  if (isReal(a) && isReal(b)) return real(ball.divide(a.re, b.re))
  const norm = ball.plus(ball.times(b.re, b.re), ball.times(b.im, b.im))
  const z = times(a, { re: b.re, im: ball.negative(b.im) })
  return { re: ball.divide(z.re, norm), im: ball.divide(z.im, norm) }
}

function realOf(z: Complex): Ball {
  if (!isReal(z)) throw new Undefined('complex argument')
  return z.re
}

function root(z: Complex, k: number, complex: boolean): Complex {
  const x = realOf(z)
  if (complex && k === 2 && ball.sign(x) < 0) return { re: ZERO, im: ball.root(ball.negative(x), 2) }
  if (complex && k > 2 && ball.sign(x) < 0) throw new Undefined('a root with several meanings')
  return real(ball.root(x, k))
}

function power(b: Complex, exponent: Expr, go: (x: Expr) => Complex, complex: boolean): Complex {
  const fraction = smallFraction(exponent)
  if (fraction) {
    const [k, n] = fraction
    const base = n === 1 ? b : root(b, n, complex)
    if (k < 0n) return divide(real(ONE), wholePower(base, -k))
    return wholePower(base, k)
  }
  const x = go(exponent)
  const base = realOf(b)
  // e^(a + bi) = e^a (cos b + i sin b), and any positive base through its logarithm.
  const scale = ball.logarithm(base)
  const size = ball.exponential(ball.times(x.re, scale))
  if (isReal(x)) return real(size)
  const [c, s] = ball.circle(ball.times(x.im, scale))
  return { re: ball.times(size, c), im: ball.times(size, s) }
}

function wholePower(b: Complex, k: bigint): Complex {
  if (isReal(b)) return real(ball.powerOf(b.re, k))
  if (k > 1_000n) throw new Undefined('exponent too large')
  let out = real(ONE)
  for (let i = 0n; i < k; i++) out = times(out, b)
  return out
}

/** A written exponent k/n with small n. */
function smallFraction(x: Expr): [bigint, number] | null {
  if (x.t === 'number') return x.v.d <= 64n ? [x.v.n, Number(x.v.d)] : null
  if (x.t === 'quotient') {
    const n = smallFraction(x.n)
    const d = smallFraction(x.d)
    if (!n || !d || n[1] !== 1 || d[1] !== 1 || d[0] <= 0n || d[0] > 64n) return null
    const whole = n[0] % d[0] === 0n
    return whole ? [n[0] / d[0], 1] : lowest(n[0], d[0])
  }
  if (x.t === 'product' && x.a.length === 2) {
    const a = smallFraction(x.a[0] as Expr)
    const b = smallFraction(x.a[1] as Expr)
    return a && b && a[1] === 1 ? (a[0] === -1n ? [-b[0], b[1]] : b[1] === 1 ? [a[0] * b[0], 1] : null) : null
  }
  return null
}
function lowest(n: bigint, d: bigint): [bigint, number] {
  let [a, b] = [n < 0n ? -n : n, d]
  while (b > 0n) [a, b] = [b, a % b]
  return [n / a, Number(d / a)]
}

function call(x: Expr & { t: 'call' }, go: (x: Expr) => Complex, complex: boolean): Complex {
  const a = x.a.map(go)
  const first = a[0] as Complex
  const negate = (b: Ball): Ball => ball.negative(b)
  const inverse = (b: Ball): Ball => ball.divide(ONE, b)
  switch (x.f) {
    case 'root': {
      const k = smallFraction(x.a[1] as Expr)
      if (k?.[1] !== 1 || k[0] < 1n || k[0] > 64n) throw new Undefined('degree of a root')
      return root(first, Number(k[0]), complex)
    }
    case 'abs': {
      if (!isReal(first)) {
        const norm = ball.plus(ball.times(first.re, first.re), ball.times(first.im, first.im))
        return real(ball.root(norm, 2))
      }
      return real(ball.sign(first.re) < 0 || first.re.m < 0n ? negate(first.re) : first.re)
    }
    case 'sin':
      return real(ball.circle(realOf(first))[1])
    case 'cos':
      return real(ball.circle(realOf(first))[0])
    case 'cis': {
      const [c, s] = ball.circle(realOf(first))
      return { re: c, im: s }
    }
    case 'tan':
    case 'cot': {
      const [c, s] = ball.circle(realOf(first))
      return real(x.f === 'tan' ? ball.divide(s, c) : ball.divide(c, s))
    }
    case 'sec':
      return real(inverse(ball.circle(realOf(first))[0]))
    case 'csc':
      return real(inverse(ball.circle(realOf(first))[1]))
    case 'ln':
      return real(ball.logarithm(realOf(first)))
    case 'atan':
      return real(ball.arctangent(realOf(first)))
    case 'asin':
      return real(arcsine(realOf(first)))
    case 'acos':
      return real(ball.minus({ ...ball.pi, e: ball.pi.e - 1 }, arcsine(realOf(first))))
    case 'sinh':
    case 'cosh':
    case 'tanh': {
      const up = ball.exponential(realOf(first))
      const down = inverse(up)
      const two = ball.fromInteger(2n)
      if (x.f === 'tanh') return real(ball.divide(ball.minus(up, down), ball.plus(up, down)))
      return real(ball.divide(x.f === 'sinh' ? ball.minus(up, down) : ball.plus(up, down), two))
    }
    case 'factorial': {
      const n = x.a[0] as Expr
      if (n.t !== 'number' || n.v.d !== 1n) throw new Undefined('factorial')
      return real(ball.fromRational({ n: factorial(n.v.n), d: 1n }))
    }
    case 'floor':
    case 'ceil': {
      const value = realOf(first)
      if (value.r > -20) throw new Undefined('rounding near a jump')
      const at = ball.toNumber(value)
      if (Math.abs(at) > 1e9 || Math.abs(at - Math.round(at)) < 1e-6) throw new Undefined('rounding near a jump')
      return real(ball.fromInteger(BigInt(x.f === 'floor' ? Math.floor(at) : Math.ceil(at))))
    }
    case 'min':
    case 'max':
      return real(
        a.map(realOf).reduce((p, v) => {
          const order = ball.sign(ball.minus(v, p))
          if (order === 0) throw new Undefined('two numbers too close')
          return order > 0 === (x.f === 'max') ? v : p
        }),
      )
    default:
      throw new Undefined(`no value for ${x.f}`)
  }
}

function arcsine(x: Ball): Ball {
  const rest = ball.minus(ONE, ball.times(x, x))
  if (ball.isExactZero(rest)) return { ...(x.m < 0n ? ball.negative(ball.pi) : ball.pi), e: ball.pi.e - 1 }
  if (ball.sign(rest) < 0) throw new Undefined('arcsine beyond 1')
  return ball.arctangent(ball.divide(x, ball.root(rest, 2)))
}
