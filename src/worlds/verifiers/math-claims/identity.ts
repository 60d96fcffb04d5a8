import type { Canonical, Polynomial } from '../../answers/canonical.ts'
import { canonical } from '../../answers/canonical.ts'
import type { Expr } from '../../answers/expression.ts'
import { some } from '../../answers/expression.ts'
import { TooLarge } from '../../answers/rational.ts'
import { compareValues } from '../../answers/values.ts'
import { OutOfWork, startWork } from '../../answers/work.ts'
import type { Comparison } from './compare.ts'
import type { Side } from './side.ts'

/** Letters that usually stand for one special number: polynomials in them have more than one form. */
const SPECIAL = /^(?:omega|zeta|epsilon|phi|xi|delta)/
/** Coefficients that differ by less, one of them decimal, may have been rounded. */
const ROUNDED = 0.01

/**
 * Compares two sides with symbols as functions.
 *
 * An equation to be solved and a slip in a transformation look alike. A slip keeps most of the polynomial: the sides are
 * taken for a transformation only where at least as many terms agree as differ, or where one is a product and the other
 * its expansion with two terms in common. Everything else that differs is left alone.
 *
 * @param chained the two sides stand in a chain of three or more, which is how transformations are written
 */
export function compareIdentity(left: Side, right: Side, chained: boolean): Comparison {
  try {
    startWork()
    const verdict = compareValues(left.expr, right.expr)
    if (verdict.verdict === 'equal') return { holds: true, left: null, why: 'equal' }
    if (verdict.verdict === 'unknown') return { holds: null, left: null, why: verdict.reason }
    return { holds: isSlip(left, right, chained) ? false : null, left: null, why: 'may be an equation to be solved' }
  } catch (error) {
    if (error instanceof OutOfWork || error instanceof TooLarge || error instanceof RangeError)
      return { holds: null, left: null, why: 'too large' }
    throw error
  }
}

function isSlip(left: Side, right: Side, chained: boolean): boolean {
  if ([...left.symbols, ...right.symbols].some((s) => SPECIAL.test(s))) return false
  if (![...left.symbols].every((s) => right.symbols.has(s)) && ![...right.symbols].every((s) => left.symbols.has(s)))
    return false
  return keepsMost(left.expr, right.expr, chained, /\d\.\d/.test(left.text + right.text))
}

/** Under the same root and over the same numerator the insides are compared. */
function keepsMost(left: Expr, right: Expr, chained: boolean, decimals: boolean): boolean {
  if (left.t === 'call' && right.t === 'call' && left.f === 'root' && right.f === 'root' && same(left.a[1], right.a[1]))
    return keepsMost(left.a[0] as Expr, right.a[0] as Expr, chained, decimals)
  if (left.t === 'quotient' && right.t === 'quotient') {
    if (same(left.d, right.d)) return keepsMost(left.n, right.n, chained, decimals)
    if (same(left.n, right.n)) return keepsMost(left.d, right.d, chained, decimals)
  }
  const [p, q] = [polynomial(left), polynomial(right)]
  if (p === null || q === null) return false
  const { shared, differing, rounded } = overlap(p, q)
  if (decimals && rounded) return false
  if (shared >= differing && (shared >= 2 || (shared === 1 && chained))) return true
  return shared >= 2 && isProductOfSums(left) !== isProductOfSums(right)
}

const same = (a: Expr | undefined, b: Expr | undefined): boolean =>
  a !== undefined && b !== undefined && compareValues(a, b).verdict === 'equal'

/** The polynomial, functions of symbols taken as symbols; null where there are symbols below the line. */
function polynomial(x: Expr): Polynomial | null {
  const form: Canonical = canonical(x)
  if (form.d.size !== 1 || !form.d.has('')) return null
  return form.n
}

export function overlap(p: Polynomial, q: Polynomial): { shared: number; differing: number; rounded: boolean } {
  let shared = 0
  let differing = 0
  let near = 0
  for (const key of new Set([...p.keys(), ...q.keys()])) {
    const [a, b] = [p.get(key)?.c, q.get(key)?.c]
    if (a && b && a.n === b.n && a.d === b.d) shared++
    else {
      differing++
      if (a && b) {
        const [x, y] = [Number(a.n) / Number(a.d), Number(b.n) / Number(b.d)]
        if (Math.abs(x - y) <= ROUNDED * Math.max(Math.abs(x), Math.abs(y))) near++
      }
    }
  }
  return { shared, differing, rounded: near === differing }
}

/** A product with a bracket in it, or a power of one, at the top. */
const isProductOfSums = (x: Expr): boolean =>
  (x.t === 'product' && x.a.some((y) => isSum(y) || isProductOfSums(y))) || (x.t === 'power' && isSum(x.b))
const isSum = (x: Expr): boolean => x.t === 'sum' && some(x, (y) => y.t === 'symbol')
