import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { deflateRawSync } from 'node:zlib'
import type { GradusError } from '../../core/errors.ts'
import { describePlace } from '../../core/errors.ts'
import type { Placed } from '../read.ts'
import { type Facts, INDEX_VERSION } from './facts.ts'
import { rowOf } from './row.ts'
import { searchable } from './words.ts'

/**
 * What is filtered and sorted by in a narrow table that is scanned whole, what is only shown in another; words in an FTS5 index that keeps no text, whole traces where they cannot be read again alone.
 */
const TABLES = `
  CREATE TABLE traces (
    at INTEGER PRIMARY KEY, id TEXT NOT NULL, question TEXT NOT NULL, generator TEXT NOT NULL, dataset TEXT NOT NULL,
    task TEXT NOT NULL, steps INTEGER NOT NULL, outcome REAL, firstError INTEGER, gold INTEGER, disagreement REAL,
    maxRisk REAL, errorProb REAL, doubt REAL NOT NULL, tags TEXT NOT NULL
  );
  CREATE TABLE shown (
    at INTEGER PRIMARY KEY, problem TEXT NOT NULL, risk TEXT NOT NULL, said TEXT NOT NULL, start INTEGER NOT NULL,
    bytes INTEGER NOT NULL, line INTEGER NOT NULL, part INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX traces_id ON traces (id);
  CREATE INDEX traces_question ON traces (question);
  CREATE VIRTUAL TABLE words USING fts5(text, content='', detail=none);
  CREATE TABLE stored (at INTEGER PRIMARY KEY, trace BLOB NOT NULL);
  CREATE TABLE facts (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT NOT NULL);
`
/** Errors of records that are kept as text. */
const EXAMPLES = 20
/** Pages in memory while writing, KiB. */
const CACHE_KIB = 16 * 1024
/** Fastest; the whole trace is packed only where its source is no plain JSON Lines. */
const DEFLATE = { level: 1 }

/** Writes an index; `commit` makes what was added visible to readers. */
export class IndexWriter {
  readonly #db: DatabaseSync
  readonly #row: StatementSync
  readonly #shown: StatementSync
  readonly #words: StatementSync
  readonly #stored: StatementSync
  #facts: Facts

  /**
   * @param file of the index; continued where it is one already
   * @param facts of the data, as they are before anything is read
   * @param watched may others read it while it is being written? Else it is written as fast as can be, and worthless
   *   until `close`
   */
  constructor(file: string, facts: Facts, watched: boolean) {
    this.#db = new DatabaseSync(file, { timeout: 5_000 })
    this.#db.exec(
      watched
        ? 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL'
        : 'PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF',
    )
    this.#db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
    if (this.#db.prepare('PRAGMA user_version').get()?.['user_version'] !== INDEX_VERSION) {
      this.#db.exec(`BEGIN; ${TABLES}; PRAGMA user_version = ${INDEX_VERSION}; COMMIT`)
    }
    this.#facts = facts
    this.#row = this.#db.prepare(`INSERT OR IGNORE INTO traces VALUES (${Array(15).fill('?').join(', ')})`)
    this.#shown = this.#db.prepare('INSERT INTO shown VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#words = this.#db.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)')
    this.#stored = this.#db.prepare('INSERT INTO stored VALUES (?, ?)')
    this.#db.exec('BEGIN IMMEDIATE')
  }

  /** Traces indexed so far. */
  get traces(): number {
    return this.#facts.traces
  }

  add(placed: readonly Placed[]): void {
    for (const one of placed) {
      if (!this.#insert(one)) this.leaveOut(`${one.trace.id}: the same id stands twice`)
    }
  }

  /** A record that is not in the index. */
  leaveOut(error: GradusError | string): void {
    this.#facts.leftOut++
    if (this.#facts.examples.length >= EXAMPLES) return
    const place = typeof error === 'string' ? '' : describePlace(error.where)
    this.#facts.examples.push(
      typeof error === 'string' ? error : place === '' ? error.message : `${error.message} (${place})`,
    )
  }

  /** @param facts that have changed */
  commit(facts: Partial<Facts> = {}): void {
    this.#facts = { ...this.#facts, ...facts }
    this.#db.prepare('INSERT OR REPLACE INTO facts VALUES (1, ?)').run(JSON.stringify(this.#facts))
    this.#db.exec('COMMIT; BEGIN IMMEDIATE')
  }

  close(facts: Partial<Facts> = {}): void {
    this.commit(facts)
    this.#db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
    this.#db.close()
  }

  #insert({ trace, start, bytes, line, part }: Placed): boolean {
    const at = this.#facts.traces
    const r = rowOf(trace)
    const { changes } = this.#row.run(
      ...[at, r.id, r.question, r.generator, r.dataset, r.task, r.steps, r.outcome, r.firstError, r.gold],
      ...[r.disagreement, r.maxRisk, r.errorProb, r.doubt, tagText(r.tags)],
    )
    if (changes === 0) return false
    this.#shown.run(at, r.problem, r.risk, JSON.stringify(r.said), start, bytes, line, part)
    this.#words.run(at, searchable(trace))
    if (start < 0) this.#stored.run(at, deflateRawSync(JSON.stringify(trace), DEFLATE))
    this.#facts.traces++
    this.#facts.steps += r.steps
    return true
  }
}

/** Each tag between line feeds, so that one is found whole. */
export function tagText(tags: readonly string[]): string {
  return tags.length === 0 ? '' : `\n${tags.join('\n')}\n`
}
