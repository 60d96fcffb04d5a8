import { closeSync, openSync, readSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { inflateRawSync } from 'node:zlib'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { readAgain } from '../read.ts'
import { type Condition, type Field, isNumberField, type Sort, TEXT_FIELDS } from './conditions.ts'
import { type Facts, INDEX_VERSION } from './facts.ts'
import type { IndexRow } from './row.ts'
import { matchOf } from './words.ts'
import { tagText } from './writer.ts'

/** What is asked of the rows. */
export interface Query {
  /** Words that must all occur. */
  words?: string
  conditions?: readonly Condition[]
  sort?: Sort
}

/** A row with its number: the position among the traces of the file. */
export interface NumberedRow extends IndexRow {
  at: number
}

export interface FacetValues {
  field: Field
  kind: 'text' | 'number' | 'tags'
  values: { value: string | number | null; count: number }[]
  distinct: number
  min: number | null
  max: number | null
}

/** Fields whose values are counted; the others differ from trace to trace. */
const FACETS = ['generator', 'dataset', 'task', 'steps', 'outcome', 'firstError', 'gold', 'disagreement'] as const
/** Pages in memory, KiB. */
const CACHE_KIB = 32 * 1024

/** Looks things up in an index, also while it is being written. */
export class IndexReader {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #row: StatementSync
  readonly #facts: StatementSync

  /**
   * @param path of the data
   * @param file of the index
   * @throws GradusError GRD-IO-002 where the file is no index of this version
   */
  constructor(path: string, file: string) {
    this.#path = path
    try {
      this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
      const version = this.#db.prepare('PRAGMA user_version').get()?.['user_version']
      if (version !== INDEX_VERSION) throw new Error(`version ${version}`)
      this.#db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
      this.#row = this.#db.prepare('SELECT * FROM traces JOIN shown USING (at) WHERE at = ?')
      this.#facts = this.#db.prepare('SELECT value FROM facts')
      this.facts()
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : String(cause)
      throw new GradusError('GRD-IO-002', { where: { file }, found, expected: 'an index of traces', cause })
    }
  }

  facts(): Facts {
    const value = this.#facts.get()?.['value']
    if (typeof value !== 'string') throw new Error('no facts')
    return JSON.parse(value) as Facts
  }

  /** Numbers of the rows that fit, in order; rows without a value of the sorted field come last. */
  find(query: Query): Int32Array {
    return Int32Array.from(JSON.parse(this.#findAs('json_group_array(at)', query)) as number[])
  }

  /** The same with the values that they are sorted by, so that the rows of several files can be merged. */
  findKeyed(query: Query): { at: number; key: string | number | null }[] {
    const found = JSON.parse(this.#findAs('json_group_array(json_array(at, key))', query)) as [
      number,
      string | number | null,
    ][]
    return found.map(([at, key]) => ({ at, key }))
  }

  /** One text for all rows: a hundred thousand row objects would take longer than the query itself. */
  #findAs(what: string, query: Query): string {
    const { sql, values } = whereOf(query)
    const { field, descending } = query.sort ?? {}
    const order = field === undefined ? 'at' : `key IS NULL, key ${descending ? 'DESC' : 'ASC'}, at`
    const table = field === 'problem' ? 'traces JOIN shown USING (at)' : 'traces'
    const rows = `SELECT at, ${field ?? 'at'} AS key FROM ${table}${sql} ORDER BY ${order}`
    return String(this.#db.prepare(`SELECT ${what} AS found FROM (${rows})`).get(...values)?.['found'])
  }

  row(at: number): NumberedRow | null {
    const row = this.#row.get(at)
    return row === undefined ? null : rowFrom(row)
  }

  /** The row of an id; ids are unique in a file. */
  withId(id: string): NumberedRow | null {
    const row = this.#db.prepare('SELECT * FROM traces JOIN shown USING (at) WHERE id = ?').get(id)
    return row === undefined ? null : rowFrom(row)
  }

  /** The most frequent values of each field, at most `most` of them, null = not known. */
  facets(most: number): FacetValues[] {
    return [
      ...FACETS.map((field) => this.#facet(field, most)),
      this.#range('maxRisk'),
      this.#range('doubt'),
      this.#tags(most),
    ]
  }

  /** A table of counts: how often each combination of values occurs. */
  count(columns: readonly ('firstError' | 'gold' | 'steps' | 'errorProb' | 'said')[]): Record<string, unknown>[] {
    const list = columns.join(', ')
    return this.#db
      .prepare(`SELECT ${list}, count(*) AS n FROM traces JOIN shown USING (at) GROUP BY ${list} ORDER BY ${list}`)
      .all()
  }

  /**
   * The whole trace.
   * @throws GradusError GRD-IO-016 where its line is no longer what it was
   */
  trace(at: number): Trace | null {
    const row = this.#row.get(at)
    if (row === undefined) return null
    const [start, bytes] = [Number(row['start']), Number(row['bytes'])]
    if (start < 0) {
      const stored = this.#db.prepare('SELECT trace FROM stored WHERE at = ?').get(at)?.['trace']
      if (!(stored instanceof Uint8Array)) return null
      return JSON.parse(inflateRawSync(stored).toString('utf8')) as Trace
    }
    const changed = (cause?: unknown) =>
      new GradusError('GRD-IO-016', {
        where: { file: this.#path },
        found: `another record in the place of ${String(row['id'])}`,
        try: ['reload: the file is read again'],
        cause,
      })
    let trace: Trace
    try {
      const text = textAt(this.#path, start, bytes)
      trace = readAgain(text, Number(row['line']), Number(row['part']), this.facts().format, this.#path)
    } catch (cause) {
      throw changed(cause)
    }
    if (trace.id !== row['id']) throw changed()
    return trace
  }

  close(): void {
    this.#db.close()
  }

  #facet(field: Field, most: number): FacetValues {
    const groups = this.#db
      .prepare(`SELECT ${field} AS value, count(*) AS n FROM traces GROUP BY 1 ORDER BY n DESC, value`)
      .all()
      .map((row) => ({ value: keyOf(row['value']), count: Number(row['n']) }))
    const values = groups.slice(0, most)
    if (!isNumberField(field)) return { field, kind: 'text', values, distinct: groups.length, min: null, max: null }
    const known = groups.flatMap(({ value }) => (typeof value === 'number' ? [value] : []))
    const [min, max] = known.length === 0 ? [null, null] : [known.reduce(smaller), known.reduce(larger)]
    return { field, kind: 'number', values, distinct: groups.length, min, max }
  }

  /** A number that differs from trace to trace. */
  #range(field: Field): FacetValues {
    const row = this.#db.prepare(`SELECT min(${field}) AS low, max(${field}) AS high FROM traces`).get()
    const [min, max] = [numberOrNull(row?.['low']), numberOrNull(row?.['high'])]
    return { field, kind: 'number', values: [], distinct: 0, min, max }
  }

  /** Sets of tags are few, so they are counted whole and taken apart here. */
  #tags(most: number): FacetValues {
    const counts = new Map<string, number>()
    for (const { tags, n } of this.#db.prepare('SELECT tags, count(*) AS n FROM traces GROUP BY tags').all()) {
      for (const tag of tagsFrom(tags)) counts.set(tag, (counts.get(tag) ?? 0) + Number(n))
    }
    const values = [...counts].map(([value, count]) => ({ value, count }))
    values.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    return { field: 'tags', kind: 'tags', values: values.slice(0, most), distinct: values.length, min: null, max: null }
  }
}

function whereOf({ words, conditions = [] }: Query): { sql: string; values: SQLInputValue[] } {
  const parts: string[] = []
  const values: SQLInputValue[] = []
  for (const condition of conditions) parts.push(partOf(condition, values))
  if (words !== undefined && words.trim() !== '') {
    const match = matchOf(words)
    // Signs alone are in no index, so nothing can be said to fit.
    parts.push(match === null ? '0' : 'at IN (SELECT rowid FROM words WHERE words MATCH ?)')
    if (match !== null) values.push(match)
  }
  return { sql: parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`, values }
}

const COMPARE: Record<string, string> = { lt: '<', le: '<=', gt: '>', ge: '>=' }

/**
 * One condition as SQL. Values go in as parameters; names of fields are names of columns and come from a closed list,
 * never from a request.
 */
function partOf({ field, op, values: given }: Condition, values: SQLInputValue[]): string {
  const column = field
  const negative = op === 'ne'
  if (op === 'is') {
    const empty = isNumberField(field) ? `${column} IS NULL` : `${column} = ''`
    return given[0] === 'none' ? empty : `NOT (${empty})`
  }
  if (field === 'tags') {
    values.push(...given.map((tag) => tagText([tag])))
    const any = given.map(() => 'instr(tags, ?) > 0').join(' OR ')
    return negative ? `NOT (${any})` : `(${any})`
  }
  const typed = isNumberField(field) ? given.map(Number) : given
  values.push(...typed)
  const compare = COMPARE[op]
  if (compare !== undefined) return `${column} ${compare} ?`
  const list = `${column} IN (${typed.map(() => '?').join(', ')})`
  return negative ? `(${column} IS NULL OR NOT ${list})` : list
}

const smaller = (a: number, b: number): number => Math.min(a, b)
const larger = (a: number, b: number): number => Math.max(a, b)

function textAt(path: string, start: number, bytes: number): string {
  const buffer = Buffer.allocUnsafe(bytes)
  const file = openSync(path, 'r')
  try {
    const got = readSync(file, buffer, 0, bytes, start)
    return buffer.toString('utf8', 0, got)
  } finally {
    closeSync(file)
  }
}

function rowFrom(row: Record<string, unknown>): NumberedRow {
  const text = Object.fromEntries([...TEXT_FIELDS, 'risk' as const].map((name) => [name, String(row[name])]))
  return {
    ...(text as Pick<IndexRow, (typeof TEXT_FIELDS)[number] | 'risk'>),
    at: Number(row['at']),
    steps: Number(row['steps']),
    outcome: numberOrNull(row['outcome']),
    firstError: numberOrNull(row['firstError']),
    gold: numberOrNull(row['gold']),
    said: JSON.parse(String(row['said'])) as Record<string, number>,
    disagreement: numberOrNull(row['disagreement']),
    maxRisk: numberOrNull(row['maxRisk']),
    errorProb: numberOrNull(row['errorProb']),
    doubt: Number(row['doubt']),
    tags: tagsFrom(row['tags']),
  }
}

function tagsFrom(text: unknown): string[] {
  return String(text)
    .split('\n')
    .filter((tag) => tag !== '')
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function keyOf(value: unknown): string | number | null {
  return typeof value === 'string' || typeof value === 'number' ? value : null
}
