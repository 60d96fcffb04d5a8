import type { Random } from '../../core/seeds.ts'
import type { Task } from './task.ts'
import { nearby, type Walk, walkTask } from './walk.ts'

interface Instruction {
  target: string
  left: string
  /** null = a plain copy of `left`. */
  operation: { operator: '+' | '-'; right: string } | null
}

interface Program {
  start: Map<string, number>
  instructions: Instruction[]
  asked: string
  /** Right value of the asked register at the end. */
  result: number
}

interface Stated {
  registers: ReadonlyMap<string, number>
  done: number
  answer: string | null
}

interface Level {
  says: string
  registers: number
  instructions: number
  /** Largest value at the start. */
  largest: number
  /** Largest value on the way. */
  bound: number
  maxLength: number
}

const LEVELS: readonly Level[] = [
  {
    says: '3 registers, 3 instructions, one digit',
    registers: 3,
    instructions: 3,
    largest: 9,
    bound: 99,
    maxLength: 72,
  },
  {
    says: '3 registers, 4 instructions, one digit',
    registers: 3,
    instructions: 4,
    largest: 9,
    bound: 99,
    maxLength: 88,
  },
  {
    says: '3 registers, 4 instructions, two digits',
    registers: 3,
    instructions: 4,
    largest: 49,
    bound: 99,
    maxLength: 96,
  },
  {
    says: '4 registers, 8 instructions, three digits',
    registers: 4,
    instructions: 8,
    largest: 99,
    bound: 999,
    maxLength: 192,
  },
  {
    says: '6 registers, 16 instructions, three digits',
    registers: 6,
    instructions: 16,
    largest: 99,
    bound: 999,
    maxLength: 360,
  },
]

/** Programs drawn for one problem; the one with the most instructions that the answer depends on is kept. */
const DRAWS = 12

const NAMES = 'abcdef'
const INSTRUCTION = /^([a-z])=([a-z])(?:([+-])([a-z]))?$/
const LINE = /^([a-z])=(?:-?\d{1,15}[+-]-?\d{1,15}=)?(-?\d{1,15})$/
const ANSWER = /^=(-?\d{1,15})$/

const instructionText = ({ target, left, operation }: Instruction): string =>
  `${target}=${left}${operation ? operation.operator + operation.right : ''}`

const compute = (a: number, operator: '+' | '-', b: number): number => (operator === '+' ? a + b : a - b)

/** `a=5+7=12` or `a=5`; an operand, the operator, the target or the result may be put wrong. */
function write(
  { target, left, operation }: Instruction,
  registers: ReadonlyMap<string, number>,
  slip: { target?: string; left?: number; right?: number; operator?: '+' | '-'; result?: number } = {},
): string {
  const a = slip.left ?? registers.get(left) ?? 0
  const to = slip.target ?? target
  if (!operation) return `${to}=${slip.result ?? a}`
  const b = slip.right ?? registers.get(operation.right) ?? 0
  const operator = slip.operator ?? operation.operator
  return `${to}=${a}${operator}${b}=${slip.result ?? compute(a, operator, b)}`
}

function run(registers: ReadonlyMap<string, number>, instructions: readonly Instruction[]): Map<string, number> {
  const now = new Map(registers)
  for (const { target, left, operation } of instructions) {
    const a = now.get(left) ?? 0
    now.set(target, operation ? compute(a, operation.operator, now.get(operation.right) ?? 0) : a)
  }
  return now
}

function parseProgram(prompt: string): Program | null {
  const [values = '', ...rest] = prompt.split(';')
  const asked = /^([a-z])\?$/.exec(rest.pop() ?? '')?.[1]
  const start = new Map<string, number>()
  for (const value of values.split(',')) {
    const m = /^([a-z])=(\d{1,4})$/.exec(value)
    if (!m || start.has(m[1]!)) return null
    start.set(m[1]!, Number(m[2]))
  }
  const instructions: Instruction[] = []
  for (const text of rest) {
    const m = INSTRUCTION.exec(text)
    if (!m) return null
    const [, target, left, operator, right] = m
    if (![target, left, right ?? left].every((name) => start.has(name!))) return null
    instructions.push({
      target: target!,
      left: left!,
      operation: right === undefined ? null : { operator: operator as '+' | '-', right },
    })
  }
  if (asked === undefined || !start.has(asked) || instructions.length === 0) return null
  return { start, instructions, asked, result: run(start, instructions).get(asked) ?? 0 }
}

/** How many instructions write a value that the answer reads. */
function alive(instructions: readonly Instruction[], asked: string): number {
  const needed = new Set([asked])
  let count = 0
  for (const { target, left, operation } of instructions.toReversed()) {
    if (!needed.delete(target)) continue
    count++
    needed.add(left)
    if (operation) needed.add(operation.right)
  }
  return count
}

function drawInstructions(level: Level, start: ReadonlyMap<string, number>, random: Random): Instruction[] {
  const names = [...start.keys()]
  const instructions: Instruction[] = []
  let now = new Map(start)
  while (instructions.length < level.instructions) {
    const left = random.pick(names)
    const right = random.pick(names)
    const copy = random.next() < 0.15
    const target = random.pick(copy ? names.filter((name) => name !== left) : names)
    const operator = random.next() < 0.5 ? '+' : '-'
    const instruction: Instruction = { target, left, operation: copy ? null : { operator, right } }
    const after = run(now, [instruction])
    const value = after.get(target) ?? 0
    if (value < 0 || value > level.bound || (operator === '-' && left === right)) continue
    instructions.push(instruction)
    now = after
  }
  return instructions
}

/** The last instruction writes the asked register; others may be overwritten or never read. */
function makeProgram(level: Level, random: Random): string {
  const start = new Map([...NAMES.slice(0, level.registers)].map((name) => [name, 1 + random.below(level.largest)]))
  const asked = (instructions: readonly Instruction[]) => instructions.at(-1)?.target ?? 'a'
  let best: Instruction[] = []
  for (let i = 0; i < DRAWS; i++) {
    const drawn = drawInstructions(level, start, random)
    if (alive(drawn, asked(drawn)) > alive(best, asked(best))) best = drawn
  }
  const values = [...start].map(([name, value]) => `${name}=${value}`)
  return `${values.join(',')};${best.map(instructionText).join(';')};${asked(best)}?`
}

const next = (p: Program, { registers, done, answer }: Stated): string | null => {
  if (answer !== null) return null
  const instruction = p.instructions[done]
  return instruction ? write(instruction, registers) : `=${registers.get(p.asked)}`
}

const walk: Walk<Program, Stated> = {
  name: 'register-program',
  summary: 'a straight program over a few registers, one instruction a line',
  defaults: { slip: 0.05, recovery: 0 },
  levels: LEVELS.map((level) => level.says),
  maxLength: LEVELS.map((level) => level.maxLength),
  errorKinds: ['result', 'operand', 'operator', 'target', 'copy'],
  make: (level, random) => ({ prompt: makeProgram(LEVELS[level] ?? LEVELS[0]!, random) }),
  parse: (problem) => parseProgram(problem.prompt),
  start: (p) => ({ registers: p.start, done: 0, answer: null }),
  next,

  read(p, s, step) {
    const answer = ANSWER.exec(step)?.[1]
    if (answer !== undefined) return { correct: step === next(p, s), state: { ...s, answer } }
    const line = LINE.exec(step)
    if (!line || !p.start.has(line[1]!)) return { correct: false, state: s }
    const registers = new Map(s.registers).set(line[1]!, Number(line[2]))
    const state = { ...s, registers, done: Math.min(s.done + 1, p.instructions.length) }
    return { correct: s.done < p.instructions.length && step === next(p, s), state }
  },

  wrong(p, { registers, done, answer }, kind) {
    if (answer !== null) return []
    const instruction = p.instructions[done]
    if (!instruction) {
      const value = registers.get(p.asked) ?? 0
      return kind === 'copy' ? nearby(value).map((n) => `=${n}`) : []
    }
    const { target, left, operation } = instruction
    const a = registers.get(left) ?? 0
    if (kind === 'target') {
      return [...registers.keys()]
        .filter((name) => name !== target)
        .map((name) => write(instruction, registers, { target: name }))
    }
    if (kind === 'result') {
      const right = run(registers, [instruction]).get(target) ?? 0
      return nearby(right).map((result) => write(instruction, registers, { result }))
    }
    if (!operation) return []
    const b = registers.get(operation.right) ?? 0
    if (kind === 'operator') {
      return [write(instruction, registers, { operator: operation.operator === '+' ? '-' : '+' })]
    }
    // another register's value, or its own value before some change: all values that stand somewhere
    const values = [...new Set([...registers.values(), ...p.start.values()])]
    if (kind === 'operand') {
      return [
        ...values.filter((v) => v !== a).map((v) => write(instruction, registers, { left: v })),
        ...values.filter((v) => v !== b).map((v) => write(instruction, registers, { right: v })),
      ]
    }
    return []
  },

  answer: (s) => s.answer,
  answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
  check: (p, answer) => /^-?\d{1,15}$/.test(answer) && Number(answer) === p.result,
  onTrack: (p, s) => run(s.registers, p.instructions.slice(s.done)).get(p.asked) === p.result,
}

/**
 * Straight programs over registers: `a=3,b=5,c=7;a=b+c;c=a-b;b=c;b?`.
 *
 * One line an instruction with the values put in, `a=5+7=12`, a copy as `b=7`; answer `=7`. Right values are never
 * negative. A register may be overwritten unread, so an error can be wrong and yet harmless. Errors: `result`,
 * `operand` (the value of another register or an old one), `operator`, `target` (another register is written),
 * `copy` (the answer is not what the register holds).
 */
export const registerProgram: Task = walkTask(walk)
