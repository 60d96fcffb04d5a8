import { fences } from '../verifiers/code-cells.ts'
import { type Constraint, Model, type Origin, type Variable } from './model.ts'
import { type LinearSum, readSum } from './read-sum.ts'

/** A model read from steps, and the step that each part comes from. */
export interface ReadModel {
  model: Model
  /** Step of the objective. */
  objective: number
  /** Step of a constraint or bound; null for a bound that nobody wrote. */
  stepOf(origin: Origin): number | null
  /** Step that says that the variable is whole; null where none does. */
  wholeAt(variable: string): number | null
  /** Step of the last part. */
  last: number
}

export type Reading = { ok: true; read: ReadModel } | { ok: false; step: number; why: string }

/**
 * The model that steps of text write down, line by line in the manner of the LP format: `maximize 50 x + 30 y`,
 * `labour: 10 x + 8 y <= 200`, `x, y >= 0`, `x <= 3`, `0 <= x <= 3`, `x free`, `x, y integer`, with or without section
 * heads; or one fenced JSON block of a `Model`. Steps of kind `answer` or `observation` and lines that begin with
 * `answer`, `optimal`, `solution` or `so` state results, not parts of the model.
 *
 * A line that has a relation between variables and cannot be read makes the whole model unreadable: a constraint must
 * not seem to be missing because it could not be read.
 */
export function readModel(steps: readonly { text: string; kind?: string }[]): Reading {
  const reader = new Reader()
  for (const [step, { text, kind }] of steps.entries()) {
    if (kind === 'answer' || kind === 'observation') continue
    const json = jsonModel(text)
    if (json !== null)
      return json.success ? whole(json.data, step) : { ok: false, step, why: 'the JSON is not a model' }
    for (const line of text.split(/\n|;/)) {
      if (!reader.line(line, step)) return { ok: false, step, why: `"${line.trim()}" cannot be read` }
    }
  }
  return reader.result()
}

function jsonModel(text: string): ReturnType<typeof Model.safeParse> | null {
  const body = fences(text).find((f) => /^json$/i.test(f.word))?.body ?? (/^\s*\{/.test(text) ? text : null)
  if (body === null) return null
  try {
    return Model.safeParse(JSON.parse(body))
  } catch {
    return Model.safeParse(null)
  }
}

function whole(model: Model, step: number): Reading {
  const stepOf = (): number => step
  return { ok: true, read: { model, objective: step, stepOf, wholeAt: stepOf, last: step } }
}

type Section = 'free text' | 'objective' | 'constraints' | 'bounds' | 'whole' | 'binary' | 'end'

const HEADS: readonly [RegExp, Section][] = [
  [/^(subject\s+to|such\s+that|s\.?\s?t\.?|constraints?)\s*:?$/i, 'constraints'],
  [/^bounds?\s*:?$/i, 'bounds'],
  [/^(general|generals|gen|integer|integers|int)\s*:?$/i, 'whole'],
  [/^(binary|binaries|bin)\s*:?$/i, 'binary'],
  [/^end$/i, 'end'],
]

const OBJECTIVE = /^(?:objective\s*:\s*)?(max|min)(?:imi[sz]e|imum)?\b\s*:?\s*(.*)$/i
const RESULT = /^(answer|optimal|optimum|solution|result|so|thus|therefore|hence)\b/i
const NAME = /[A-Za-z_][\w.]*/
const NAMES = new RegExp(`^${NAME.source}(?:\\s*(?:,|\\band\\b|\\s)\\s*${NAME.source})*$`)
const LIST = new RegExp(`^${NAME.source}(?:\\s*(?:,|\\band\\b)+\\s*${NAME.source})*$`)
const WHOLE =
  /^(.*?)\s*(?:\b(?:(?:must|should|have to|need to)\s+be|are|is)\b\s*(?:an?\s+)?|\bin\b|:)?\s*(integers?|int|whole(?: numbers?)?|binary)$/i
const RELATION = /<=|>=|=<|=>|==|=|<|>/

class Reader {
  private section: Section = 'free text'
  private objective: { sense: 'min' | 'max'; sum: LinearSum; step: number } | null = null
  private sense: 'min' | 'max' = 'min'
  private readonly constraints: { constraint: Constraint; step: number }[] = []
  private readonly variables = new Map<string, Variable>()
  private readonly bounds = new Map<string, number>()
  private readonly wholes = new Map<string, number>()
  private last = 0

  /** False where the line ought to be part of the model and cannot be read. */
  line(raw: string, step: number): boolean {
    const text = tidy(raw)
    if (text === '' || this.section === 'end' || RESULT.test(text)) return true
    const head = HEADS.find(([pattern]) => pattern.test(text))
    if (head) {
      this.section = head[1]
      return true
    }
    const objective = OBJECTIVE.exec(text)
    if (objective) return this.readObjective(objective[1] ?? '', objective[2] ?? '', step)
    if (this.section === 'objective') return this.readObjective(this.sense, text, step)
    return this.readPart(text, step)
  }

  result(): Reading {
    if (!this.objective) return { ok: false, step: this.last, why: 'no objective' }
    const { sense, sum, step } = this.objective
    if (this.variables.size === 0) return { ok: false, step, why: 'no variables' }
    const variables = [...this.variables.values()]
    const stepOf = (origin: Origin): number | null => {
      if (origin.kind === 'constraint') return this.constraints[origin.index]?.step ?? null
      return this.bounds.get(`${origin.kind} ${origin.variable}`) ?? null
    }
    return {
      ok: true,
      read: {
        model: {
          sense,
          variables,
          objective: { terms: Object.fromEntries(sum.terms), constant: sum.constant },
          constraints: this.constraints.map((c) => c.constraint),
        },
        objective: step,
        stepOf,
        wholeAt: (name) => this.wholes.get(name) ?? null,
        last: this.last,
      },
    }
  }

  private readObjective(sense: string, text: string, step: number): boolean {
    this.sense = /^max/i.test(sense) ? 'max' : 'min'
    const body = text.replace(/^[A-Za-z_]\w*\s*(:|=(?!=))\s*/, '')
    if (body === '') {
      this.section = 'objective'
      return true
    }
    const sum = readSum(body)
    // "minimize the cost" announces; the numbers come later.
    if (sum === null) return !/\d/.test(body) || this.objective !== null
    // Two objectives are two models: which one counts cannot be said.
    if (this.objective !== null) return false
    this.objective = { sense: this.sense, sum, step }
    this.use(sum, step)
    this.section = 'constraints'
    return true
  }

  private readPart(text: string, step: number): boolean {
    const whole = WHOLE.exec(text)
    if (whole?.[1] !== undefined && whole[2] !== undefined)
      return this.readWholeLine(whole[1], /binary/i.test(whole[2]), step)
    const declared = /^(integers?|int|binary)\s*:?\s+(.*)$/i.exec(text)
    if (declared?.[2]) return this.readWholeLine(declared[2], /binary/i.test(declared[1] ?? ''), step)
    if ((this.section === 'whole' || this.section === 'binary') && NAMES.test(text)) {
      return this.readWhole(text, this.section === 'binary', step)
    }
    const free = /^([A-Za-z_][\w.]*)\s+(?:is\s+)?free$/i.exec(text)
    if (free?.[1]) {
      this.bound(free[1], 'lower', null, step)
      return true
    }
    const body = text.replace(/^[^:<>=]*:\s*/, '')
    const sides = body.split(RELATION).map((s) => s.trim())
    if (sides.length < 2) return this.section === 'free text' || this.section === 'constraints'
    const relations = [...body.matchAll(new RegExp(RELATION, 'g'))].map((m) => direction(m[0]))
    // Prose about numbers ("because 3 > 2") has no variable on either side.
    const read = this.readRelations(sides, relations, step)
    return read || !looksLinear(sides)
  }

  private readRelations(sides: readonly string[], relations: readonly Constraint['relation'][], step: number): boolean {
    const names = sides[0] ?? ''
    if (sides.length === 2 && names.includes(',') && NAMES.test(names)) {
      const limit = readSum(sides[1] ?? '')
      if (limit === null || limit.terms.size > 0) return false
      for (const name of names.split(/,|\band\b/)) {
        if (name.trim() !== '') this.limit(new Map([[name.trim(), 1]]), relations[0] ?? '<=', limit.constant, step)
      }
      return true
    }
    const sums = sides.map(readSum)
    if (sums.some((s) => s === null)) return false
    relations.forEach((relation, i) => {
      const [left, right] = [sums[i], sums[i + 1]]
      if (!left || !right) return
      const terms = new Map(left.terms)
      for (const [name, c] of right.terms) terms.set(name, (terms.get(name) ?? 0) - c)
      if (terms.size > 0) this.limit(terms, relation, right.constant - left.constant, step)
    })
    return true
  }

  /** `x >= 0` is the bound that everybody writes; every other limit is a constraint, on one variable or more. */
  private limit(
    terms: ReadonlyMap<string, number>,
    relation: Constraint['relation'],
    constant: number,
    step: number,
  ): void {
    const [only, ...more] = terms
    this.use({ terms, constant }, step)
    if (only && more.length === 0 && relation === (only[1] > 0 ? '>=' : '<=') && only[1] !== 0) {
      const value = constant / only[1]
      // In a bounds section, and for the default itself, the bound replaces the default; elsewhere both hold.
      if (value === 0 || this.section === 'bounds') {
        this.bound(only[0], 'lower', value, step)
        return
      }
    }
    this.constraints.push({ constraint: { terms: Object.fromEntries(terms), relation, constant }, step })
  }

  private bound(name: string, kind: 'lower' | 'upper', value: number | null, step: number): void {
    const variable = this.variable(name)
    variable[kind] = value
    this.bounds.set(`${kind} ${name}`, step)
    this.last = Math.max(this.last, step)
  }

  /** Prose about whole numbers is read only where its subject is a list of variables, or all of them. */
  private readWholeLine(subject: string, binary: boolean, step: number): boolean {
    if (/^(all|both|the|decision|variables|of|them|\s)+$/i.test(subject)) {
      return this.readWhole([...this.variables.keys()].join(' '), binary, step)
    }
    if (LIST.test(subject)) return this.readWhole(subject, binary, step)
    return !subject.split(/[^\w.]+/).some((word) => this.variables.has(word))
  }

  private readWhole(text: string, binary: boolean, step: number): boolean {
    for (const name of text.split(/,|\band\b|\s/)) {
      if (name === '') continue
      this.variable(name).integer = true
      this.wholes.set(name, step)
      if (binary) {
        this.bound(name, 'lower', 0, step)
        this.bound(name, 'upper', 1, step)
      }
    }
    this.last = Math.max(this.last, step)
    return true
  }

  private use(sum: LinearSum, step: number): void {
    for (const name of sum.terms.keys()) this.variable(name)
    this.last = Math.max(this.last, step)
  }

  private variable(name: string): Variable {
    const known = this.variables.get(name)
    if (known) return known
    const made: Variable = { name, lower: 0, upper: null, integer: false }
    this.variables.set(name, made)
    return made
  }
}

/** Strict relations of word problems mean the weak ones: solvers know no others. */
function direction(sign: string): Constraint['relation'] {
  if (sign === '<' || sign === '<=' || sign === '=<') return '<='
  return sign === '>' || sign === '>=' || sign === '=>' ? '>=' : '='
}

/** Does a line with a relation mean to be one: a number or a product on some side, few words? */
function looksLinear(sides: readonly string[]): boolean {
  return sides.some((side) => /\d/.test(side)) && sides.every((side) => !/[a-z]{2,}\s+[a-z]{2,}/i.test(side))
}

function tidy(line: string): string {
  return line
    .replace(/\\(leq?|le)\b|≤/g, '<=')
    .replace(/\\(geq?|ge)\b|≥/g, '>=')
    .replace(/[·×]|\\cdot\b|\\times\b/g, '*')
    .replace(/−/g, '-')
    .replace(/[$`]|\*\*/g, '')
    .replace(/^\s*(?:[-*•]\s+|\(?\d+[.)]\s+)/, '')
    .replace(/[.,]\s*$/, '')
    .trim()
}
