import { canonical, linear } from './canonical.ts'
import type { Expr } from './expression.ts'
import { isValue, negated, number, symbolsOf } from './expression.ts'
import { NotMath } from './tokens.ts'
import { order } from './values.ts'
import type { Verdict } from './verdict.ts'
import { different, equalBy, unknown } from './verdict.ts'

/** An end of an interval: null = infinite on that side. */
interface Interval {
  lo: Expr | null
  loClosed: boolean
  hi: Expr | null
  hiClosed: boolean
}
const LINE: Interval = { lo: null, loClosed: false, hi: null, hiClosed: false }

/** Raised where two ends cannot be ordered. */
class Unordered extends Error {}

export const infinitySign = (x: Expr): -1 | 0 | 1 => {
  if (x.t === 'infinity') return 1
  if (x.t === 'product' && x.a.length === 2 && x.a[1]?.t === 'infinity') {
    const [c] = x.a
    return c?.t === 'number' ? (c.v.n < 0n ? -1 : 1) : 0
  }
  return 0
}

/** Does the expression speak of a set of real numbers beyond listing its members? */
export function saysSet(x: Expr): boolean {
  if (x.t === 'set' || x.t === 'reals') return true
  if (x.t === 'relation') return x.ops.some((op) => op !== '=')
  return x.t === 'list' && x.items.some((y) => infinitySign(y) !== 0)
}

/**
 * Compares intervals, unions, differences and inequalities of one unknown as sets of real numbers.
 * @returns null where one side is no such set
 */
export function compareRealSets(a: Expr, b: Expr): Verdict | null {
  try {
    const x = toSet(a)
    const y = toSet(b)
    if (x === null || y === null) return null
    const names = new Set([...x.names, ...y.names])
    const [p, q] = [merged(x.set), merged(y.set)]
    const same = p.length === q.length && p.every((interval, i) => sameInterval(interval, q[i] as Interval))
    if (!same) return different('structure', 'different sets of real numbers')
    return names.size > 1
      ? unknown('the same set for different names')
      : equalBy('structure', 'same set of real numbers')
  } catch (error) {
    if (error instanceof Unordered) return unknown('ends of intervals cannot be ordered')
    if (error instanceof NotMath) return null
    throw error
  }
}

/** An interval with an infinite end, or a union of proper intervals. */
export function isContinuum(x: Expr): boolean {
  if (x.t === 'reals') return true
  if (x.t === 'set') return x.op === 'cup' && x.a.some(isContinuum)
  return x.t === 'list' && (x.open === '(' || x.open === '[') && x.items.length === 2
}

interface Named {
  set: Interval[]
  names: string[]
}

function toSet(x: Expr): Named | null {
  switch (x.t) {
    case 'reals':
      return { set: [LINE], names: [] }
    case 'list':
      return listSet(x)
    case 'relation':
      return relationSet(x)
    case 'set': {
      const sets = x.a.map(toSet)
      if (sets.some((s) => s === null)) return null
      const known = sets as Named[]
      const names = known.flatMap((s) => s.names)
      const all = known.map((s) => s.set)
      if (x.op === 'cup') return { set: all.flat(), names }
      return {
        set: all.slice(1).reduce((p, q) => intersection(p, x.op === 'cap' ? q : complement(q)), all[0] ?? []),
        names,
      }
    }
    default:
      return null
  }
}

function listSet(x: Expr & { t: 'list' }): Named | null {
  if (x.open === '{') {
    if (!x.items.every(isNumber)) return null
    return { set: x.items.map(point), names: [] }
  }
  if (x.open === '' || x.items.length !== 2) return null
  const [lo, hi] = x.items as [Expr, Expr]
  const low = infinitySign(lo)
  const high = infinitySign(hi)
  if (low > 0 || high < 0 || (low === 0 && !isNumber(lo)) || (high === 0 && !isNumber(hi))) return null
  if (low === 0 && high === 0 && before(hi, lo)) return null
  return {
    set: [
      {
        lo: low ? null : lo,
        loClosed: !low && x.open === '[',
        hi: high ? null : hi,
        hiClosed: !high && x.close === ']',
      },
    ],
    names: [],
  }
}

const isNumber = (x: Expr): boolean => isValue(x) && symbolsOf(x).size === 0
const point = (x: Expr): Interval => ({ lo: x, loClosed: true, hi: x, hiClosed: true })

/** `x > 3`, `1 <= x < 3`, `x in S`, `2x - 1 < 5`: one unknown, each neighbouring pair linear in it. */
function relationSet(x: Expr & { t: 'relation' }): Named | null {
  if (x.ops.length === 1 && x.ops[0] === 'in') {
    const set = toSet(x.sides[1] as Expr)
    const [name] = x.sides
    return set && name?.t === 'symbol' ? { set: set.set, names: [name.name] } : null
  }
  const names = [...symbolsOf(x)]
  if (names.length !== 1 || x.ops.includes('in')) return null
  let set: Interval[] = [LINE]
  for (const [i, op] of x.ops.entries()) {
    const half = halfLine(x.sides[i] as Expr, op, x.sides[i + 1] as Expr, names[0] as string)
    if (half === null) return null
    set = intersection(set, half)
  }
  return { set, names }
}

const FLIPPED: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=', '=': '=', '!=': '!=' }

function halfLine(left: Expr, op: string, right: Expr, name: string): Interval[] | null {
  let bound: Expr | null = null
  let sense = op
  const infinite = infinitySign(right) || infinitySign(left)
  if (infinite !== 0) return [LINE]
  if (left.t === 'symbol' && isNumber(right)) bound = right
  else if (right.t === 'symbol' && isNumber(left)) {
    bound = left
    sense = FLIPPED[op] ?? op
  } else {
    if (!isValue(left) || !isValue(right)) return null
    const solved = linear(canonical({ t: 'sum', a: [left, negated(right)] }), name)
    if (solved === null) return null
    bound = number(solved.root)
    if (solved.slope.n < 0n) sense = FLIPPED[op] ?? op
  }
  const below: Interval = { lo: null, loClosed: false, hi: bound, hiClosed: sense === '<=' }
  const above: Interval = { lo: bound, loClosed: sense === '>=', hi: null, hiClosed: false }
  if (sense === '=') return [point(bound)]
  if (sense === '!=') return [below, above]
  return [sense.startsWith('<') ? below : above]
}

function compareEnds(a: Expr, b: Expr): -1 | 0 | 1 {
  const out = order(a, b)
  if (out === null) throw new Unordered()
  return out
}
const before = (a: Expr, b: Expr): boolean => compareEnds(a, b) < 0

function compareLow(a: Interval, b: Interval): number {
  if (a.lo === null || b.lo === null) return a.lo === b.lo ? 0 : a.lo === null ? -1 : 1
  return compareEnds(a.lo, b.lo) || Number(b.loClosed) - Number(a.loClosed)
}
function compareHigh(a: Interval, b: Interval): number {
  if (a.hi === null || b.hi === null) return a.hi === b.hi ? 0 : a.hi === null ? 1 : -1
  return compareEnds(a.hi, b.hi) || Number(a.hiClosed) - Number(b.hiClosed)
}

function isEmpty(x: Interval): boolean {
  if (x.lo === null || x.hi === null) return false
  const s = compareEnds(x.lo, x.hi)
  return s > 0 || (s === 0 && !(x.loClosed && x.hiClosed))
}

/** Sorted, without empty, overlapping or touching intervals. */
function merged(set: readonly Interval[]): Interval[] {
  const sorted = set.filter((x) => !isEmpty(x)).sort(compareLow)
  const out: Interval[] = []
  for (const next of sorted) {
    const last = out.at(-1)
    if (last && touches(last, next)) {
      if (compareHigh(next, last) > 0) out[out.length - 1] = { ...last, hi: next.hi, hiClosed: next.hiClosed }
    } else out.push(next)
  }
  return out
}
function touches(a: Interval, b: Interval): boolean {
  if (a.hi === null || b.lo === null) return true
  const s = compareEnds(a.hi, b.lo)
  return s > 0 || (s === 0 && (a.hiClosed || b.loClosed))
}

function intersection(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  for (const x of a) {
    for (const y of b) {
      const low = compareLow(x, y) >= 0 ? x : y
      const high = compareHigh(x, y) <= 0 ? x : y
      const both = { lo: low.lo, loClosed: low.loClosed, hi: high.hi, hiClosed: high.hiClosed }
      if (!isEmpty(both)) out.push(both)
    }
  }
  return out
}

function complement(set: readonly Interval[]): Interval[] {
  return merged(set).reduce<Interval[]>(
    (rest, x) => {
      const outside: Interval[] = []
      if (x.lo !== null) outside.push({ lo: null, loClosed: false, hi: x.lo, hiClosed: !x.loClosed })
      if (x.hi !== null) outside.push({ lo: x.hi, loClosed: !x.hiClosed, hi: null, hiClosed: false })
      return intersection(rest, outside)
    },
    [LINE],
  )
}

function sameInterval(a: Interval, b: Interval): boolean {
  return compareLow(a, b) === 0 && compareHigh(a, b) === 0
}
