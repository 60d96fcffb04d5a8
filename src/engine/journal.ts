import type { StatementSync } from 'node:sqlite'
import type { ErrorCode } from '../core/errors.ts'
import type { Usage } from '../core/words.ts'
import type { Store } from './store.ts'

/**
 * How an attempt ended. `sent` in the journal of a dead process = nobody knows: the endpoint may have answered, and
 * been paid, without anyone listening.
 */
export type AttemptState = 'sent' | 'kept' | 'partial' | 'failed' | 'aborted'

export interface Attempt {
  /** @param usage with `calls` = 1 */
  settle(state: Exclude<AttemptState, 'sent'>, usage: Usage, code?: ErrorCode): void
}

export interface History {
  /** What all finished attempts cost; those in doubt count as calls. */
  spent: Usage
  attempts: Record<AttemptState, number>
  /** Finished attempts that failed, by code. */
  failures: Record<string, number>
}

/** Every request that a run ever sent, written before it goes out; the run's bill over all resumes. */
export class Journal {
  readonly run: string
  #store: Store
  #sent: StatementSync
  #settle: StatementSync

  constructor(store: Store, run: string) {
    this.run = run
    this.#store = store
    this.#sent = store.db.prepare(
      "INSERT INTO attempts (run, at, key, first, samples, attempt, state) VALUES (?, ?, ?, ?, ?, ?, 'sent')",
    )
    this.#settle = store.db.prepare(
      `UPDATE attempts SET state = ?, code = ?, prompt_tokens = ?, completion_tokens = ?, cached_tokens = ?, seconds = ?,
       cost = ? WHERE id = ?`,
    )
  }

  /** Durable when the promise resolves, so that the request may go out: what went out is never unknown. */
  async sent(key: string, samples: readonly number[], attempt: number): Promise<Attempt> {
    const at = Date.now() / 1000
    let id: number | bigint = -1
    await this.#store.write(() => {
      id = this.#sent.run(this.run, at, key, samples[0] ?? 0, samples.length, attempt).lastInsertRowid
    })
    return {
      settle: (state, usage, code) => {
        const { promptTokens, completionTokens, cachedTokens, seconds, cost = null } = usage
        this.#store.later(() => {
          this.#settle.run(state, code ?? null, promptTokens, completionTokens, cachedTokens, seconds, cost, id)
        })
      },
    }
  }

  history(): History {
    this.#store.flush()
    const db = this.#store.db
    const sums = db
      .prepare(
        `SELECT count(*) AS calls, total(prompt_tokens) AS p, total(completion_tokens) AS c, total(cached_tokens) AS k,
         total(seconds) AS s, sum(cost) AS cost FROM attempts WHERE run = ?`,
      )
      .get(this.run)
    const spent: Usage = {
      calls: Number(sums?.['calls'] ?? 0),
      promptTokens: Number(sums?.['p'] ?? 0),
      completionTokens: Number(sums?.['c'] ?? 0),
      cachedTokens: Number(sums?.['k'] ?? 0),
      seconds: Number(sums?.['s'] ?? 0),
    }
    if (typeof sums?.['cost'] === 'number') spent.cost = sums['cost']
    const attempts: Record<AttemptState, number> = { sent: 0, kept: 0, partial: 0, failed: 0, aborted: 0 }
    const failures: Record<string, number> = {}
    const rows = db
      .prepare(
        'SELECT state, code, count(*) AS n FROM attempts WHERE run = ? GROUP BY state, code ORDER BY state, code',
      )
      .all(this.run)
    for (const row of rows) {
      const n = Number(row['n'])
      const state = row['state'] as AttemptState
      attempts[state] += n
      if (typeof row['code'] === 'string') failures[row['code']] = (failures[row['code']] ?? 0) + n
    }
    return { spent, attempts, failures }
  }

  /**
   * A fact that is found out once a run (a capability probe) and read from the journal ever after.
   * @param find must give a plain JSON value
   */
  async once<T>(name: string, find: () => Promise<T>): Promise<T> {
    const row = this.#store.db.prepare('SELECT value FROM facts WHERE run = ? AND name = ?').get(this.run, name)
    if (typeof row?.['value'] === 'string') return JSON.parse(row['value']) as T
    const value = await find()
    const text = JSON.stringify(value)
    const insert = this.#store.db.prepare('INSERT OR REPLACE INTO facts (run, name, value) VALUES (?, ?, ?)')
    await this.#store.write(() => insert.run(this.run, name, text))
    return JSON.parse(text) as T
  }
}
