import type { Rational } from './rational.ts'

/** Mathematics as written, after reading; lists and relations are expressions too. */
export type Expr =
  | { t: 'number'; v: Rational }
  | { t: 'symbol'; name: string }
  | { t: 'constant'; name: 'pi' | 'e' | 'i' }
  | { t: 'sum'; a: readonly Expr[] }
  | { t: 'product'; a: readonly Expr[] }
  | { t: 'quotient'; n: Expr; d: Expr }
  | { t: 'power'; b: Expr; x: Expr }
  /** `root` has [radicand, degree]; `log` [argument, base]; `factorial`, `abs`, `floor`, `ceil`, `ln`, `sin`, ... one. */
  | { t: 'call'; f: string; a: readonly Expr[] }
  /** x with the upper or the lower sign of the answer's one choice. */
  | { t: 'choice'; sign: 1 | -1; x: Expr }
  /** Brackets as written; the empty string where items just stand side by side. */
  | { t: 'list'; open: '(' | '[' | '{' | ''; close: ')' | ']' | '}' | ''; items: readonly Expr[] }
  | { t: 'relation'; ops: readonly string[]; sides: readonly Expr[] }
  | { t: 'set'; op: 'cup' | 'cap' | 'setminus'; a: readonly Expr[] }
  | { t: 'matrix'; rows: readonly (readonly Expr[])[] }
  | { t: 'infinity' }
  | { t: 'reals' }
  | { t: 'based'; digits: string; base: number }
  | { t: 'ratio'; a: readonly Expr[] }
  | { t: 'dots' }

export const number = (v: Rational): Expr => ({ t: 'number', v })
export const integer = (n: bigint): Expr => ({ t: 'number', v: { n, d: 1n } })
export const negated = (x: Expr): Expr =>
  x.t === 'number' ? number({ n: -x.v.n, d: x.v.d }) : { t: 'product', a: [integer(-1n), x] }

/** Direct parts of an expression. */
export function parts(x: Expr): readonly Expr[] {
  switch (x.t) {
    case 'sum':
    case 'product':
    case 'call':
    case 'set':
    case 'ratio':
      return x.a
    case 'quotient':
      return [x.n, x.d]
    case 'power':
      return [x.b, x.x]
    case 'choice':
      return [x.x]
    case 'list':
      return x.items
    case 'relation':
      return x.sides
    case 'matrix':
      return x.rows.flat()
    default:
      return []
  }
}

export function some(x: Expr, test: (y: Expr) => boolean): boolean {
  return test(x) || parts(x).some((y) => some(y, test))
}

/** Kinds that have a value at a point. */
const VALUES: ReadonlySet<string> = new Set([
  'number',
  'symbol',
  'constant',
  'sum',
  'product',
  'quotient',
  'power',
  'call',
])
export const isValue = (x: Expr): boolean => !some(x, (y) => !VALUES.has(y.t))

export function symbolsOf(x: Expr, into: Set<string> = new Set()): Set<string> {
  if (x.t === 'symbol') into.add(x.name)
  for (const y of parts(x)) symbolsOf(y, into)
  return into
}

/** The expression with every part replaced, from the leaves up. */
export function rebuild(x: Expr, replace: (y: Expr) => Expr): Expr {
  const go = (y: Expr): Expr => rebuild(y, replace)
  switch (x.t) {
    case 'sum':
    case 'product':
    case 'ratio':
      return replace({ ...x, a: x.a.map(go) })
    case 'call':
      return replace({ ...x, a: x.a.map(go) })
    case 'set':
      return replace({ ...x, a: x.a.map(go) })
    case 'quotient':
      return replace({ ...x, n: go(x.n), d: go(x.d) })
    case 'power':
      return replace({ ...x, b: go(x.b), x: go(x.x) })
    case 'choice':
      return replace({ ...x, x: go(x.x) })
    case 'relation':
      return replace({ ...x, sides: x.sides.map(go) })
    case 'list':
      return replace({ ...x, items: x.items.map(go) })
    case 'matrix':
      return replace({ ...x, rows: x.rows.map((row) => row.map(go)) })
    default:
      return replace(x)
  }
}

/** The expression with one side of every plus-minus taken. */
export const choose = (x: Expr, side: 1 | -1): Expr =>
  rebuild(x, (y) => (y.t !== 'choice' ? y : y.sign * side === 1 ? y.x : negated(y.x)))
