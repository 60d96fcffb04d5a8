import type { Expr } from './expression.ts'
import { symbolsOf } from './expression.ts'

/** `x = value` or `f(x) = value`. */
export function assignment(x: Expr | undefined): { name: string; value: Expr } | null {
  if (x?.t !== 'relation' || x.ops.length !== 1 || x.ops[0] !== '=') return null
  const [left, right] = x.sides as [Expr, Expr]
  const name = nameOf(left)
  if (name === null) return null
  if (left.t === 'symbol' && symbolsOf(right).has(left.name)) return null
  return { name, value: right }
}
/** A symbol, f(x), or P(x) with a capital letter. */
export function nameOf(x: Expr): string | null {
  if (x.t === 'symbol') return x.name
  if (x.t === 'list' && x.open === '(' && x.items.every((y) => y.t === 'symbol'))
    return `(${x.items.map(nameOf).join(',')})`
  if (x.t === 'call' && x.f.startsWith('apply ')) return `${x.f}(${x.a.map((y) => nameOf(y) ?? '?').join(',')})`
  // P(x) reads as a product of two symbols.
  if (x.t === 'product' && x.a.length === 2 && x.a.every((y) => y.t === 'symbol')) {
    return /^[A-Z]$/.test(nameOf(x.a[0] as Expr) ?? '') ? x.a.map(nameOf).join(' ') : null
  }
  return null
}
