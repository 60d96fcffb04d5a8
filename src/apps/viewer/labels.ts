import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { cannotWrite } from '../../io/target.ts'
import { Given as GivenSchema } from './schemas.ts'

export type Given = z.output<typeof GivenSchema>
export type Said = Pick<Given, 'labels' | 'firstError' | 'note'>

/** A trace by the names that survive a new index: the key of its source and its id. */
export interface Item {
  source: string
  id: string
}

export interface GivenTo extends Item {
  given: Given
}

export interface Lock extends Item {
  person: string
  /** Milliseconds since 1970. */
  until: number
}

/** Raised when tables change; a file of another version is refused, never altered. */
const VERSION = 1
/** Somebody who has touched nothing for so long is thought to be gone, milliseconds. */
export const LOCK_MS = 15 * 60_000

const TABLES = `
  CREATE TABLE given (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL,
    adjudicated INTEGER NOT NULL, state TEXT NOT NULL, labels TEXT NOT NULL, firstError INTEGER, note TEXT NOT NULL,
    time TEXT NOT NULL, UNIQUE (source, id, person, adjudicated)
  );
  CREATE TABLE locks (
    source TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL PRIMARY KEY, until INTEGER NOT NULL,
    UNIQUE (source, id)
  );
`

/**
 * What people say of traces, in a SQLite file beside the data.
 *
 * A label is on the disk when the request that brought it is answered: write-ahead log, `synchronous = FULL`. Several
 * processes may have the file open. The file is made with the first label.
 */
export class LabelStore {
  readonly file: string
  readonly #now: () => number
  #db: DatabaseSync | null = null

  /** @param now the clock, milliseconds since 1970 */
  constructor(file: string, now: () => number = Date.now) {
    this.file = file
    this.#now = now
    if (existsSync(file)) this.#open()
  }

  /** Another text after every change, whoever made it. */
  get stamp(): string {
    if (this.#db === null && existsSync(this.file)) this.#open()
    const row = this.#db
      ?.prepare('SELECT (SELECT max(seq) FROM given) AS n, (SELECT total(until) FROM locks) AS u')
      .get()
    return `${row?.['n']} ${row?.['u']}`
  }

  /** Everything that anybody said, oldest first. */
  all(): GivenTo[] {
    return (this.#db?.prepare('SELECT * FROM given ORDER BY seq').all() ?? []).map(givenFrom)
  }

  /** Who has finished or skipped what. */
  finished(): (Item & { person: string; state: string })[] {
    const rows = this.#db
      ?.prepare("SELECT source, id, person, state FROM given WHERE state IN ('done', 'skipped') AND adjudicated = 0")
      .all()
    return (rows ?? []).map((row) => ({
      source: String(row['source']),
      id: String(row['id']),
      person: String(row['person']),
      state: String(row['state']),
    }))
  }

  people(): string[] {
    const rows = this.#db?.prepare('SELECT DISTINCT person FROM given ORDER BY person').all() ?? []
    return rows.map((row) => String(row['person']))
  }

  of({ source, id }: Item): Given[] {
    const rows = this.#db?.prepare('SELECT * FROM given WHERE source = ? AND id = ? ORDER BY seq').all(source, id) ?? []
    return rows.map((row) => givenFrom(row).given)
  }

  /** Writes what a person says; it takes the place of what the same person said before. */
  give(item: Item, person: string, said: Said, state: Given['state']): void {
    const db = this.#open()
    const adjudicated = state === 'adjudicated' ? 1 : 0
    db.prepare(
      `INSERT OR REPLACE INTO given (source, id, person, adjudicated, state, labels, firstError, note, time)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      ...[item.source, item.id, person, adjudicated, state, JSON.stringify(said.labels), said.firstError, said.note],
      new Date(this.#now()).toISOString(),
    )
  }

  /** Makes the last finished or skipped trace of a person a draft again; null where there is none. */
  undo(person: string): Item | null {
    const row = this.#last(person)
    if (row === null) return null
    const { given, source, id } = row
    this.give({ source, id }, person, given, 'draft')
    return { source, id }
  }

  canUndo(person: string): boolean {
    return this.#last(person) !== null
  }

  /** Locks that hold now. */
  locks(): Lock[] {
    const rows = this.#db?.prepare('SELECT * FROM locks WHERE until > ?').all(this.#now()) ?? []
    return rows.map(lockFrom)
  }

  /** What a person works on, even if the lock is over, as long as nobody else has taken it. */
  heldBy(person: string): Item | null {
    const row = this.#db?.prepare('SELECT * FROM locks WHERE person = ?').get(person)
    return row === undefined ? null : lockFrom(row)
  }

  /** Takes a trace, letting go of the one before; false where somebody else holds it. */
  lock({ source, id }: Item, person: string): boolean {
    const db = this.#open()
    db.exec('BEGIN IMMEDIATE')
    try {
      const held = db.prepare('SELECT * FROM locks WHERE source = ? AND id = ? AND person <> ?').get(source, id, person)
      const free = held === undefined || Number(held['until']) <= this.#now()
      if (free) {
        db.prepare('DELETE FROM locks WHERE person = ? OR (source = ? AND id = ?)').run(person, source, id)
        db.prepare('INSERT INTO locks VALUES (?, ?, ?, ?)').run(source, id, person, this.#now() + LOCK_MS)
      }
      db.exec('COMMIT')
      return free
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }

  unlock(person: string): void {
    this.#db?.prepare('DELETE FROM locks WHERE person = ?').run(person)
  }

  close(): void {
    this.#db?.close()
    this.#db = null
  }

  #last(person: string): GivenTo | null {
    const row = this.#db
      ?.prepare(
        "SELECT * FROM given WHERE person = ? AND adjudicated = 0 AND state IN ('done', 'skipped') ORDER BY seq DESC LIMIT 1",
      )
      .get(person)
    return row === undefined ? null : givenFrom(row)
  }

  #open(): DatabaseSync {
    if (this.#db) return this.#db
    try {
      const db = new DatabaseSync(this.file, { timeout: 10_000 })
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      const version = (): unknown => db.prepare('PRAGMA user_version').get()?.['user_version']
      db.exec('BEGIN IMMEDIATE')
      if (version() === 0) db.exec(`${TABLES}; PRAGMA user_version = ${VERSION}`)
      db.exec('COMMIT')
      if (version() !== VERSION) throw new Error(`labels of another version (${version()})`)
      this.#db = db
      return db
    } catch (cause) {
      throw cannotWrite(this.file, cause instanceof Error ? cause : new Error(String(cause)))
    }
  }
}

function givenFrom(row: Record<string, unknown>): GivenTo {
  const read = GivenSchema.safeParse({
    person: row['person'],
    state: row['state'],
    labels: JSON.parse(String(row['labels'])),
    firstError: row['firstError'],
    note: row['note'],
    time: row['time'],
  })
  if (!read.success) throw new GradusError('GRD-IO-002', { found: `a label of ${row['id']}`, cause: read.error })
  return { source: String(row['source']), id: String(row['id']), given: read.data }
}

function lockFrom(row: Record<string, unknown>): Lock {
  return {
    source: String(row['source']),
    id: String(row['id']),
    person: String(row['person']),
    until: Number(row['until']),
  }
}
