import { z } from 'zod'

/** sum of coefficient * variable, plus a constant; a name that does not occur has coefficient 0. */
const Terms = z.record(z.string(), z.number())

export const Variable = z.object({
  name: z.string().min(1),
  /** null = no bound. */
  lower: z.number().nullable().default(0),
  upper: z.number().nullable().default(null),
  integer: z.boolean().default(false),
})
export type Variable = z.infer<typeof Variable>

export const Constraint = z.object({
  name: z.string().optional(),
  terms: Terms,
  relation: z.enum(['<=', '>=', '=']),
  constant: z.number(),
})
export type Constraint = z.infer<typeof Constraint>

/** A linear or mixed-integer model of an optimisation problem. Variables are at least 0 unless they say otherwise. */
export const Model = z.object({
  sense: z.enum(['min', 'max']),
  variables: z.array(Variable).min(1),
  objective: z.object({ terms: Terms, constant: z.number().default(0) }),
  constraints: z.array(Constraint),
})
export type Model = z.infer<typeof Model>

/** What a clause was made from, so that a finding can name it. */
export type Origin = { kind: 'constraint'; index: number } | { kind: 'lower' | 'upper'; variable: string }

/** One half-space, `row . x <= bound`: the common form in which models are compared and solved. */
export interface Clause {
  row: readonly number[]
  bound: number
  origin: Origin
}

/** A model over numbered variables: min `cost . x + offset` over the clauses, some variables whole. */
export interface Plain {
  cost: readonly number[]
  offset: number
  clauses: readonly Clause[]
  integer: readonly boolean[]
}

/** The model with its variables in the given order; an equality gives two clauses, a maximum the minimum of its opposite. */
export function plain(model: Model, order: readonly string[] = model.variables.map((v) => v.name)): Plain {
  const sign = model.sense === 'min' ? 1 : -1
  const vector = (terms: Readonly<Record<string, number>>, factor: number): number[] =>
    order.map((name) => plus(factor * (terms[name] ?? 0)))
  const clauses: Clause[] = []
  model.constraints.forEach(({ terms, relation, constant }, index) => {
    const origin: Origin = { kind: 'constraint', index }
    if (relation !== '>=') clauses.push({ row: vector(terms, 1), bound: constant, origin })
    if (relation !== '<=') clauses.push({ row: vector(terms, -1), bound: plus(-constant), origin })
  })
  const byName = new Map(model.variables.map((v) => [v.name, v]))
  order.forEach((variable, at) => {
    const { lower, upper } = byName.get(variable) ?? { lower: null, upper: null }
    if (lower !== null) {
      clauses.push({ row: unit(order.length, at, -1), bound: plus(-lower), origin: { kind: 'lower', variable } })
    }
    if (upper !== null) {
      clauses.push({ row: unit(order.length, at, 1), bound: upper, origin: { kind: 'upper', variable } })
    }
  })
  return {
    cost: vector(model.objective.terms, sign),
    offset: plus(sign * model.objective.constant),
    clauses,
    integer: order.map((name) => byName.get(name)?.integer ?? false),
  }
}

function unit(n: number, at: number, value: number): number[] {
  return Array.from({ length: n }, (_, i) => (i === at ? value : 0))
}

/** No negative zero, so that equal models are equal bytes. */
function plus(value: number): number {
  return value === 0 ? 0 : value
}

/** `3 x + 2 y <= 10`, for people. */
export function writeClause(clause: Pick<Clause, 'row' | 'bound'>, names: readonly string[]): string {
  const flip = clause.row.every((c) => c <= 0) ? -1 : 1
  return `${writeSum(
    clause.row.map((c) => flip * c),
    names,
  )} ${flip === 1 ? '<=' : '>='} ${short(plus(flip * clause.bound))}`
}

export function writeSum(row: readonly number[], names: readonly string[]): string {
  const parts = row.flatMap((c, i) => (c === 0 ? [] : [[c, names[i] ?? `x${i}`] as const]))
  if (parts.length === 0) return '0'
  return parts
    .map(([c, name], i) => {
      const sign = c < 0 ? (i === 0 ? '-' : '- ') : i === 0 ? '' : '+ '
      return `${sign}${Math.abs(c) === 1 ? '' : `${short(Math.abs(c))} `}${name}`
    })
    .join(' ')
}

/** Six significant digits, enough to tell a person which number is meant. */
export function short(value: number): string {
  return String(Number(value.toPrecision(6)))
}
