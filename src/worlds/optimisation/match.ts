import type { Clause, Model, Plain } from './model.ts'
import { plain } from './model.ts'

/** Two normalised numbers within this are the same number written differently (thirds as .3333333). */
const SAME = 1e-6

/** All orders of so many variables are tried: 6! = 720 orders of some dozen clauses take milliseconds. */
const MAX_PERMUTED = 6

/** The clause with its largest coefficient 1; a clause without variables stays as it is. */
export function normal(clause: Clause): Clause {
  const largest = Math.max(...clause.row.map(Math.abs))
  if (largest === 0) return clause
  return { ...clause, row: clause.row.map((c) => c / largest), bound: clause.bound / largest }
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= SAME * Math.max(1, Math.abs(a), Math.abs(b))

/** The same half-space; both must be normal. */
export function sameClause(a: Clause, b: Clause): boolean {
  return near(a.bound, b.bound) && a.row.every((c, i) => near(c, b.row[i] ?? 0))
}

/** 1 = same function, another positive number = multiple of it, null = another function. */
export function objectiveRatio(a: Plain, b: Plain): number | null {
  const at = a.cost.findIndex((c) => c !== 0)
  if (at < 0) return b.cost.every((c) => c === 0) && near(a.offset, b.offset) ? 1 : null
  const ratio = (b.cost[at] ?? 0) / (a.cost[at] ?? 1)
  if (!(ratio > 0)) return null
  const same = a.cost.every((c, i) => near(c * ratio, b.cost[i] ?? 0)) && near(a.offset * ratio, b.offset)
  return same ? (near(ratio, 1) ? 1 : ratio) : null
}

/** Names of the candidate's variables in the order of the reference's, or why there is no such order. */
export type Matched = { order: string[]; how: 'names' | 'structure' } | { why: string }

/**
 * Which variable of the candidate is which of the reference: by name where the names are the same but for case,
 * punctuation and a plural s, else the order in which most clauses agree.
 */
export function matchVariables(reference: Model, candidate: Model): Matched {
  const wanted = reference.variables.map((v) => simple(v.name))
  const given = new Map(candidate.variables.map((v) => [simple(v.name), v.name]))
  if (wanted.length !== candidate.variables.length) {
    return { why: `the model has ${candidate.variables.length} variables, the reference ${wanted.length}` }
  }
  const named = wanted.map((name) => given.get(name))
  if (new Set(named).size === wanted.length && named.every((name) => name !== undefined)) {
    return { order: named, how: 'names' }
  }
  if (wanted.length > MAX_PERMUTED) return { why: `${wanted.length} variables with other names` }
  const ours = plain(reference)
  const clauses = ours.clauses.map(normal)
  let best: { order: string[]; agree: number } | null = null
  for (const order of orders(candidate.variables.map((v) => v.name))) {
    const theirs = plain(candidate, order)
    let agree = clauses.filter((c) => theirs.clauses.some((d) => sameClause(c, normal(d)))).length
    if (objectiveRatio(ours, theirs) !== null) agree += 1
    agree += ours.cost.filter((c, i) => near(Math.abs(c), Math.abs(theirs.cost[i] ?? 0))).length / (wanted.length + 1)
    if (best === null || agree > best.agree) best = { order, agree }
  }
  return best === null ? { why: 'no variables' } : { order: best.order, how: 'structure' }
}

function simple(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/(?<=[a-z]{2})s$/, '')
}

function* orders(names: readonly string[]): Generator<string[]> {
  if (names.length === 0) yield []
  for (const [i, name] of names.entries()) {
    for (const rest of orders(names.filter((_, j) => j !== i))) yield [name, ...rest]
  }
}

/** A clause of the candidate and what it stands for in the reference. */
export interface Aligned {
  clause: Clause
  /** Index of the reference clause; null = nothing like it. */
  reference: number | null
  same: boolean
}

/** Every clause of the candidate beside the clause of the reference that it equals or most resembles. */
export function alignClauses(reference: Plain, candidate: Plain): { aligned: Aligned[]; missing: number[] } {
  const ours = reference.clauses.map(normal)
  const theirs = candidate.clauses.map(normal)
  const aligned: Aligned[] = theirs.map((c, i) => {
    const found = ours.findIndex((r) => sameClause(r, c))
    return { clause: candidate.clauses[i] ?? c, reference: found < 0 ? null : found, same: found >= 0 }
  })
  // A clause that stands twice in the reference is there when it stands once in the candidate.
  const missing = ours.flatMap((r, i) => (theirs.some((c) => sameClause(r, c)) ? [] : [i]))
  const free = new Set(missing)
  const pairs = theirs
    .flatMap((c, i) => (aligned[i]?.same ? [] : missing.map((r) => ({ i, r, like: likeness(ours[r], c) }))))
    .filter((pair) => pair.like > 0)
    .sort((a, b) => b.like - a.like || a.i - b.i || a.r - b.r)
  for (const { i, r } of pairs) {
    const entry = aligned[i]
    if (!entry || entry.reference !== null || !free.has(r)) continue
    entry.reference = r
    free.delete(r)
  }
  return { aligned, missing }
}

/** Share of the numbers that agree at the best scale, which is negative where only the sense differs; 0 = nothing alike. */
function likeness(reference: Clause | undefined, candidate: Clause): number {
  if (!reference) return 0
  const a = [...reference.row, reference.bound]
  const b = [...candidate.row, candidate.bound]
  const used = a.map((_, i) => i).filter((i) => a[i] !== 0 || b[i] !== 0)
  const support = reference.row.every((c, i) => (c === 0) === (candidate.row[i] === 0))
  let most = 0
  for (const at of used) {
    const scale = (b[at] ?? 0) / (a[at] ?? 1)
    if (scale === 0 || !Number.isFinite(scale)) continue
    const agree = used.filter((i) => near((a[i] ?? 0) * scale, b[i] ?? 0)).length
    // A single number always agrees with itself: it counts only where the same variables occur, too.
    if (agree > 1 || support) most = Math.max(most, agree / used.length - (scale < 0 ? 0.01 : 0))
  }
  return most
}
