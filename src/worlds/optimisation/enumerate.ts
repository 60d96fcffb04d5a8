import type { Clause, Model, Plain } from './model.ts'
import { plain } from './model.ts'

/** Points on the border belong to both models. */
const TOLERANCE = 1e-7

/** Where nothing bounds a continuous model: far beyond every number of a word problem. */
const BOX = 1e6

/** Steps of a variable that is whole in one model only. */
const FRACTION = 0.25

/**
 * Do two small models over the same variables allow other points, or value a common point differently?
 *
 * Decided without a solver: whole variables by listing every point between the bounds, continuous ones by listing the
 * vertices (every n of the clauses that meet in one point). Slow on purpose and exact up to rounding; it is the
 * yardstick for the audit. All variables must be whole, with finite bounds, or all continuous, at most some four of
 * them; one may be whole in one of the models only.
 */
export function modelsDiffer(first: Model, second: Model): boolean {
  const a = plain(first)
  const b = plain(
    second,
    first.variables.map((v) => v.name),
  )
  const whole = a.integer.some((i) => i) || b.integer.some((i) => i)
  const points = whole ? grid(a, b) : [...vertices(a), ...vertices(b)]
  return points.some((x) => {
    const [inA, inB] = [allows(a, x), allows(b, x)]
    if (inA !== inB) return true
    return inA && !close(value(a, x), value(b, x))
  })
}

function allows(model: Plain, x: readonly number[]): boolean {
  if (model.integer.some((whole, i) => whole && !Number.isInteger(x[i]))) return false
  return model.clauses.every(({ row, bound }) => {
    let sum = -bound
    let size = Math.abs(bound)
    for (let i = 0; i < row.length; i++) {
      const term = (row[i] ?? 0) * (x[i] ?? 0)
      sum += term
      size = Math.max(size, Math.abs(term))
    }
    return sum <= TOLERANCE * Math.max(1, size)
  })
}

function value(model: Plain, x: readonly number[]): number {
  return model.cost.reduce((sum, c, i) => sum + c * (x[i] ?? 0), model.offset)
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b))
}

/** Every point of the lattice between the loosest bounds of both models. */
function grid(a: Plain, b: Plain): number[][] {
  let points: number[][] = [[]]
  a.cost.forEach((_, i) => {
    const step = a.integer[i] === b.integer[i] ? 1 : FRACTION
    const low = Math.floor(Math.min(limit(a, i, -1), limit(b, i, -1)))
    const high = Math.ceil(Math.max(limit(a, i, 1), limit(b, i, 1)))
    const values = Array.from({ length: (high - low) / step + 1 }, (_, k) => low + k * step)
    points = points.flatMap((p) => values.map((v) => [...p, v]))
  })
  return points
}

/** The bound of one variable among the clauses. @throws RangeError where there is none */
function limit(model: Plain, i: number, sign: 1 | -1): number {
  const bounds = model.clauses.flatMap(({ row, bound }) =>
    Math.sign(row[i] ?? 0) === sign && row.every((c, j) => j === i || c === 0) ? [bound / (row[i] ?? 1)] : [],
  )
  if (bounds.length === 0) throw new RangeError('a whole variable has no bound')
  return sign === 1 ? Math.min(...bounds) : Math.max(...bounds)
}

/** Points of the model in which n of its clauses (or of the box) meet. */
function vertices(model: Plain): number[][] {
  const n = model.cost.length
  const box = model.cost.flatMap((_, i) =>
    [1, -1].map((sign) => ({ row: model.cost.map((__, j) => (i === j ? sign : 0)), bound: BOX })),
  )
  const boxed = { ...model, clauses: [...model.clauses, ...box] as Clause[] }
  const out: number[][] = []
  for (const chosen of subsets(boxed.clauses, n)) {
    const x = intersection(chosen)
    if (x !== null && allows(boxed, x)) out.push(x)
  }
  return out
}

function* subsets<T>(items: readonly T[], size: number): Generator<T[]> {
  if (size === 0) yield []
  for (let i = 0; i <= items.length - size && size > 0; i++) {
    for (const rest of subsets(items.slice(i + 1), size - 1)) yield [items[i] as T, ...rest]
  }
}

/** Gaussian elimination with row pivoting; null where the clauses do not meet in one point. */
function intersection(clauses: readonly Clause[]): number[] | null {
  const m = clauses.map(({ row, bound }) => {
    const largest = Math.max(...row.map(Math.abs))
    return [...row, bound].map((v) => v / (largest || 1))
  })
  const n = m.length
  for (let col = 0; col < n; col++) {
    let pivot = col
    for (let r = col + 1; r < n; r++) if (Math.abs(m[r]?.[col] ?? 0) > Math.abs(m[pivot]?.[col] ?? 0)) pivot = r
    const top = m[pivot]
    const head = top?.[col] ?? 0
    if (!top || Math.abs(head) < SINGULAR) return null
    m[pivot] = m[col] ?? top
    m[col] = top
    for (let r = 0; r < n; r++) {
      const row = m[r]
      if (r === col || !row) continue
      const factor = (row[col] ?? 0) / head
      for (let c = col; c <= n; c++) row[c] = (row[c] ?? 0) - factor * (top[c] ?? 0)
    }
  }
  return m.map((row, i) => (row[n] ?? 0) / (row[i] ?? 1))
}

const SINGULAR = 1e-10
