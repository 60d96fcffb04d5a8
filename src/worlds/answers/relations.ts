import { assignment } from './assignment.ts'
import type { Polynomial } from './canonical.ts'
import { canonical, proportional, totalDegree } from './canonical.ts'
import type { Expr } from './expression.ts'
import { isValue, negated, symbolsOf } from './expression.ts'
import { TooLarge } from './rational.ts'
import type { Verdict } from './verdict.ts'
import { different, equalBy, unknown } from './verdict.ts'

type Relation = Expr & { t: 'relation' }

/**
 * Compares two relations by what they say.
 *
 * Assignments to one name compare their values. Equations are equal where left minus right are proportional; they are
 * called different only where both are linear, since curves of higher degree may coincide in ways this does not see.
 */
export function compareRelations(a: Relation, b: Relation, compare: (x: Expr, y: Expr) => Verdict): Verdict {
  const [p, q] = [assignment(a), assignment(b)]
  if (p && q && p.name === q.name) return compare(p.value, q.value)
  if (sameSides(a, b, compare)) return equalBy('structure', 'same relation')
  if (a.ops.length !== 1 || b.ops.length !== 1) return unknown('chains of relations')
  const [x, y] = [standard(a), standard(b)]
  if (x === null || y === null || x.op !== y.op) return unknown('relations of different kinds')
  if (p && q && symbolsOf(p.value).size === 0 && symbolsOf(q.value).size === 0) {
    const verdict = compare(p.value, q.value)
    return verdict.verdict === 'equal' ? unknown('the same value for different names') : verdict
  }
  return byNormalForm(x, y)
}

function sameSides(a: Relation, b: Relation, compare: (x: Expr, y: Expr) => Verdict): boolean {
  if (a.ops.length !== b.ops.length) return false
  const sides = (x: Relation, y: Relation): boolean =>
    x.ops.every((op, i) => op === y.ops[i]) &&
    x.sides.every((s, i) => compare(s, y.sides[i] as Expr).verdict === 'equal')
  return sides(a, b) || sides(a, turned(b))
}

const TURNED: Readonly<Record<string, string>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
  in: 'ni',
}
const turned = (x: Relation): Relation => ({
  ...x,
  ops: [...x.ops].reverse().map((op) => TURNED[op] as string),
  sides: [...x.sides].reverse(),
})

/** f = 0, f != 0, f > 0 or f >= 0. */
function standard(x: Relation): { op: string; f: Expr } | null {
  const [left, right] = x.sides as [Expr, Expr]
  const op = x.ops[0] as string
  if (!isValue(left) || !isValue(right) || op === 'in') return null
  const up = op.startsWith('<') ? [right, left] : [left, right]
  return { op: op.replace('<', '>'), f: { t: 'sum', a: [up[0] as Expr, negated(up[1] as Expr)] } }
}

function byNormalForm(x: { op: string; f: Expr }, y: { op: string; f: Expr }): Verdict {
  try {
    const [p, q] = [canonical(x.f), canonical(y.f)]
    const whole = symbolFree(p.d) && symbolFree(q.d)
    const ratio = whole ? proportional(p.n, q.n) : null
    if (ratio !== null && (x.op === '=' || x.op === '!=' || ratio === 'positive')) {
      return equalBy('canonical', 'the same relation up to a factor')
    }
    if (ratio === 'negative' && x.op.startsWith('>')) return different('canonical', 'opposite inequalities')
    if (whole && x.op === '=' && ratio === null && proportional(withoutConstant(p.n), withoutConstant(q.n)) !== null) {
      return different('canonical', 'equations without a common solution')
    }
    const degrees = [totalDegree(p.n), totalDegree(q.n)]
    if (whole && ratio === null && degrees.every((d) => d === 1))
      return different('canonical', 'different linear relations')
    return unknown('relations that are not multiples of each other')
  } catch (error) {
    if (error instanceof TooLarge || error instanceof RangeError) return unknown(error.message, 'limits')
    throw error
  }
}

const withoutConstant = (p: Polynomial): Polynomial => new Map([...p.entries()].filter(([key]) => key !== ''))
const symbolFree = (p: ReadonlyMap<string, unknown>): boolean => [...p.keys()].every((key) => !/[$@]/.test(key))
