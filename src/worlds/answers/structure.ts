import { assignment, nameOf } from './assignment.ts'
import type { Expr } from './expression.ts'
import { choose, isValue, some, symbolsOf } from './expression.ts'
import { compareRealSets, infinitySign, isContinuum, saysSet } from './real-sets.ts'
import { compareRelations } from './relations.ts'
import { compareValues } from './values.ts'
import type { Verdict } from './verdict.ts'
import { different, equalBy, unknown } from './verdict.ts'

/** Items of a list that are compared in any order: all pairs are tried. */
const MAX_UNORDERED = 64

type List = Expr & { t: 'list' }

/** Compares two readings part by part: relations, sets, lists, matrices, and values at the leaves. */
export function compare(a: Expr, b: Expr): Verdict {
  const [x, y] = [settled(a), settled(b)]
  if (isValue(x) && isValue(y)) return compareValues(x, y)
  if (x.t === 'dots' && y.t === 'dots') return equalBy('structure', 'both go on')
  const infinities = [infinitySign(x), infinitySign(y)] as const
  if (infinities[0] !== 0 || infinities[1] !== 0) return compareInfinities(x, y, infinities)
  if (x.t === 'based' || y.t === 'based') return compareBased(x, y)
  if (x.t === 'ratio' || y.t === 'ratio') return compareRatios(x, y)
  if (saysSet(x) || saysSet(y)) {
    const verdict = compareRealSets(unassigned(x), unassigned(y))
    if (verdict !== null) return verdict
    if ([x, y].some((z) => isValue(z) && symbolsOf(z).size === 0) && [x, y].some(isContinuum)) {
      return different('structure', 'a continuum and one number')
    }
  }
  if (x.t === 'relation' && y.t === 'relation') return compareRelations(x, y, compare)
  if (x.t === 'relation' || y.t === 'relation') {
    const [relation, other] = x.t === 'relation' ? [x, y] : [y, x as Expr]
    const stated = statedValue(relation as Expr & { t: 'relation' })
    return stated === null ? unknown('a relation and no relation') : compare(stated, other)
  }
  if (x.t === 'matrix' || y.t === 'matrix') return compareMatrices(x, y)
  if (x.t === 'list' && y.t === 'list') return compareLists(x, y)
  if (x.t === 'list' || y.t === 'list') {
    const [list, other] = x.t === 'list' ? [x, y] : [y as List, x as Expr]
    return listAndSingle(list, other)
  }
  return unknown('kinds that are not compared')
}

/** Plus-minus becomes two items; `n = 2, 3, 4` becomes its values; a chain of equal numbers its last. */
function settled(x: Expr): Expr {
  if (x.t === 'list') {
    const items = x.items.flatMap((y) => {
      const z = settled(y)
      return z.t === 'list' && z.open === '' && y.t !== 'list' ? z.items : [z]
    })
    const named = listOfOneName(items)
    return { ...x, items: named ?? items }
  }
  if (!some(x, (y) => y.t === 'choice')) return x
  return { t: 'list', open: '', close: '', items: [choose(x, 1), choose(x, -1)] }
}

/** `x = 1, 2` and `x = 1, x = 2` list the values of one name. */
function listOfOneName(items: readonly Expr[]): Expr[] | null {
  const first = assignment(items[0])
  if (first === null) return null
  const out = [first.value]
  for (const item of items.slice(1)) {
    const next = assignment(item)
    if (next !== null && next.name !== first.name) return null
    if (next === null && !isValue(item)) return null
    if (next === null && symbolsOf(item).size > 0) return null
    out.push(next === null ? item : next.value)
  }
  return out
}

const unassigned = (x: Expr): Expr => assignment(x)?.value ?? x

/** What a relation says where the other side just names a value. */
function statedValue(x: Expr & { t: 'relation' }): Expr | null {
  const named = assignment(x)
  if (named !== null) return named.value
  if (x.ops.length === 1 && x.ops[0] === 'in' && x.sides[0]?.t === 'symbol') return x.sides[1] as Expr
  if (!x.ops.every((op) => op === '=')) return null
  const numeric = x.sides.filter((y) => isValue(y) && symbolsOf(y).size === 0)
  const rest = x.sides.filter((y) => !numeric.includes(y))
  if (numeric.length === 0 || rest.length > 1 || (rest[0] && nameOf(rest[0]) === null)) return null
  const last = numeric.at(-1) as Expr
  return numeric.every((y) => compareValues(y, last).verdict === 'equal') ? last : null
}

function compareInfinities(x: Expr, y: Expr, [a, b]: readonly [number, number]): Verdict {
  if (a !== 0 && b !== 0)
    return a === b ? equalBy('structure', 'same infinity') : different('structure', 'opposite infinities')
  const other = a === 0 ? x : y
  if (isValue(other)) return different('structure', 'infinite and finite')
  return unknown('infinity and something else')
}

const basedValue = (x: Expr & { t: 'based' }): Expr | null => {
  let n = 0n
  for (const digit of x.digits) {
    const d = Number.parseInt(digit, 36)
    if (!(d < x.base)) return null
    n = n * BigInt(x.base) + BigInt(d)
  }
  return { t: 'number', v: { n, d: 1n } }
}

function compareBased(x: Expr, y: Expr): Verdict {
  const [a, b] = [x.t === 'based' ? basedValue(x) : x, y.t === 'based' ? basedValue(y) : y]
  if (a === null || b === null) return unknown('a digit beyond the base')
  const verdict = isValue(a) && isValue(b) ? compareValues(a, b) : unknown('a number in a base and something else')
  if (verdict.verdict !== 'different' || (x.t === 'based' && y.t === 'based')) return verdict
  const [based, plain] = x.t === 'based' ? [x, y] : [y as Expr & { t: 'based' }, x]
  const digits: Expr = { t: 'number', v: { n: BigInt(/^\d+$/.test(based.digits) ? based.digits : '0'), d: 1n } }
  return compareValues(digits, plain).verdict === 'equal'
    ? unknown('same digits, the base is said on one side only')
    : verdict
}

function compareRatios(x: Expr, y: Expr): Verdict {
  if (x.t === 'ratio' && y.t === 'ratio') {
    if (x.a.length !== y.a.length || [...x.a, ...y.a].some((z) => !isValue(z)))
      return unknown('ratios that are not compared')
    const product = (p: Expr | undefined, q: Expr | undefined): Expr => ({ t: 'product', a: [p as Expr, q as Expr] })
    return every(x.a.map((z, i) => compareValues(product(z, y.a[0]), product(y.a[i], x.a[0]))))
  }
  const [ratio, other] = x.t === 'ratio' ? [x, y] : [y as Expr & { t: 'ratio' }, x]
  if (ratio.a.length !== 2 || !isValue(other) || !ratio.a.every(isValue)) return unknown('a ratio and something else')
  const verdict = compareValues({ t: 'quotient', n: ratio.a[0] as Expr, d: ratio.a[1] as Expr }, other)
  return verdict.verdict === 'equal' ? unknown('a ratio and a fraction of the same value') : verdict
}

/** All equal = equal, one different = different, else unknown. */
function every(verdicts: readonly Verdict[]): Verdict {
  return (
    verdicts.find((v) => v.verdict === 'different') ??
    verdicts.find((v) => v.verdict === 'unknown') ??
    equalBy('structure', 'all parts equal')
  )
}

function compareMatrices(x: Expr, y: Expr): Verdict {
  if (x.t === 'matrix' && y.t === 'matrix') {
    if (x.rows.length !== y.rows.length || x.rows.some((row, i) => row.length !== y.rows[i]?.length)) {
      return different('structure', 'matrices of different shape')
    }
    return every(x.rows.flatMap((row, i) => row.map((cell, j) => compare(cell, y.rows[i]?.[j] as Expr))))
  }
  const [matrix, other] = x.t === 'matrix' ? [x, y] : [y as Expr & { t: 'matrix' }, x]
  const cells = matrix.rows.flat()
  if (other.t === 'list' && (matrix.rows.length === 1 || matrix.rows.every((row) => row.length === 1))) {
    if (other.items.length !== cells.length) return different('structure', 'vectors of different length')
    const verdict = every(cells.map((cell, i) => compare(cell, other.items[i] as Expr)))
    return verdict.verdict === 'equal' ? unknown('a vector and a tuple of the same numbers') : verdict
  }
  return isValue(other) && cells.length > 1
    ? different('structure', 'a matrix and a number')
    : unknown('a matrix and something else')
}

const isOrdered = (x: List): boolean => x.open === '(' || x.open === '['

function compareLists(x: List, y: List): Verdict {
  if (x.items.some((z) => z.t === 'dots') || y.items.some((z) => z.t === 'dots')) return compareSequences(x, y)
  if (isOrdered(x) && isOrdered(y)) {
    if (x.items.length !== y.items.length) return different('structure', 'lists of different length')
    const verdict = every(x.items.map((z, i) => compare(z, y.items[i] as Expr)))
    const brackets = x.open === y.open && x.close === y.close
    if (brackets || verdict.verdict !== 'equal') return verdict
    return x.items.length === 2 ? different('structure', 'open and closed ends differ') : verdict
  }
  if (!isOrdered(x) && !isOrdered(y)) {
    const named = byName(x.items, y.items)
    if (named !== null) return named
    const asSet = x.open === '{' && y.open === '{'
    return unordered(asSet ? distinct(x.items) : x.items, asSet ? distinct(y.items) : y.items)
  }
  const anyOrder = unordered(x.items, y.items)
  if (anyOrder.verdict !== 'equal') return anyOrder
  const inOrder = every(x.items.map((z, i) => compare(z, y.items[i] as Expr)))
  const bare = x.open === '' || y.open === ''
  // Without brackets three numbers in order are the same triple; two might be an interval or two solutions.
  if (bare && inOrder.verdict === 'equal' && x.items.length > 2) return inOrder
  return unknown('the same members, once with and once without an order')
}

/** `x = 5, y = 3` in any order: the values of each name are compared. */
function byName(x: readonly Expr[], y: readonly Expr[]): Verdict | null {
  const [p, q] = [x.map(assignment), y.map(assignment)]
  if (p.length !== q.length || p.some((z) => z === null) || q.some((z) => z === null)) return null
  const values = new Map(q.map((z) => [z?.name, z?.value]))
  if (values.size !== q.length || new Set(p.map((z) => z?.name)).size !== p.length) return null
  if (p.some((z) => !values.has(z?.name))) return null
  return every(p.map((z) => compare(z?.value as Expr, values.get(z?.name) as Expr)))
}

/** Lists with an ellipsis: a different first or last member shows a difference, the rule between is not guessed. */
function compareSequences(x: List, y: List): Verdict {
  if (x.items.length === y.items.length) {
    const verdict = every(x.items.map((z, i) => compare(z, y.items[i] as Expr)))
    if (verdict.verdict === 'equal') return verdict
  }
  for (const at of [0, 1, -1]) {
    const [p, q] = [x.items.at(at), y.items.at(at)]
    if (p && q && p.t !== 'dots' && q.t !== 'dots' && compare(p, q).verdict === 'different') {
      return different('structure', 'sequences with a different member')
    }
  }
  return unknown('the rule of a sequence is not guessed')
}

function distinct(items: readonly Expr[]): Expr[] {
  if (items.length > MAX_UNORDERED) return [...items]
  return items.filter((z, i) => !items.slice(0, i).some((w) => compare(w, z).verdict === 'equal'))
}

function unordered(x: readonly Expr[], y: readonly Expr[]): Verdict {
  if (x.length > MAX_UNORDERED || y.length > MAX_UNORDERED) return unknown('too many members', 'limits')
  const left = new Set(y)
  let doubt: Verdict | null = null
  for (const z of x) {
    let found: Expr | null = null
    let unsure = false
    for (const w of left) {
      const { verdict } = compare(z, w)
      if (verdict === 'equal') {
        found = w
        break
      }
      if (verdict === 'unknown') unsure = true
    }
    if (found !== null) left.delete(found)
    else if (unsure) doubt = unknown('members that cannot be matched')
    else return different('structure', 'a member stands on one side only')
  }
  if (doubt !== null) return doubt
  return left.size === 0
    ? equalBy('structure', 'same members')
    : different('structure', 'a member stands on one side only')
}

function listAndSingle(list: List, other: Expr): Verdict {
  const items = list.open === '{' ? distinct(list.items) : list.items
  if (items.length === 1) return compare(items[0] as Expr, other)
  if (items.length === 0) return unknown('an empty set and something else')
  if (!isValue(other)) return unknown('a list and something else')
  const all = items.every(isValue)
  const settledApart = isOrdered(list) || items.some((z) => compare(z, other).verdict === 'different')
  return all && settledApart ? different('structure', 'several values and one') : unknown('a list and something else')
}
