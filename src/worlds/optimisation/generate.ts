import type { Random } from '../../core/seeds.ts'
import type { Constraint, Model, Variable } from './model.ts'

/** Shapes of small planning problems; bounded, so that `enumerate.ts` can list their points. */
export const SHAPES = ['diet', 'production', 'blend'] as const

/**
 * A small random model of 2 or 3 variables that has a solution in most draws: a diet (cheapest foods that meet needs, 2 or 3 nutrients), a production plan (best use of resources) or a blend (a sum to be met exactly, and a ratio).
 */
export function randomModel(random: Random, whole: boolean): Model {
  const shape = random.pick(SHAPES)
  const n = 2 + random.below(2)
  const names = Array.from({ length: n }, (_, i) => `${shape}${i + 1}`)
  const between = (low: number, high: number): number => low + random.below(high - low + 1)
  const vector = (low: number, high: number): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, between(low, high)]))
  const variables = names.map((name): Variable => ({ name, lower: 0, upper: between(4, 8), integer: whole }))
  const middle = (terms: Readonly<Record<string, number>>, share: number): number =>
    Math.round(variables.reduce((sum, v) => sum + (terms[v.name] ?? 0) * (v.upper ?? 0), 0) * share)
  const rows = (count: number, relation: Constraint['relation'], low: number, high: number): Constraint[] =>
    Array.from({ length: count }, () => {
      const terms = vector(low, high)
      return { terms, relation, constant: middle(terms, 0.2 + 0.5 * random.next()) }
    })
  const objective = { terms: vector(2, 30), constant: 0 }
  if (shape === 'diet') return { sense: 'min', variables, objective, constraints: rows(between(2, 3), '>=', 1, 12) }
  if (shape === 'production') {
    return { sense: 'max', variables, objective, constraints: rows(between(2, 3), '<=', 1, 12) }
  }
  const [a = '', b = ''] = names
  return {
    sense: random.pick(['min', 'max'] as const),
    variables,
    objective,
    constraints: [
      {
        terms: Object.fromEntries(names.map((name) => [name, 1])),
        relation: whole ? '<=' : '=',
        constant: between(3, 7),
      },
      { terms: { [a]: 1, [b]: -between(1, 2) }, relation: random.pick(['<=', '>='] as const), constant: 0 },
      ...rows(1, '>=', 1, 6),
    ],
  }
}
