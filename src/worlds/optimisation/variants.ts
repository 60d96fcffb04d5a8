import { random } from '../../core/seeds.ts'
import { type Aligned, normal } from './match.ts'
import { type Clause, type Model, type Plain, plain } from './model.ts'
import type { Solution, Solver } from './solve.ts'

/** The reference with other data, and its optimum. */
export interface Variant {
  data: Model
  model: Plain
  solution: Solution
}

/** Other data may make a model infeasible or unbounded; such a draw says little and is drawn again this often. */
const DRAWS = 12

/** Right-hand sides move by up to a factor of two, so that constraints that did not bind get their turn; coefficients less. */
const SPREAD = { bound: Math.log(2), coefficient: Math.log(1.4) }

/**
 * The given data first, then `count` draws in which every number that is not zero is multiplied by a factor of its own.
 * Draws that cannot be solved are kept only where every draw is so.
 */
export function variantsOf(reference: Model, count: number, seed: string, solver: Solver): Variant[] {
  const made = (data: Model): Variant => {
    const model = plain(data)
    return { data, model, solution: solver.solve(model) }
  }
  const given = made(reference)
  const others = Array.from({ length: count }, (_, k) => {
    let last = given
    for (let draw = 0; draw < DRAWS; draw++) {
      last = made(redrawn(reference, `${seed}/${k}/${draw}`))
      if (last.solution.status === 'optimal') break
    }
    return last
  })
  return [given, ...others]
}

function redrawn(model: Model, seed: string): Model {
  const draw = random(`optimisation/variant/${seed}`)
  const times = (value: number, spread: number): number => value * Math.exp((2 * draw.next() - 1) * spread)
  const terms = (old: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(old).map(([name, c]) => [name, times(c, SPREAD.coefficient)]))
  const bound = (value: number | null): number | null => (value === null ? null : times(value, SPREAD.bound))
  return {
    sense: model.sense,
    objective: { ...model.objective, terms: terms(model.objective.terms) },
    constraints: model.constraints.map((c) => ({
      ...c,
      terms: terms(c.terms),
      constant: times(c.constant, SPREAD.bound),
    })),
    variables: model.variables.map((v) => ({ ...v, lower: bound(v.lower), upper: bound(v.upper) })),
  }
}

/**
 * The candidate with the data of a variant, clause by clause: what equals a clause of the reference becomes that clause
 * of the variant, what resembles one gets the same factors number by number, and what resembles none keeps its data.
 */
export function carriedOver(candidate: Plain, aligned: readonly Aligned[], reference: Plain, variant: Plain): Plain {
  const clauses = aligned.map(({ clause, reference: at, same }): Clause => {
    const before = at === null ? undefined : reference.clauses[at]
    const after = at === null ? undefined : variant.clauses[at]
    if (!before || !after) return clause
    if (same) return { ...normal(after), origin: clause.origin }
    return {
      ...clause,
      row: clause.row.map((c, i) => c * ratio(after.row[i], before.row[i])),
      bound: clause.bound * ratio(after.bound, before.bound),
    }
  })
  const cost = candidate.cost.map((c, i) => c * ratio(variant.cost[i], reference.cost[i]))
  return { ...candidate, clauses, cost }
}

/** Zero is structure, not data: it never changes, and neither does what stands in its place. */
function ratio(after: number | undefined, before: number | undefined): number {
  return after === undefined || before === undefined || before === 0 ? 1 : after / before
}
