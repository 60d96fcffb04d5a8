import { GradusError } from '../../core/errors.ts'
import type { Random } from '../../core/seeds.ts'
import type { Problem } from '../../core/words.ts'
import {
  calculate,
  equal,
  type Operator,
  type Rational,
  rational,
  rationalText,
  readRational,
} from '../../worlds/tasks/rational.ts'

/** A number on the table, and how it came about. */
interface Item {
  shown: Rational
  expression: string
}

const OPERATORS: readonly Operator[] = ['+', '-', '*', '/']

/** Chance that the result of a move is miscalculated. */
const SLIP = 0.1

/** How far a miscalculated result is off. */
const SLIPS = [-10, -2, -1, 1, 2, 10] as const

const LINE = /^\(?(-?[\d/]+)\)?([-+*/])\(?(-?[\d/]+)\)?=(-?[\d/]+) \(left: ([-\d/ ]+)\)$/

/**
 * A weak player of the Game of 24 without weights: random legal moves, of which one in ten is miscalculated.
 *
 * Plays on from any prefix in the line format of the task, until one number is left; then it states the expression
 * that it came by, whatever it gives. Same problem, prefix and random numbers, same lines.
 */
export const game24Random = {
  name: 'game24-random',
  summary: 'random legal moves of the Game of 24 with arithmetic slips',
  /** The lines that it adds; none where the prefix has an answer. */
  complete(problem: Pick<Problem, 'prompt'>, prefix: readonly string[], random: Random): string[] {
    let items = table(problem.prompt)
    for (const line of prefix) {
      if (line.startsWith('=')) return []
      items = afterLine(items, line)
    }
    const added: string[] = []
    while (items.length > 1) {
      const move = drawMove(items, random)
      added.push(move.line)
      items = move.items
    }
    return [...added, `=${items[0]?.expression ?? 'none'}`]
  },
} as const

function table(prompt: string): Item[] {
  return prompt.split(' ').map((text) => {
    const shown = readRational(text)
    if (!shown) {
      throw new GradusError('GRD-CORE-001', { found: prompt, expected: 'a problem of the task game24' })
    }
    return { shown, expression: text }
  })
}

/** A legal move: two numbers, an operation that exists for them; a division by 0 is drawn again. */
function drawMove(items: readonly Item[], random: Random): { line: string; items: Item[] } {
  for (;;) {
    const [a, b, ...rest] = random.shuffle(items)
    const operator = random.pick(OPERATORS)
    const right = a && b && calculate(a.shown, operator, b.shown)
    if (!a || !b || !right) continue
    const slipped = random.next() < SLIP ? rational(right.n + random.pick(SLIPS) * right.d, right.d) : null
    const result = slipped ?? right
    const left = [result, ...rest.map((item) => item.shown)].map(rationalText).join(' ')
    return {
      line: `${operand(a.shown)}${operator}${operand(b.shown)}=${rationalText(result)} (left: ${left})`,
      items: [{ shown: result, expression: join(a, operator, b) }, ...rest],
    }
  }
}

/** The table as a line states it; a line that cannot be read changes nothing. */
function afterLine(items: readonly Item[], line: string): Item[] {
  const m = LINE.exec(line)
  const [a, b, result] = [m?.[1], m?.[3], m?.[4]].map((text) => readRational(text ?? ''))
  if (!m || !a || !b || !result) return [...items]
  const pool = [...items]
  const take = (shown: Rational): Item => {
    const i = pool.findIndex((item) => equal(item.shown, shown))
    return (i >= 0 ? pool.splice(i, 1)[0] : undefined) ?? { shown, expression: operand(shown) }
  }
  const made = { shown: result, expression: join(take(a), m[2] as Operator, take(b)) }
  pool.unshift(made)
  return (m[5] ?? '').split(' ').flatMap((text) => {
    const shown = readRational(text)
    return shown ? [take(shown)] : []
  })
}

const operand = (a: Rational): string => (a.d === 1 && a.n >= 0 ? rationalText(a) : `(${rationalText(a)})`)
const bracketed = (expression: string): string => (/^\d+$/.test(expression) ? expression : `(${expression})`)
const join = (a: Item, operator: Operator, b: Item): string =>
  `${bracketed(a.expression)}${operator}${bracketed(b.expression)}`
