import type { Random } from '../../core/seeds.ts'
import type { Constraint, Model } from './model.ts'

export const FLAWS = [
  'dropped constraint',
  'extra constraint',
  'flipped sense',
  'wrong coefficient',
  'wrong constant',
  'wrong bound',
  'integrality dropped',
  'min for max',
  'wrong objective coefficient',
] as const
export type FlawKind = (typeof FLAWS)[number]

/** A modelling error, as a rule that can be applied to the model under any data. */
export type Flaw = (model: Model) => Model

/** Wrong numbers are a tenth to three quarters off, either way. */
const FACTORS = [0.25, 0.5, 0.8, 0.9, 1.1, 1.25, 1.5, 2] as const

/** A random error of the kind; null where the model has nothing that it could spoil. */
export function drawFlaw(kind: FlawKind, model: Model, random: Random): Flaw | null {
  const factor = random.pick(FACTORS)
  const at = model.constraints.length === 0 ? null : random.below(model.constraints.length)
  const variable = random.pick(model.variables)
  const constraint = at === null ? undefined : model.constraints[at]
  const change = (edit: (c: Constraint) => Constraint): Flaw | null =>
    at === null ? null : (m) => ({ ...m, constraints: m.constraints.map((c, i) => (i === at ? edit(c) : c)) })
  switch (kind) {
    case 'dropped constraint':
      return at === null ? null : (m) => ({ ...m, constraints: m.constraints.filter((_, i) => i !== at) })
    case 'extra constraint': {
      const terms = Object.fromEntries(model.variables.map((v) => [v.name, random.below(4)]))
      const extra: Constraint = { terms, relation: random.pick(['<=', '>='] as const), constant: 1 + random.below(20) }
      return (m) => ({ ...m, constraints: [...m.constraints, extra] })
    }
    case 'flipped sense':
      if (constraint?.relation === '=') return change((c) => ({ ...c, relation: '<=' }))
      return change((c) => ({ ...c, relation: c.relation === '<=' ? '>=' : '<=' }))
    case 'wrong coefficient': {
      const used = Object.keys(constraint?.terms ?? {}).filter((name) => constraint?.terms[name] !== 0)
      if (used.length === 0) return null
      const name = random.pick(used)
      return change((c) => ({ ...c, terms: { ...c.terms, [name]: (c.terms[name] ?? 0) * factor } }))
    }
    case 'wrong constant':
      return constraint?.constant === 0 ? null : change((c) => ({ ...c, constant: c.constant * factor }))
    case 'wrong bound': {
      const { name } = variable
      const set = (key: 'lower' | 'upper', value: (old: number) => number): Flaw => {
        return (m) => ({
          ...m,
          variables: m.variables.map((v) => (v.name === name ? { ...v, [key]: value(v[key] ?? 0) } : v)),
        })
      }
      if (variable.upper !== null && random.below(2) === 0) return set('upper', (old) => old * factor)
      return set('lower', (old) => old + 1)
    }
    case 'integrality dropped': {
      if (!variable.integer) return null
      const { name } = variable
      return (m) => ({ ...m, variables: m.variables.map((v) => (v.name === name ? { ...v, integer: false } : v)) })
    }
    case 'min for max':
      return (m) => ({ ...m, sense: m.sense === 'min' ? 'max' : 'min' })
    case 'wrong objective coefficient': {
      const { name } = variable
      if ((model.objective.terms[name] ?? 0) === 0) return null
      return (m) => {
        const terms = { ...m.objective.terms, [name]: (m.objective.terms[name] ?? 0) * factor }
        return { ...m, objective: { ...m.objective, terms } }
      }
    }
  }
}

/** Factors a modeller might clear fractions or change units with. */
const SCALES = [2, 3, 10, 0.5, 1 / 3, 7.3] as const

/**
 * The same model in other words: variables renamed and reordered, constraints reordered, scaled and turned round, upper
 * bounds and equalities written as inequalities, a maximum as the minimum of the opposite.
 */
export function rewrite(model: Model, random: Random): Model {
  const names = new Map(random.shuffle(model.variables).map((v, i) => [v.name, `y${i + 1}`]))
  const named = (terms: Readonly<Record<string, number>>, factor: number): Record<string, number> =>
    Object.fromEntries(Object.entries(terms).map(([name, c]) => [names.get(name) ?? name, c * factor]))
  const turn = { '<=': '>=', '>=': '<=', '=': '=' } as const
  const constraints: Constraint[] = model.constraints.flatMap(({ terms, relation, constant }): Constraint[] => {
    const parts = relation === '=' && random.below(2) === 0 ? (['<=', '>='] as const) : [relation]
    return parts.map((part) => {
      const scale = random.pick(SCALES) * (random.below(2) === 0 ? 1 : -1)
      return { terms: named(terms, scale), relation: scale > 0 ? part : turn[part], constant: constant * scale }
    })
  })
  const variables = model.variables.map((v) => {
    const name = names.get(v.name) ?? v.name
    if (v.upper === null || random.below(2) === 0) return { ...v, name }
    const scale = random.pick(SCALES)
    constraints.push({ terms: { [name]: scale }, relation: '<=', constant: v.upper * scale })
    return { ...v, name, upper: null }
  })
  const opposite = random.below(2) === 0
  const { terms, constant } = model.objective
  return {
    sense: opposite === (model.sense === 'min') ? 'max' : 'min',
    objective: {
      terms: named(terms, opposite ? -1 : 1),
      constant: constant === 0 ? 0 : opposite ? -constant : constant,
    },
    variables: random.shuffle(variables),
    constraints: random.shuffle(constraints),
  }
}
