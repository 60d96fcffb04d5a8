import { z } from 'zod'
import type { Constraint, Model } from './model.ts'

/** The part of a row of NL4OPT that says what the model is; the numbers are text, as they stand in the problem. */
const Declarations = z.object({
  document: z.string(),
  vars: z.array(z.string()).min(1),
  var_mention_to_first_var: z.record(z.string(), z.string()),
  obj_declaration: z.object({
    direction: z.string(),
    terms: z.record(z.string(), z.string()).optional(),
    vars: z.array(z.string()).optional(),
  }),
  const_declarations: z.array(
    z.object({
      type: z.string(),
      operator: z.string().optional(),
      limit: z.string().optional(),
      terms: z.record(z.string(), z.string()).optional(),
      var: z.string().optional(),
      x_var: z.string().optional(),
      y_var: z.string().optional(),
      param: z.string().optional(),
    }),
  ),
})
type Declarations = z.infer<typeof Declarations>
type Declared = Declarations['const_declarations'][number]

/** The model that the annotations of a row declare, or why they declare none. */
export type Nl4opt = { ok: true; document: string; model: Model } | { ok: false; why: string }

/**
 * A row of NL4OPT (`{id: row}`) as a continuous model with variables of at least 0: the annotations do not say which
 * quantities are whole, and most problems ask for an LP.
 *
 * Kinds of constraint: `linear`, `sum` (of all variables), `upperbound`, `lowerbound`, `xy` (x against y), `xby` (x
 * against a multiple of y) and `ratio` (x against a share of all).
 */
export function readNl4opt(row: unknown): Nl4opt {
  const parsed = Declarations.safeParse(typeof row === 'object' && row !== null ? Object.values(row)[0] : row)
  if (!parsed.success) return { ok: false, why: 'not a row of NL4OPT' }
  const declared = parsed.data
  try {
    return { ok: true, document: declared.document, model: modelOf(declared) }
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, why: error.message }
    throw error
  }
}

/** An annotation that cannot be read as part of a model. */
class Unreadable extends Error {}

function modelOf(declared: Declarations): Model {
  const { vars, obj_declaration: objective } = declared
  const name = (mention: string | undefined): string => variableOf(mention, declared)
  const terms = objective.terms
    ? merged(Object.entries(objective.terms).map(([mention, c]) => [name(mention), numberOf(c)]))
    : merged((objective.vars ?? vars).map((mention) => [name(mention), 1]))
  return {
    sense: /^(min|reduc|decreas|low|least)/i.test(objective.direction) ? 'min' : 'max',
    variables: vars.map((v) => ({ name: v, lower: 0, upper: null, integer: false })),
    objective: { terms, constant: 0 },
    constraints: declared.const_declarations.map((c) => constraintOf(c, vars, name)),
  }
}

function constraintOf(c: Declared, vars: readonly string[], name: (mention: string | undefined) => string): Constraint {
  const relation = c.operator === 'LESS_OR_EQUAL' ? '<=' : c.operator === 'GREATER_OR_EQUAL' ? '>=' : null
  if (relation === null) throw new Unreadable(`operator ${c.operator}`)
  const all = (value: number): [string, number][] => vars.map((v) => [v, value])
  const make = (terms: [string, number][], constant: number): Constraint => ({
    terms: merged(terms),
    relation,
    constant,
  })
  switch (c.type) {
    case 'linear':
      return make(
        Object.entries(c.terms ?? {}).map(([mention, v]) => [name(mention), numberOf(v)]),
        numberOf(c.limit),
      )
    case 'sum':
      return make(all(1), numberOf(c.limit))
    case 'upperbound':
    case 'lowerbound':
      return make([[name(c.var), 1]], numberOf(c.limit))
    case 'xy':
      return make(
        [
          [name(c.x_var), 1],
          [name(c.y_var), -1],
        ],
        0,
      )
    case 'xby':
      return make(
        [
          [name(c.x_var), 1],
          [name(c.y_var), -numberOf(c.param)],
        ],
        0,
      )
    case 'ratio':
      return make([[name(c.var), 1], ...all(-numberOf(c.limit))], 0)
    default:
      throw new Unreadable(`constraint of type ${c.type}`)
  }
}

function merged(terms: readonly (readonly [string, number])[]): Record<string, number> {
  const sums = new Map<string, number>()
  for (const [name, c] of terms) sums.set(name, (sums.get(name) ?? 0) + c)
  if (sums.size === 0) throw new Unreadable('no variables')
  return Object.fromEntries(sums)
}

function variableOf(mention: string | undefined, declared: Declarations): string {
  if (mention === undefined) throw new Unreadable('a variable is not named')
  const first = declared.var_mention_to_first_var[mention] ?? mention
  const found =
    declared.vars.find((v) => v === first) ?? declared.vars.find((v) => v.toLowerCase() === first.toLowerCase())
  if (found === undefined) throw new Unreadable(`"${mention}" is no variable`)
  return found
}

const WORDS: Readonly<Record<string, number>> = {
  half: 0.5,
  third: 1 / 3,
  'one third': 1 / 3,
  'a third': 1 / 3,
  'one-third': 1 / 3,
  quarter: 0.25,
  'a quarter': 0.25,
  'two thirds': 2 / 3,
  'two-thirds': 2 / 3,
  once: 1,
  one: 1,
  two: 2,
  twice: 2,
  double: 2,
  three: 3,
  thrice: 3,
  triple: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
}

/** `1,000`, `70%`, `0.5`, `1/3`, `twice`, `3 times`. */
function numberOf(text: string | undefined): number {
  const plain = (text ?? '')
    .trim()
    .toLowerCase()
    .replace(/,(?=\d{3})/g, '')
    .replace(/^\$/, '')
  const word = WORDS[plain.replace(/\s*times$/, '').replace(/\s+(as|of).*$/, '')]
  if (word !== undefined) return word
  const match = /^(-?\d+(?:\.\d+)?|\.\d+)(?:\s*\/\s*(\d+))?\s*(%|percent)?(?:\s*times)?$/.exec(plain)
  if (!match) throw new Unreadable(`"${text}" is no number`)
  return (Number(match[1]) / Number(match[2] ?? 1)) * (match[3] ? 0.01 : 1)
}
