import type { Random } from '../../core/seeds.ts'
import { calculate, equal, type Operator, type Rational, rational, rationalText, readRational } from './rational.ts'
import type { Task } from './task.ts'
import { nearby, type Walk, walkTask } from './walk.ts'

const TARGET: Rational = { n: 24, d: 1 }
const OPERATORS: readonly Operator[] = ['+', '*', '-', '/']
const NONE = 'none'

interface Game {
  numbers: number[]
}

interface Move {
  a: Rational
  operator: Operator
  b: Rational
}

/** A number on the table as it is stated, and how it came about. */
interface Item {
  shown: Rational
  expression: string
}

interface Stated {
  items: readonly Item[]
  answer: string | null
}

interface Level {
  says: string
  count: number
  largest: number
  /** Only puzzles that whole numbers alone do not solve (there are 16, in any order). */
  fractions?: boolean
  maxLength: number
}

const LEVELS: readonly Level[] = [
  { says: '3 numbers up to 9', count: 3, largest: 9, maxLength: 64 },
  { says: '4 numbers up to 9', count: 4, largest: 9, maxLength: 96 },
  { says: '4 numbers up to 13', count: 4, largest: 13, maxLength: 116 },
  {
    says: '4 numbers up to 13 that need a fraction on the way',
    count: 4,
    largest: 13,
    fractions: true,
    maxLength: 112,
  },
  { says: '5 numbers up to 13', count: 5, largest: 13, maxLength: 176 },
]

/** All puzzles of four numbers up to 13 that have a solution, but none in whole numbers; the test finds the same. */
const NEED_FRACTIONS = [
  ...['1 3 4 6', '1 4 5 6', '1 5 5 5', '1 6 6 8', '1 8 12 12', '2 2 11 11', '2 2 13 13', '2 3 5 12'],
  ...['2 4 10 10', '2 5 5 10', '2 7 7 10', '3 3 7 7', '3 3 8 8', '4 4 7 7', '5 5 7 11', '5 7 7 11'],
]

const NUMBER = String.raw`-?\d{1,9}(?:/\d{1,9})?`
const OPERAND = String.raw`(\d{1,9}|\(${NUMBER}\))`
const LINE = new RegExp(String.raw`^${OPERAND}([-+*/])${OPERAND}=(${NUMBER}) \(left: (${NUMBER}(?: ${NUMBER})*)\)$`)
const ANSWER = /^=(none|[\d+*/() -]{1,120})$/

const operand = (a: Rational): string => (a.d === 1 && a.n >= 0 ? rationalText(a) : `(${rationalText(a)})`)
const readOperand = (text: string): Rational | null => readRational(text.replace(/^\((.*)\)$/, '$1'))

function without<T>(items: readonly T[], ...out: number[]): T[] {
  return items.filter((_, i) => !out.includes(i))
}

/** Moves on a list of numbers, and the numbers after each; no negative results: 24 never needs them. */
function* movesOf(left: readonly Rational[]): Generator<{ move: Move; after: Rational[] }> {
  for (const [i, a] of left.entries()) {
    for (const [j, b] of left.entries()) {
      if (i === j) continue
      for (const operator of OPERATORS) {
        if (i > j && (operator === '+' || operator === '*')) continue
        const result = calculate(a, operator, b)
        if (!result || result.n < 0) continue
        yield { move: { a, operator, b }, after: [result, ...without(left, i, j)] }
      }
    }
  }
}

/** What `solve` has found, by the numbers left; the longest puzzles look at some 10,000 lists each. */
const MOVES = new Map<string, Move | null>()
const MOST_KEPT = 200_000

/**
 * First move of a way to 24, null where there is none. Leaving out negative results loses nothing: a way through -x
 * has a twin through x with plus and minus exchanged.
 */
function solve(left: readonly Rational[]): Move | null {
  // sorted, so that the move depends on the numbers alone and not on which list came first
  const numbers = [...left].sort((a, b) => a.n * b.d - b.n * a.d)
  const key = numbers.map(rationalText).join(' ')
  const known = MOVES.get(key)
  if (known !== undefined) return known
  let found: Move | null = null
  if (left.length > 1) {
    for (const { move, after } of movesOf(numbers)) {
      const only = after[0]
      if (after.length === 1 && only ? equal(only, TARGET) : solve(after)) {
        found = move
        break
      }
    }
  }
  if (MOVES.size >= MOST_KEPT) MOVES.clear()
  MOVES.set(key, found)
  return found
}

/** Value of an expression of numbers, + - * / and brackets, and its numbers; null where it is none. */
function evaluate(text: string): { value: Rational; numbers: number[] } | null {
  const tokens = text.match(/\d{1,9}|[-+*/()]/g) ?? []
  if (tokens.join('') !== text.replaceAll(' ', '')) return null
  const numbers: number[] = []
  let at = 0

  const atom = (): Rational | null => {
    const token = tokens[at++]
    if (token === '(') {
      const inside = chain(['+', '-'])
      return tokens[at++] === ')' ? inside : null
    }
    if (token === undefined || !/^\d+$/.test(token)) return null
    numbers.push(Number(token))
    return rational(Number(token))
  }
  const chain = (operators: readonly Operator[]): Rational | null => {
    const part = () => (operators.includes('+') ? chain(['*', '/']) : atom())
    let value = part()
    for (let o = tokens[at]; value && operators.some((op) => op === o); o = tokens[at]) {
      at++
      const right = part()
      value = right && calculate(value, o as Operator, right)
    }
    return value
  }
  const value = chain(['+', '-'])
  return value && at === tokens.length ? { value, numbers } : null
}

const sorted = (numbers: readonly number[]): string => [...numbers].sort((a, b) => a - b).join(' ')

/** Each number used once, and 24 comes out; `= 24` may follow. */
function solves(p: Game, answer: string): boolean {
  const found = evaluate(answer.replace(/ *= *24$/, ''))
  return found !== null && equal(found.value, TARGET) && sorted(found.numbers) === sorted(p.numbers)
}

function parseGame(prompt: string): Game | null {
  if (!/^\d{1,3}(?: \d{1,3}){1,4}$/.test(prompt)) return null
  return { numbers: prompt.split(' ').map(Number) }
}

const bracketed = (expression: string): string => (/^\d+$/.test(expression) ? expression : `(${expression})`)

interface Slip {
  result?: Rational
  left?: (left: Rational[]) => Rational[]
}

function write({ a, operator, b }: Move, rest: readonly Item[], slip: Slip = {}): string | null {
  const result = slip.result ?? calculate(a, operator, b)
  if (!result) return null
  const left = [result, ...rest.map((item) => item.shown)]
  const stated = (slip.left?.(left) ?? left).map(rationalText).join(' ')
  return `${operand(a)}${operator}${operand(b)}=${rationalText(result)} (left: ${stated})`
}

/** The items that are not the two operands; null where the operands are not there. */
function take(items: readonly Item[], a: Rational, b: Rational): { left: Item; right: Item; rest: Item[] } | null {
  const i = items.findIndex((item) => equal(item.shown, a))
  const j = items.findIndex((item, k) => k !== i && equal(item.shown, b))
  const [left, right] = [items[i], items[j]]
  return left && right ? { left, right, rest: without(items, i, j) } : null
}

function next({ items, answer }: Stated): string | null {
  if (answer !== null) return null
  const only = items[0]
  if (items.length === 1 && only && equal(only.shown, TARGET)) return `=${only.expression}`
  const shown = items.map((item) => item.shown)
  const move = solve(shown)
  const taken = move && take(items, move.a, move.b)
  return (move && taken && write(move, taken.rest)) ?? `=${NONE}`
}

/** Items for the numbers that a line says are left: known ones keep their expression, others stand for themselves. */
function itemsFor(stated: readonly Rational[], expected: readonly Item[]): Item[] {
  const pool = [...expected]
  return stated.map((shown) => {
    const i = pool.findIndex((item) => equal(item.shown, shown))
    return (i >= 0 && pool.splice(i, 1)[0]) || { shown, expression: operand(shown) }
  })
}

const walk: Walk<Game, Stated> = {
  name: 'game24',
  summary: 'reach 24 from the numbers by + - * /, each used once',
  defaults: { slip: 0.05, recovery: 0 },
  levels: LEVELS.map((level) => level.says),
  maxLength: LEVELS.map((level) => level.maxLength),
  errorKinds: ['result', 'number', 'left', 'copy'],
  make: (level, random) => ({ prompt: makeGame(LEVELS[level] ?? LEVELS[0]!, random) }),
  parse: (problem) => parseGame(problem.prompt),
  start: (p) => ({ items: p.numbers.map((n) => ({ shown: { n, d: 1 }, expression: String(n) })), answer: null }),
  next: (_, s) => next(s),

  read(p, s, step) {
    const answer = ANSWER.exec(step)?.[1]
    if (answer !== undefined) {
      // a right expression is right even where it comes early or differs from the steps
      return { correct: step === next(s) || solves(p, answer), state: { ...s, answer } }
    }
    const line = LINE.exec(step)
    const [a, b, result] = [readOperand(line?.[1] ?? ''), readOperand(line?.[3] ?? ''), readRational(line?.[4] ?? '')]
    const left = (line?.[5] ?? '').split(' ').map(readRational)
    if (!line || !a || !b || !result || !left.every((n) => n !== null)) return { correct: false, state: s }
    // more numbers than at the start are no game, and would cost the solver minutes
    if (left.length > p.numbers.length) return { correct: false, state: s }
    const operator = line[2] as Operator
    const taken = take(s.items, a, b)
    const expression = `${bracketed(taken?.left.expression ?? operand(a))}${operator}${bracketed(taken?.right.expression ?? operand(b))}`
    const expected: Item[] = [{ shown: result, expression }, ...(taken?.rest ?? s.items)]
    const right = calculate(a, operator, b)
    const same =
      left.map(rationalText).sort().join(' ') ===
      expected
        .map((item) => rationalText(item.shown))
        .sort()
        .join(' ')
    const correct = taken !== null && right !== null && equal(right, result) && same
    return { correct, state: { ...s, items: itemsFor(left, expected) } }
  },

  wrong(_, s, kind) {
    const right = next(s)
    if (right === null) return []
    if (right.startsWith('=')) {
      const expression = right.slice(1)
      if (kind !== 'copy' || expression === NONE) return []
      return [...expression.matchAll(/\d+/g)].map(
        (m) => `=${expression.slice(0, m.index)}${Number(m[0]) + 1}${expression.slice(m.index + m[0].length)}`,
      )
    }
    const move = solve(s.items.map((item) => item.shown))
    const taken = move && take(s.items, move.a, move.b)
    const result = move && calculate(move.a, move.operator, move.b)
    if (!taken || !result) return []
    const { a, operator, b } = move
    let steps: (string | null)[] = []
    if (kind === 'result' && result.d === 1) {
      steps = nearby(result.n, 1).map((n) => write(move, taken.rest, { result: { n, d: 1 } }))
    }
    if (kind === 'number' && a.d === 1) {
      const there = (n: number) => s.items.some((item) => equal(item.shown, { n, d: 1 }))
      steps = nearby(a.n, 1)
        .filter((n) => !there(n))
        .map((n) => write({ a: { n, d: 1 }, operator, b }, taken.rest))
    }
    if (kind === 'left') {
      // the number used up still stands there, or another is forgotten
      steps = [write(move, taken.rest, { left: (left) => [...left, b] })]
      if (taken.rest.length > 0) steps.push(write(move, taken.rest, { left: (left) => left.slice(0, -1) }))
    }
    return steps.filter((step) => step !== null)
  },

  answer: (s) => s.answer,
  answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
  check: (p, answer) => solves(p, answer) || (answer === NONE && !solve(p.numbers.map((n) => ({ n, d: 1 })))),
}

function makeGame(level: Level, random: Random): string {
  if (level.fractions) return random.shuffle(random.pick(NEED_FRACTIONS).split(' ')).join(' ')
  for (;;) {
    const numbers = Array.from({ length: level.count }, () => 1 + random.below(level.largest))
    if (solve(numbers.map((n) => ({ n, d: 1 })))) return numbers.join(' ')
  }
}

/**
 * The Game of 24: `4 6 1 1`.
 *
 * One line a move with what is left, `4*6=24 (left: 24 1 1)`, fractions as `8-(8/3)=16/3 (left: 16/3)`; answer
 * `=(4*6)*1*1` fully bracketed, any right expression passes; `=none` where 24 is out of reach. A legal move is right
 * in itself even when it leads nowhere: then its value is 0. From a state in which 24 can be reached (decided with
 * exact fractions) the completer takes a way that leads there, so the value is its chance not to slip on that way.
 * Errors: `result` (wrong arithmetic), `number` (a number that is not there), `left` (a used number stays or another
 * is forgotten), `copy` (a number of the expression is changed).
 */
export const game24: Task = walkTask(walk)
