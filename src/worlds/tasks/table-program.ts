import type { Random } from '../../core/seeds.ts'
import type { Problem } from '../../core/words.ts'
import type { Task } from './task.ts'
import { nearby, type Walk, walkTask } from './walk.ts'

const AGGREGATES = ['sum', 'min', 'max', 'count'] as const
type Aggregate = (typeof AGGREGATES)[number]

type Operation =
  | { kind: 'where'; column: number; relation: '<' | '>' | '='; value: string }
  | { kind: 'top'; column: number; n: number }
  | { kind: 'select'; column: number }
  | { kind: 'aggregate'; aggregate: Aggregate }

interface Pipeline {
  rows: string[][]
  operations: Operation[]
  result: string
}

interface Stated {
  /** Row numbers from 1, as the last line states them. */
  rows: readonly number[]
  /** Values of the selected column, null before. */
  values: readonly number[] | null
  /** The aggregate, null before. */
  total: string | null
  done: number
  answer: string | null
}

interface Level {
  says: string
  rows: number
  /** Highest price; stock stays below half of it. */
  price: number
  /** Row operations before select and aggregate. */
  filters: number
  top: boolean
  maxLength: number
}

const LEVELS: readonly Level[] = [
  { says: '3 rows, prices up to 20, one filter', rows: 3, price: 20, filters: 1, top: false, maxLength: 96 },
  { says: '4 rows, one filter', rows: 4, price: 99, filters: 1, top: false, maxLength: 104 },
  { says: '8 rows, two filters', rows: 8, price: 99, filters: 2, top: false, maxLength: 168 },
  { says: '12 rows, two filters and a top n', rows: 12, price: 99, filters: 2, top: true, maxLength: 208 },
  { says: '24 rows, three filters and a top n', rows: 24, price: 99, filters: 3, top: true, maxLength: 368 },
]

const HEADER = ['item', 'shop', 'price', 'stock']
const NUMERIC = ['price', 'stock']
const ITEMS = ['pen', 'cup', 'hat', 'bag', 'map', 'jar', 'fan', 'toy']
const SHOPS = ['north', 'south', 'west']
const NONE = 'none'

const ANSWER = /^=(-?\d{1,9}|none)$/
const ROWS = /^rows (none|\d{1,4}(?: \d{1,4})*)$/
const VALUES = /^values (none|-?\d{1,6}(?: -?\d{1,6})*)$/
const TOTAL = /^(sum|min|max|count) (-?\d{1,9}|none)$/

const list = (items: readonly number[]): string => (items.length === 0 ? NONE : items.join(' '))
const unlist = (text: string): number[] => (text === NONE ? [] : text.split(' ').map(Number))

function parseOperation(text: string, header: readonly string[]): Operation | null {
  const where = /^where (\w+) ([<>=]) (\w+)$/.exec(text)
  const top = /^top (\d{1,3}) by (\w+)$/.exec(text)
  const select = /^select (\w+)$/.exec(text)
  const column = header.indexOf(where?.[1] ?? top?.[2] ?? select?.[1] ?? '')
  if (where && column >= 0) {
    const value = where[3] ?? ''
    const relation = where[2] as '<' | '>' | '='
    return relation === '=' || /^\d+$/.test(value) ? { kind: 'where', column, relation, value } : null
  }
  if (top && column >= 0) return { kind: 'top', column, n: Number(top[1]) }
  if (select && column >= 0) return { kind: 'select', column }
  const aggregate = AGGREGATES.find((name) => name === text)
  return aggregate ? { kind: 'aggregate', aggregate } : null
}

/** The pipeline is row operations, then one select, then one aggregate. */
function parsePipeline(problem: Problem): Pipeline | null {
  const table = problem.context?.find((context) => context.kind === 'table')
  const [from, ...texts] = problem.prompt.split(' | ')
  if (!table || from !== `from ${table.name}`) return null
  const operations: Operation[] = []
  for (const text of texts) {
    const operation = parseOperation(text, table.header)
    if (!operation) return null
    operations.push(operation)
  }
  const kinds = operations.map((operation) => operation.kind)
  if (kinds.at(-1) !== 'aggregate' || kinds.at(-2) !== 'select') return null
  if (kinds.slice(0, -2).some((kind) => kind === 'select' || kind === 'aggregate')) return null
  const p: Pipeline = { rows: table.rows, operations, result: NONE }
  let s = start(p)
  for (const operation of operations) s = execute(p, s, operation)
  return { ...p, result: s.total ?? NONE }
}

const start = (p: Pipeline): Stated => ({
  rows: p.rows.map((_, i) => i + 1),
  values: null,
  total: null,
  done: 0,
  answer: null,
})

const cell = (p: Pipeline, row: number, column: number): string => p.rows[row - 1]?.[column] ?? ''

/** The state after an operation, carried out rightly on the state as stated. */
function execute(p: Pipeline, s: Stated, operation: Operation): Stated {
  const after = { ...s, done: s.done + 1 }
  switch (operation.kind) {
    case 'where': {
      const { column, relation, value } = operation
      const holds = (text: string) =>
        relation === '='
          ? text === value
          : relation === '<'
            ? Number(text) < Number(value)
            : Number(text) > Number(value)
      return { ...after, rows: s.rows.filter((row) => holds(cell(p, row, column))) }
    }
    case 'top': {
      const number = (row: number) => Number(cell(p, row, operation.column))
      const best = [...s.rows].sort((a, b) => number(b) - number(a) || a - b).slice(0, operation.n)
      return { ...after, rows: best.sort((a, b) => a - b) }
    }
    case 'select':
      return { ...after, values: s.rows.map((row) => Number(cell(p, row, operation.column))) }
    case 'aggregate':
      return { ...after, total: aggregate(operation.aggregate, s.values ?? []) }
  }
}

function aggregate(name: Aggregate, values: readonly number[]): string {
  if (name === 'count') return String(values.length)
  if (name === 'sum') return String(values.reduce((a, b) => a + b, 0))
  if (values.length === 0) return NONE
  return String(name === 'min' ? Math.min(...values) : Math.max(...values))
}

/** The line for a state that an operation has led to. */
function write(operation: Operation, after: Stated): string {
  if (operation.kind === 'aggregate') return `${operation.aggregate} ${after.total ?? NONE}`
  return operation.kind === 'select' ? `values ${list(after.values ?? [])}` : `rows ${list(after.rows)}`
}

const next = (p: Pipeline, s: Stated): string | null => {
  if (s.answer !== null) return null
  const operation = p.operations[s.done]
  return operation ? write(operation, execute(p, s, operation)) : `=${s.total ?? NONE}`
}

/** What a line of the kind that the operation asks for says; null for another kind. */
function stated(p: Pipeline, s: Stated, operation: Operation, step: string): Stated | null {
  const done = s.done + 1
  if (operation.kind === 'aggregate') {
    const total = TOTAL.exec(step)?.[2]
    return total === undefined ? null : { ...s, total, done }
  }
  const text = (operation.kind === 'select' ? VALUES : ROWS).exec(step)?.[1]
  if (text === undefined) return null
  if (operation.kind === 'select') return { ...s, values: unlist(text), done }
  const rows = unlist(text)
  return rows.every((row) => row >= 1 && row <= p.rows.length) ? { ...s, rows, done } : null
}

const walk: Walk<Pipeline, Stated> = {
  name: 'table-program',
  summary: 'a pipeline of filter, select and aggregate over a table',
  defaults: { slip: 0.05, recovery: 0 },
  levels: LEVELS.map((level) => level.says),
  maxLength: LEVELS.map((level) => level.maxLength),
  errorKinds: ['missed-row', 'extra-row', 'cell', 'result', 'copy'],
  make: (level, random) => makePipeline(LEVELS[level] ?? LEVELS[0]!, random),
  parse: parsePipeline,
  start,
  next,

  read(p, s, step) {
    const answer = ANSWER.exec(step)?.[1]
    if (answer !== undefined) return { correct: step === next(p, s), state: { ...s, answer } }
    const operation = p.operations[s.done]
    const state = operation ? stated(p, s, operation, step) : null
    return state ? { correct: step === next(p, s), state } : { correct: false, state: s }
  },

  wrong(p, s, kind) {
    if (s.answer !== null) return []
    const operation = p.operations[s.done]
    if (!operation) {
      return kind === 'copy' && s.total !== null && s.total !== NONE ? nearby(Number(s.total)).map((n) => `=${n}`) : []
    }
    const right = execute(p, s, operation)
    if (operation.kind === 'aggregate') {
      if (kind !== 'result' || right.total === null || right.total === NONE) return []
      return nearby(Number(right.total)).map((n) => write(operation, { ...right, total: String(n) }))
    }
    if (operation.kind === 'select') {
      if (kind !== 'cell') return []
      const values = right.values ?? []
      return values.flatMap((value, i) =>
        nearby(value, 0).map((n) => write(operation, { ...right, values: values.with(i, n) })),
      )
    }
    if (kind === 'missed-row') {
      return right.rows.map((row) => write(operation, { ...right, rows: right.rows.filter((r) => r !== row) }))
    }
    if (kind === 'extra-row') {
      return s.rows
        .filter((row) => !right.rows.includes(row))
        .map((row) => write(operation, { ...right, rows: [...right.rows, row].sort((a, b) => a - b) }))
    }
    return []
  },

  answer: (s) => s.answer,
  answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
  check: (p, answer) => answer === p.result,
}

/** Filters leave at least one row. */
function makePipeline(level: Level, random: Random): Pick<Problem, 'prompt' | 'context'> {
  const { price } = level
  const stock = Math.ceil(price / 2)
  const rows = Array.from({ length: level.rows }, () => [
    random.pick(ITEMS),
    random.pick(SHOPS),
    String(1 + random.below(price)),
    String(random.below(stock)),
  ])
  /** Not in the outer tenths, where nearly all rows or nearly none pass. */
  const threshold = (highest: number): number => {
    const tenth = Math.round(highest / 10)
    return tenth + random.below(8 * tenth)
  }
  const operations: string[] = []
  let p: Pipeline = { rows, operations: [], result: NONE }
  let s = start(p)
  const add = (text: string): boolean => {
    const operation = parseOperation(text, HEADER)
    const after = operation ? execute(p, s, operation) : s
    if (!operation || after.rows.length === 0) return false
    operations.push(text)
    p = { ...p, operations: [...p.operations, operation] }
    s = after
    return true
  }
  while (operations.length < level.filters) {
    const column = random.pick(NUMERIC)
    const number = threshold(column === 'price' ? price : stock)
    const numeric = `where ${column} ${random.pick(['<', '>'])} ${number}`
    add(random.next() < 0.3 ? `where shop = ${random.pick(SHOPS)}` : numeric)
  }
  if (level.top) add(`top ${2 + random.below(3)} by ${random.pick(NUMERIC)}`)
  const prompt = ['from goods', ...operations, `select ${random.pick(NUMERIC)}`, random.pick(AGGREGATES)].join(' | ')
  return { prompt, context: [{ kind: 'table', name: 'goods', header: HEADER, rows }] }
}

/**
 * Pipelines over a table: `from goods | where price > 20 | select stock | sum`, the table in the problem's context.
 *
 * One line an operation with its result: `rows 1 3 4` (counted from 1), `values 5 7 12`, `sum 24`; answer `=24`; an
 * empty list is `none`. `top 2 by price` keeps the order of the table, ties go to the upper row. Errors:
 * `missed-row`, `extra-row`, `cell` (a value misread), `result` (wrong aggregate), `copy` (another answer than the
 * aggregate).
 */
export const tableProgram: Task = walkTask(walk)
