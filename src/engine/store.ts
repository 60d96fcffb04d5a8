import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { GradusError } from '../core/errors.ts'

/** Raised when tables change; a store of another version is refused, never altered. */
const STORE_VERSION = 1
/** How long a writer waits for another process, milliseconds. */
const BUSY_MS = 10_000

/**
 * Pages of 4 KiB in the log before it is folded into the file, which waits for the disk: about once in 10,000 samples.
 */
const LOG_PAGES = 8_000

/**
 * Pages kept in memory, KiB: keys are hashes, so look-ups jump over the whole file (8 µs instead of 11 among 12,000
 * samples).
 */
const CACHE_KIB = 64 * 1024

/**
 * Writes in a commit at most. A burst of answers is committed in portions, or all calls of a round trip would wait for
 * the last one and stay a burst for ever.
 */
const COMMIT_WRITES = 16

const TABLES = `
  CREATE TABLE completions (
    key TEXT NOT NULL, sample INTEGER NOT NULL, value TEXT NOT NULL, usage TEXT NOT NULL,
    PRIMARY KEY (key, sample)
  ) WITHOUT ROWID;
  CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, at REAL NOT NULL, key TEXT NOT NULL, first INTEGER NOT NULL,
    samples INTEGER NOT NULL, attempt INTEGER NOT NULL, state TEXT NOT NULL, code TEXT,
    prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0,
    cached_tokens INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0, cost REAL
  );
  CREATE TABLE facts (run TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
`

/**
 * The SQLite file below journal and cache: write-ahead log, the writes of one turn of the event loop share a commit.
 *
 * A commit survives the death of the process at any moment; after a power cut the last commits may be missing, but the
 * file is whole (`synchronous = NORMAL`).
 */
export class Store {
  readonly db: DatabaseSync
  #writes: (() => void)[] = []
  #committed: { resolve(): void; reject(error: unknown): void }[] = []
  #scheduled = false
  #broken: GradusError | undefined

  /**
   * @param path a file, made with its folder where absent; `:memory:` for a run that keeps nothing
   * @throws GradusError GRD-RUN-003 when the file is no store of this version
   */
  constructor(path = ':memory:') {
    try {
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
      this.db = new DatabaseSync(path, { timeout: BUSY_MS })
      this.db.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${LOG_PAGES}; PRAGMA cache_size = -${CACHE_KIB}`,
      )
      this.#prepare(path)
    } catch (cause) {
      if (cause instanceof GradusError) throw cause
      throw new GradusError('GRD-RUN-003', {
        where: { file: path },
        found: cause instanceof Error ? cause.message : String(cause),
        cause,
      })
    }
  }

  #prepare(path: string): void {
    const version = (): unknown => this.db.prepare('PRAGMA user_version').get()?.['user_version']
    if (version() === 0) {
      this.db.exec('BEGIN IMMEDIATE')
      // Another process may have made the tables while this one waited for the lock.
      if (version() === 0) this.db.exec(`${TABLES}; PRAGMA user_version = ${STORE_VERSION}`)
      this.db.exec('COMMIT')
    }
    if (version() !== STORE_VERSION) {
      throw new GradusError('GRD-RUN-003', {
        where: { file: path },
        found: `store version ${String(version())}`,
        expected: `version ${STORE_VERSION}`,
        try: ['name another file, or move this one away: it is left as it is'],
      })
    }
  }

  /**
   * Runs the write in the next commit; the promise resolves when it is durable.
   * @throws GradusError GRD-RUN-003 when this commit or an earlier one failed
   */
  write(change: () => void): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      this.#committed.push({ resolve, reject })
      this.later(change)
    })
  }

  /** As `write`, for what nobody waits for. */
  later(change: () => void): void {
    this.#writes.push(change)
    if (this.#writes.length >= COMMIT_WRITES) this.flush()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  /** Commits what is waiting now. */
  flush(): void {
    if (this.#writes.length === 0) return
    const writes = this.#writes
    const committed = this.#committed
    this.#writes = []
    this.#committed = []
    try {
      this.db.exec('BEGIN IMMEDIATE')
      for (const change of writes) change()
      this.db.exec('COMMIT')
    } catch (cause) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      // A disk that is full or gone: nothing more can be kept, so the next writer must hear of it.
      this.#broken = new GradusError('GRD-RUN-003', {
        found: cause instanceof Error ? cause.message : String(cause),
        cause,
      })
      for (const waiter of committed) waiter.reject(this.#broken)
      return
    }
    for (const waiter of committed) waiter.resolve()
  }

  close(): void {
    this.flush()
    this.db.close()
  }
}
