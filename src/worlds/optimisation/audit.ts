import { type Aligned, alignClauses, matchVariables, objectiveRatio } from './match.ts'
import { type Clause, type Model, type Origin, type Plain, plain, short, writeClause, writeSum } from './model.ts'
import { dot, type Solution, type Solver } from './solve.ts'
import { carriedOver, type Variant, variantsOf } from './variants.ts'

/** One flaw: the part of the candidate that differs, and a point or a value that shows it. */
export interface Difference {
  kind: 'objective' | 'missing' | 'extra' | 'changed' | 'integrality'
  /** Part of the candidate; null where the candidate has nothing in its place. */
  at: Origin | 'objective' | { kind: 'integrality'; variable: string } | null
  /** For people, one clause of a sentence. */
  says: string
  /** Variant on which it shows (0 = the given data), and values of the candidate's variables there. */
  variant: number
  point?: Record<string, number>
}

/** Optimum of both models under one set of data; a status where there is no optimum. */
export interface Optima {
  reference: number | Exclude<Solution['status'], 'optimal'>
  candidate: number | Exclude<Solution['status'], 'optimal'>
}

export interface Audit {
  /** `undecided` = cannot be compared; the reason says why. */
  verdict: 'equivalent' | 'flawed' | 'undecided'
  reason: string
  differences: Difference[]
  /** The given data first. */
  optima: Optima[]
  /** Are the optima of the given data equal? What an outcome check sees; null where the models were not compared. */
  sameOptimum: boolean | null
}

export interface AuditOptions {
  /** Sets of other data. */
  variants: number
  /** Names the data. */
  seed: string
}

/** Published as five data variants (papers/steporlm.md); each costs two solver calls and one for each clause that differs. */
export const DEFAULT_VARIANTS = 5

/** A point outside by less than this, relative to the bound, may be the solver's rounding (its own limit is 1e-7). */
const TOLERANCE = 1e-5

/** Optima of equal models differ by rounding only. */
const OPTIMUM_TOLERANCE = 1e-6

/** A reference made ready: solving its variants is needed once for many candidates. */
export interface Reference {
  model: Model
  plain: Plain
  variants: Variant[]
}

/** @param options of the variants; equal options give equal variants */
export function prepare(model: Model, solver: Solver, options: AuditOptions): Reference {
  return { model, plain: plain(model), variants: variantsOf(model, options.variants, options.seed, solver) }
}

/**
 * Is the candidate the same model as the reference?
 *
 * Variables are matched, then clauses up to scale. What does not match is put to the solver: is there a point that one
 * model allows and the other does not, or that they value differently, under the given data or a variant of it? Such a
 * point is the proof of a flaw, also where the optimum is right. Without one the models are called equivalent.
 *
 * @see papers/steporlm.md (section 4, perturbation test)
 */
export function audit(reference: Reference, candidate: Model, solver: Solver): Audit {
  const undecided = (reason: string): Audit => {
    return { verdict: 'undecided', reason, differences: [], optima: [], sameOptimum: null }
  }
  const given = reference.variants[0]
  if (given?.solution.status !== 'optimal' && given?.solution.status !== 'unbounded') {
    return undecided(`the reference is ${given?.solution.status ?? 'empty'}: no model to compare with`)
  }
  const matched = matchVariables(reference.model, candidate)
  if ('why' in matched) return undecided(`the variables cannot be matched: ${matched.why}`)
  const theirs = plain(candidate, matched.order)
  const comparison = new Comparison(reference, theirs, matched.order, solver)
  const differences = comparison.differences()
  const optima = comparison.optima
  const sameOptimum = equalOptima(optima[0])
  const report = { differences, optima, sameOptimum }
  if (differences.length > 0) {
    return { ...report, verdict: 'flawed', reason: differences.map((d) => d.says).join('; ') }
  }
  if (comparison.trouble !== null) {
    return { ...report, verdict: 'undecided', reason: `the solver gave no answer: ${comparison.trouble}` }
  }
  const ratio = objectiveRatio(reference.plain, theirs)
  if (ratio !== null && ratio !== 1) {
    return {
      ...report,
      verdict: 'undecided',
      reason: `the objective is ${short(ratio)} times that of the reference: another unit or an error`,
    }
  }
  return {
    ...report,
    verdict: 'equivalent',
    reason: `same feasible set and objective on the given data and ${reference.variants.length - 1} variants`,
  }
}

class Comparison {
  readonly optima: Optima[] = []
  /** Why a question stayed open; null = none did. */
  trouble: string | null = null
  private readonly reference: Reference
  private readonly candidate: Plain
  private readonly names: readonly string[]
  private readonly solver: Solver
  private readonly aligned: readonly Aligned[]
  private readonly missing: readonly number[]

  constructor(reference: Reference, candidate: Plain, names: readonly string[], solver: Solver) {
    this.reference = reference
    this.candidate = candidate
    this.names = names
    this.solver = solver
    const { aligned, missing } = alignClauses(reference.plain, candidate)
    this.aligned = aligned
    this.missing = missing
  }

  /** Each part of the model is told once, with the first data on which it shows. */
  differences(): Difference[] {
    const found = new Map<string, Difference>()
    const derived = this.derived()
    this.reference.variants.forEach((variant, k) => {
      const carried = carriedOver(this.candidate, this.aligned, this.reference.plain, variant.model)
      const skipped = k === 0 ? NONE : derived
      const theirs: Plain = { ...carried, clauses: carried.clauses.filter((_, i) => !skipped.has(i)) }
      const sign = this.reference.model.sense === 'min' ? 1 : -1
      this.optima.push({ reference: told(variant.solution, sign), candidate: told(this.solver.solve(theirs), sign) })
      for (const d of [
        ...this.objective(variant.model, theirs, k),
        ...this.forbidden(variant.model, carried.clauses, skipped, k),
        ...this.allowed(variant.model, theirs, k),
        ...this.integrality(variant.model, theirs, k),
      ]) {
        // An equality that differs shows in both of its halves, and is told once.
        const key = d.at === null ? d.says : JSON.stringify(d.at)
        if (!found.has(key)) found.set(key, d)
      }
    })
    return [...found.values()]
  }

  /**
   * Clauses like no clause of the reference that follow from it exactly (a sum of clauses, say): their data are made
   * from the given data and cannot be carried over, so variants say nothing about them.
   */
  private derived(): Set<number> {
    const out = new Set<number>()
    this.aligned.forEach(({ clause, reference }, i) => {
      if (reference !== null) return
      const most = this.most(clause.row, this.reference.plain)
      if (typeof most !== 'string' && most !== null && Math.abs(most.value - clause.bound) <= slack(clause)) out.add(i)
    })
    return out
  }

  private objective(reference: Plain, candidate: Plain, k: number): Difference[] {
    if (objectiveRatio(this.reference.plain, this.candidate) !== null) return []
    const gap = candidate.cost.map((c, i) => c - (reference.cost[i] ?? 0))
    const offset = candidate.offset - reference.offset
    const scale = Math.max(...reference.cost.map(Math.abs), ...candidate.cost.map(Math.abs), 1e-300)
    for (const sign of [1, -1]) {
      const row = gap.map((g) => (sign * g) / scale)
      const most = this.most(row, reference)
      const differs = most === null || (typeof most !== 'string' && most.value + (sign * offset) / scale > TOLERANCE)
      if (!differs) continue
      const opposite = objectiveRatio(
        {
          ...this.reference.plain,
          cost: this.reference.plain.cost.map((c) => -c),
          offset: -this.reference.plain.offset,
        },
        this.candidate,
      )
      const says =
        opposite === null
          ? `the objective ${writeSum(this.candidate.cost, this.names)} should be ${writeSum(this.reference.plain.cost, this.names)} (as a minimum)`
          : 'the objective is minimised where it should be maximised, or the other way round'
      return [{ kind: 'objective', at: 'objective', says, variant: k, ...this.witness(most) }]
    }
    return []
  }

  /** Points of the reference that a clause of the candidate forbids. */
  private forbidden(
    reference: Plain,
    clauses: readonly Clause[],
    skipped: ReadonlySet<number>,
    k: number,
  ): Difference[] {
    return clauses.flatMap((clause, i): Difference[] => {
      const entry = this.aligned[i]
      if (!entry || entry.same || skipped.has(i)) return []
      const most = this.most(clause.row, reference)
      if (typeof most === 'string' || (most !== null && most.value <= clause.bound + slack(clause))) return []
      const like = entry.reference === null ? undefined : this.reference.plain.clauses[entry.reference]
      const given = writeClause(entry.clause, this.names)
      const says = like
        ? `${given} should be ${writeClause(like, this.names)}`
        : `${given} forbids what the reference allows`
      const kind = like ? 'changed' : 'extra'
      return [{ kind, at: entry.clause.origin, says, variant: k, ...this.witness(most) }]
    })
  }

  /** Points of the candidate that a clause of the reference forbids. */
  private allowed(reference: Plain, candidate: Plain, k: number): Difference[] {
    return this.missing.flatMap((index): Difference[] => {
      const clause = reference.clauses[index]
      const given = this.reference.plain.clauses[index]
      if (!clause || !given) return []
      const most = this.most(clause.row, candidate)
      if (typeof most === 'string' || (most !== null && most.value <= clause.bound + slack(clause))) return []
      const like = this.aligned.find((a) => a.reference === index)
      const text = writeClause(given, this.names)
      const says = like ? `${writeClause(like.clause, this.names)} should be ${text}` : `${text} is missing`
      const part = { says, variant: k, ...this.witness(most) }
      return [like ? { kind: 'changed', at: like.clause.origin, ...part } : { kind: 'missing', at: null, ...part }]
    })
  }

  /** Variables that are whole in one model only, where that allows or forbids a point. */
  private integrality(reference: Plain, candidate: Plain, k: number): Difference[] {
    return this.names.flatMap((name, variable): Difference[] => {
      const [ours, theirs] = [reference.integer[variable], candidate.integer[variable]]
      if (ours === theirs) return []
      const point = this.fractional(ours ? candidate : reference, variable)
      if (point === null) return []
      const says = ours ? `${name} must be a whole number` : `${name} need not be a whole number`
      return [
        { kind: 'integrality', at: { kind: 'integrality', variable: name }, says, variant: k, ...this.named(point) },
      ]
    })
  }

  /** A point of the model in which the variable is not whole; the middle between whole numbers is tried. */
  private fractional(model: Plain, variable: number): number[] | null {
    const row = model.cost.map((_, i) => (i === variable ? 1 : 0))
    const opposite = row.map((c) => (c === 0 ? 0 : -c))
    const low = this.most(opposite, model)
    if (typeof low === 'string') return null
    const from = Math.floor(low === null ? 0 : -low.value + TOLERANCE)
    for (let t = from + 0.5; t < from + FRACTIONAL_TRIES; t++) {
      const origin: Origin = { kind: 'lower', variable: this.names[variable] ?? '' }
      const clauses = [...model.clauses, { row, bound: t, origin }, { row: opposite, bound: -t, origin }]
      const solved = this.solver.solve({ ...model, clauses, cost: model.cost.map(() => 0) })
      if (solved.status === 'optimal') return solved.point
      if (solved.status !== 'infeasible') this.trouble ??= solved.status
    }
    return null
  }

  /** Largest `row . x` over a model; null = no limit; a string = the solver does not know, or there is no point at all. */
  private most(row: readonly number[], model: Plain): { value: number; point: number[] } | null | string {
    const solved = this.solver.solve({ ...model, cost: row.map((c) => (c === 0 ? 0 : -c)), offset: 0 })
    if (solved.status === 'optimal') return { value: dot(row, solved.point), point: solved.point }
    if (solved.status === 'unbounded') return null
    if (solved.status !== 'infeasible') this.trouble ??= solved.status
    return solved.status
  }

  private witness(most: { point: number[] } | null | string): { point?: Record<string, number> } {
    return most === null || typeof most === 'string' ? {} : this.named(most.point)
  }

  private named(point: readonly number[]): { point: Record<string, number> } {
    return { point: Object.fromEntries(this.names.map((name, i) => [name, Number(short(point[i] ?? 0))])) }
  }
}

const NONE: ReadonlySet<number> = new Set()

/** Half-integers tried above the least value. */
const FRACTIONAL_TRIES = 5

function slack(clause: Clause): number {
  const largest = Math.max(...clause.row.map(Math.abs), 0)
  return TOLERANCE * Math.max(largest, Math.abs(clause.bound))
}

/** In the sense of the reference. */
function told(solution: Solution, sign: number): Optima['reference'] {
  return solution.status === 'optimal' ? sign * solution.value : solution.status
}

function equalOptima(optima: Optima | undefined): boolean {
  if (!optima) return false
  const { reference: a, candidate: b } = optima
  if (typeof a === 'string' || typeof b === 'string') return a === b
  return Math.abs(a - b) <= OPTIMUM_TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b))
}
