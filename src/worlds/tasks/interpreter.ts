/** A number or a variable; a variable that nobody has set is 0. */
type Operand = { number: number } | { variable: string }

type Relation = '<' | '>' | '=='

interface Condition {
  left: Operand
  relation: Relation
  right: Operand
}

/** A line with the lines that may follow it, counted from 0; the number of lines = the end of the program. */
type Line =
  | {
      kind: 'assign'
      target: string
      left: Operand
      operation?: { operator: '+' | '-' | '%'; right: Operand }
      follow: number
    }
  | { kind: 'print'; value: Operand; follow: number }
  /** Start of a new cell: the variables stay or are forgotten. */
  | { kind: 'cell'; follow: number }
  | { kind: 'test'; condition: Condition; follow: number; otherwise: number }
  /** Belongs to its `if`; never executed. */
  | { kind: 'else' }

export interface Program {
  /** Do variables live on from cell to cell? */
  persistent: boolean
  lines: readonly Line[]
}

/** The state between two executed lines. */
export interface Machine {
  variables: ReadonlyMap<string, number>
  output: readonly number[]
  /** Line to execute next, from 0. */
  at: number
  /** Lines executed so far. */
  used: number
}

/** What one executed line did. */
export type Effect =
  | { kind: 'variables'; variables: ReadonlyMap<string, number> }
  | { kind: 'test'; holds: boolean }
  | { kind: 'print'; value: number }

/** Lines that a run may execute before it is stopped; generated programs need some 40. */
export const FUEL = 64

/** Lines of a program; more are refused. */
const MOST_LINES = 60

export const START: Machine = { variables: new Map(), output: [], at: 0, used: 0 }

const OPERAND = String.raw`([a-z]|\d{1,4})`
const ASSIGN = new RegExp(`^([a-z])=${OPERAND}(?:([+%-])${OPERAND})?$`)
const TEST = new RegExp(`^(while|if) ${OPERAND}(<|>|==)${OPERAND}$`)
const PRINT = new RegExp(`^print ${OPERAND}$`)

const operand = (text: string): Operand => (/\d/.test(text) ? { number: Number(text) } : { variable: text })

interface Source {
  indent: number
  text: string
}

/**
 * Reads numbered lines with one space of indentation a block, after an optional first line `state kept` (the default)
 * or `state reset`:
 *
 * ```
 * 1 x=5
 * 2 while x>2
 * 3  y=y+x
 * 4  x=x-1
 * 5 print y
 * ```
 *
 * Lines: `x=1`, `x=y+2` (also `-` and `%`, the remainder by a number, never negative), `print x`, `cell`, and `while`,
 * `if`, `else` with a block below them. null = not a program.
 */
export function parseProgram(text: string): Program | null {
  const texts = text.split('\n')
  const mode = /^state (kept|reset)$/.exec(texts[0] ?? '')?.[1]
  if (mode !== undefined) texts.shift()
  if (texts.length > MOST_LINES) return null
  const source: Source[] = []
  for (const [i, line] of texts.entries()) {
    const m = /^(\d{1,2}) ( {0,6})(\S.*)$/.exec(line)
    if (!m || Number(m[1]) !== i + 1) return null
    source.push({ indent: m[2]?.length ?? 0, text: m[3] ?? '' })
  }
  const lines: (Line | undefined)[] = []
  if (!link(source, 0, source.length, 0, source.length, lines)) return null
  return { persistent: mode !== 'reset', lines: lines.filter((line) => line !== undefined) }
}

/** Fills the lines of a block, after which the run goes on at `after`; false = not a block. */
function link(
  source: Source[],
  from: number,
  to: number,
  indent: number,
  after: number,
  lines: (Line | undefined)[],
): boolean {
  if (from >= to) return false
  for (let i = from; i < to; ) {
    const { indent: depth, text } = source[i] ?? { indent: -1, text: '' }
    if (depth !== indent) return false
    const blockEnd = endOf(source, i, to)
    const hasElse =
      text.startsWith('if ') &&
      source[blockEnd]?.text === 'else' &&
      source[blockEnd]?.indent === indent &&
      blockEnd < to
    const end = hasElse ? endOf(source, blockEnd, to) : blockEnd
    const follow = end < to ? end : after
    const test = TEST.exec(text)
    if (test) {
      const condition = { left: operand(test[2] ?? ''), relation: test[3] as Relation, right: operand(test[4] ?? '') }
      lines[i] = { kind: 'test', condition, follow: i + 1, otherwise: hasElse ? blockEnd + 1 : follow }
      if (!link(source, i + 1, blockEnd, indent + 1, test[1] === 'while' ? i : follow, lines)) return false
      if (hasElse) {
        lines[blockEnd] = { kind: 'else' }
        if (!link(source, blockEnd + 1, end, indent + 1, follow, lines)) return false
      }
    } else {
      const line = simple(text, indent, follow)
      if (!line || blockEnd !== i + 1) return false
      lines[i] = line
    }
    i = end
  }
  return true
}

/** First line after the block below line i. */
function endOf(source: readonly Source[], i: number, to: number): number {
  let end = i + 1
  while (end < to && (source[end]?.indent ?? 0) > (source[i]?.indent ?? 0)) end++
  return end
}

function simple(text: string, indent: number, follow: number): Line | null {
  if (text === 'cell') return indent === 0 ? { kind: 'cell', follow } : null
  const print = PRINT.exec(text)
  if (print) return { kind: 'print', value: operand(print[1] ?? ''), follow }
  const m = ASSIGN.exec(text)
  if (!m) return null
  const [, target = '', left = '', operator, right] = m
  const head = { kind: 'assign', target, left: operand(left), follow } as const
  if (operator === undefined || right === undefined) return head
  // a remainder by a variable could be one by 0
  if (operator === '%' && !(Number(right) > 0)) return null
  return { ...head, operation: { operator: operator as '+' | '-' | '%', right: operand(right) } }
}

/** What the line at which the machine stands does; null at the end, at an `else` and without fuel. */
export function effectOf(program: Program, machine: Machine): Effect | null {
  const line = program.lines[machine.at]
  if (!line || line.kind === 'else' || machine.used >= FUEL) return null
  const { variables } = machine
  const value = (o: Operand): number => ('number' in o ? o.number : (variables.get(o.variable) ?? 0))
  switch (line.kind) {
    case 'print':
      return { kind: 'print', value: value(line.value) }
    case 'cell':
      return { kind: 'variables', variables: program.persistent ? variables : new Map() }
    case 'test': {
      const { left, relation, right } = line.condition
      const [a, b] = [value(left), value(right)]
      return { kind: 'test', holds: relation === '<' ? a < b : relation === '>' ? a > b : a === b }
    }
    case 'assign': {
      const a = value(line.left)
      const b = line.operation ? value(line.operation.right) : 0
      const operator = line.operation?.operator ?? '+'
      const result = operator === '+' ? a + b : operator === '-' ? a - b : ((a % b) + b) % b
      return { kind: 'variables', variables: new Map(variables).set(line.target, result) }
    }
  }
}

/** The machine after a line has had an effect, be it the right one or not; null where the line cannot have it. */
export function after(program: Program, machine: Machine, effect: Effect): Machine | null {
  const line = program.lines[machine.at]
  const used = machine.used + 1
  if (!line) return null
  if (effect.kind === 'test' && line.kind === 'test') {
    return { ...machine, used, at: effect.holds ? line.follow : line.otherwise }
  }
  if (effect.kind === 'print' && line.kind === 'print') {
    return { ...machine, used, at: line.follow, output: [...machine.output, effect.value] }
  }
  if (effect.kind === 'variables' && (line.kind === 'assign' || line.kind === 'cell')) {
    return { ...machine, used, at: line.follow, variables: effect.variables }
  }
  return null
}

/** Runs a program and keeps the machine after each executed line; stops at the end or when the fuel is used up. */
export function trace(program: Program): { machines: Machine[]; ended: boolean } {
  const machines: Machine[] = []
  let machine: Machine = START
  for (;;) {
    const effect = effectOf(program, machine)
    const then = effect && after(program, machine, effect)
    if (!then) return { machines, ended: machine.at >= program.lines.length }
    machines.push(then)
    machine = then
  }
}
