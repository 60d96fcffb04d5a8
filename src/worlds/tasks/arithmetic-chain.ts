import type { Random } from '../../core/seeds.ts'
import type { Task } from './task.ts'
import { nearby, type Walk, walkTask } from './walk.ts'

type Operator = '+' | '-' | '*'

interface Chain {
  first: number
  operations: { operator: Operator; operand: number }[]
  /** Right running totals; totals[0] = first. */
  totals: number[]
}

interface Stated {
  total: number
  /** Operations done. */
  done: number
  answer: string | null
}

interface Level {
  says: string
  /** Number of operations. */
  operations: number
  /** Largest operand of + and -. */
  largest: number
  /** Chance of a multiplication by 2 or 3. */
  times: number
  maxLength: number
}

const LEVELS: readonly Level[] = [
  { says: '3 operations on one digit', operations: 3, largest: 9, times: 0, maxLength: 36 },
  { says: '4 operations on two digits', operations: 4, largest: 99, times: 0, maxLength: 64 },
  { says: '4 operations on two digits with products', operations: 4, largest: 99, times: 0.25, maxLength: 72 },
  { says: '6 operations on two digits', operations: 6, largest: 99, times: 0, maxLength: 96 },
  { says: '8 operations on three digits', operations: 8, largest: 999, times: 0, maxLength: 160 },
  { says: '16 operations on two digits', operations: 16, largest: 99, times: 0, maxLength: 272 },
  { says: '32 operations on two digits', operations: 32, largest: 99, times: 0, maxLength: 528 },
]

const LINE = /^(-?\d{1,15})([+*-])(\d{1,15})=(-?\d{1,15})$/
const ANSWER = /^=(-?\d{1,15})$/
const PROMPT = /^(\(*)(\d{1,4})((?:[+-]\d{1,4}\)?|\*\d{1,4}\)?)+)$/

const apply = (a: number, operator: Operator, b: number): number =>
  operator === '+' ? a + b : operator === '-' ? a - b : a * b

/** Brackets around what stands left of a product, where that is a sum: reading from the left is then the usual rule. */
function render(first: number, operations: Chain['operations']): string {
  let text = String(first)
  let sum = false
  for (const { operator, operand } of operations) {
    if (operator === '*' && sum) text = `(${text})`
    sum = operator !== '*'
    text += operator + operand
  }
  return text
}

function parseChain(prompt: string): Chain | null {
  if (!PROMPT.test(prompt)) return null
  const first = Number(/\d+/.exec(prompt)?.[0])
  const operations = [...prompt.matchAll(/([+*-])(\d+)/g)].map((m) => ({
    operator: m[1] as Operator,
    operand: Number(m[2]),
  }))
  if (render(first, operations) !== prompt) return null
  const totals = [first]
  for (const { operator, operand } of operations) totals.push(apply(totals.at(-1) ?? first, operator, operand))
  return { first, operations, totals }
}

/** Totals stay at least 0, and below four digits where there are products. */
function makeChain(level: Level, random: Random): string {
  const operand = () => 1 + random.below(level.largest)
  const first = operand()
  const operations: Chain['operations'] = []
  let total = first
  while (operations.length < level.operations) {
    const product = random.next() < level.times && total * 3 < 1_000
    const b = product ? 2 + random.below(2) : operand()
    const operator = product ? '*' : random.next() < 0.5 && total >= b ? '-' : '+'
    operations.push({ operator, operand: b })
    total = apply(total, operator, b)
  }
  return render(first, operations)
}

const write = (total: number, operator: Operator, operand: number, result?: number): string =>
  `${total}${operator}${operand}=${result ?? apply(total, operator, operand)}`

/** The walk of a chain, from its levels; the self-repairing chain is the same walk with another completer. */
export function chainWalk(
  levels: readonly Level[],
  head: Pick<Walk<Chain, Stated>, 'name' | 'summary' | 'defaults'>,
): Walk<Chain, Stated> {
  const next = (p: Chain, { total, done, answer }: Stated): string | null => {
    if (answer !== null) return null
    const operation = p.operations[done]
    return operation ? write(total, operation.operator, operation.operand) : `=${total}`
  }
  return {
    ...head,
    levels: levels.map((level) => level.says),
    maxLength: levels.map((level) => level.maxLength),
    errorKinds: ['result', 'operand', 'operator', 'copy'],
    make: (level, random) => ({ prompt: makeChain(levels[level] ?? levels[0]!, random) }),
    parse: (problem) => parseChain(problem.prompt),
    start: (p) => ({ total: p.first, done: 0, answer: null }),

    next,

    read(p, s, step) {
      const answer = ANSWER.exec(step)?.[1]
      if (answer !== undefined) {
        const correct = s.done >= p.operations.length && Number(answer) === s.total
        return { correct, state: { ...s, answer } }
      }
      const line = LINE.exec(step)
      if (!line) return { correct: false, state: s }
      const total = Number(line[4])
      // an operation too many is wrong; the total that it states is what an answer would go by
      const state = { ...s, total, done: Math.min(s.done + 1, p.operations.length) }
      return { correct: s.done < p.operations.length && step === next(p, s), state }
    },

    wrong(p, s, kind) {
      const { total, done, answer } = s
      if (answer !== null) return []
      const operation = p.operations[done]
      if (!operation) return kind === 'copy' ? nearby(total).map((n) => `=${n}`) : []
      const { operator, operand } = operation
      if (kind === 'result') {
        return nearby(apply(total, operator, operand)).map((n) => write(total, operator, operand, n))
      }
      if (kind === 'operand') return nearby(operand, 1).map((n) => write(total, operator, n))
      if (kind === 'copy') return nearby(total).map((n) => write(n, operator, operand))
      if (kind === 'operator') {
        return [write(total, operator === '+' ? '-' : '+', operand)]
      }
      return []
    },

    answer: (s) => s.answer,
    answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
    check: (p, answer) => /^-?\d{1,15}$/.test(answer) && Number(answer) === p.totals.at(-1),
    // no operand is 0, so a difference in the total never goes away by itself
    onTrack: (p, s) => s.total === p.totals[s.done],
  }
}

/**
 * Sums, differences and products one after the other, each line going on from the total of the line before.
 *
 * Prompt `17+28-9+46`; lines `17+28=45`, `45-9=36`, `36+46=82`; answer `=82`. Right totals are never negative; those
 * that follow from an error may be. Errors: `result` (wrong sum), `operand` (another number than the prompt's),
 * `operator`, `copy` (another total than the line before states). The last two levels are for locating first errors
 * in 16 and 32 steps, longer than a small model's context.
 */
export const arithmeticChain: Task = walkTask(
  chainWalk(LEVELS, {
    name: 'arithmetic-chain',
    summary: 'running sums and products, one operation a line',
    defaults: { slip: 0.05, recovery: 0 },
  }),
)
