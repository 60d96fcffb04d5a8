/** Linear facts about named whole or real quantities, the common language of puzzles and solvers. */

/** sum of coefficient * variable, relation, constant; or one of the alternatives. */
export interface Linear {
  terms: ReadonlyMap<string, number>
  relation: '=' | '<' | '<=' | '!='
  constant: number
  /** As a person would say it. */
  says: string
  /** Facts of which one may hold instead. */
  or?: readonly Linear[]
}

export function holdsAt(fact: Linear, values: ReadonlyMap<string, number>): boolean {
  if (fact.or?.some((other) => holdsAt(other, values))) return true
  let sum = 0
  for (const [name, coefficient] of fact.terms) sum += coefficient * (values.get(name) ?? Number.NaN)
  if (fact.relation === '=') return sum === fact.constant
  if (fact.relation === '<') return sum < fact.constant
  if (fact.relation === '<=') return sum <= fact.constant
  return sum !== fact.constant
}

/** Same fact in another order of writing. */
export function sameFact(a: Linear, b: Linear): boolean {
  return normalForm(a) === normalForm(b)
}

function normalForm(fact: Linear): string {
  const alternatives = (fact.or ?? []).map(normalForm).sort()
  return [plainForm(fact), ...alternatives].join(' or ')
}

function plainForm(fact: Linear): string {
  const terms = [...fact.terms].filter(([, c]) => c !== 0).sort((x, y) => (x[0] < y[0] ? -1 : 1))
  const isSigned = (fact.relation === '=' || fact.relation === '!=') && (terms[0]?.[1] ?? 1) < 0
  const sign = isSigned ? -1 : 1
  return `${terms.map(([n, c]) => `${c * sign} ${n}`).join(' + ')} ${fact.relation} ${fact.constant * sign}`
}

/** How a fact stands to others. `impossible` = the others contradict themselves. */
export type Standing = 'entailed' | 'contradicted' | 'consistent' | 'impossible' | 'unknown'

/** Says how facts stand to premises; made once a problem. */
export interface Solver {
  standing(premises: readonly Linear[], fact: Linear): Promise<Standing>
}

/** Orders of more things are left to the general solver: 8! = 40,320 assignments take some milliseconds a question. */
export const MAX_ENUMERATED = 8

/** Exact: looks at every order of the names, places 1 to n. */
export function orderSolver(names: readonly string[]): Solver {
  const orders: ReadonlyMap<string, number>[] = permutations(names.length).map(
    (places) => new Map(names.map((name, i) => [name, places[i] ?? 0])),
  )
  let lastKey = ''
  let models = orders
  return {
    standing(premises, fact) {
      const key = premises.map(normalForm).join('; ')
      if (key !== lastKey) {
        models = orders.filter((order) => premises.every((p) => holdsAt(p, order)))
        lastKey = key
      }
      if (models.length === 0) return Promise.resolve('impossible')
      let yes = 0
      for (const order of models) if (holdsAt(fact, order)) yes++
      return Promise.resolve(yes === models.length ? 'entailed' : yes === 0 ? 'contradicted' : 'consistent')
    },
  }
}

function permutations(n: number): number[][] {
  let out: number[][] = [[]]
  for (let k = 1; k <= n; k++) {
    out = out.flatMap((p) => Array.from({ length: k }, (_, at) => [...p.slice(0, at), k, ...p.slice(at)]))
  }
  return out
}
