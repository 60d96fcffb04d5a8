import type { StatementSync } from 'node:sqlite'
import { GradusError } from '../core/errors.ts'
import type { Usage } from '../core/words.ts'
import type { Store } from './store.ts'

export interface Kept<A> {
  value: A
  /** What this sample cost when it was paid for. */
  usage: Usage
}

/**
 * Every completion that was ever paid for, by content key and sample index.
 *
 * Samples of one request are numbered from 0 for ever: asking for 16 after 8 finds 8. A kept sample is never replaced.
 */
export class Cache {
  #store: Store
  #range: StatementSync
  #one: StatementSync
  #insert: StatementSync
  #most: number
  #kept = 0

  /** @param most samples that are kept; when there are more, all are let go of, with the attempts that brought them */
  constructor(store: Store, most = Number.POSITIVE_INFINITY) {
    this.#store = store
    this.#most = most
    this.#one = store.db.prepare('SELECT value, usage FROM completions WHERE key = ? AND sample = ?')
    this.#range = store.db.prepare(
      'SELECT sample, value, usage FROM completions WHERE key = ? AND sample >= ? AND sample < ? ORDER BY sample',
    )
    this.#insert = store.db.prepare('INSERT OR IGNORE INTO completions (key, sample, value, usage) VALUES (?, ?, ?, ?)')
  }

  /** The kept samples with index in [from, from + count), in order. */
  find<A>(key: string, from: number, count: number): Map<number, Kept<A>> {
    const found = new Map<number, Kept<A>>()
    if (count === 1) {
      const row = this.#one.get(key, from)
      if (row) found.set(from, read<A>(row))
      return found
    }
    for (const row of this.#range.all(key, from, from + count)) found.set(Number(row['sample']), read<A>(row))
    return found
  }

  /** Durable when the promise resolves; a crash before that leaves all of the samples or none. */
  keep<A>(key: string, samples: readonly number[], kept: readonly Kept<A>[]): Promise<void> {
    if (kept.length === 0) return Promise.resolve()
    const rows = kept.map((one, i) => [samples[i] ?? -1, JSON.stringify(one.value), JSON.stringify(one.usage)] as const)
    this.#kept += rows.length
    const full = this.#kept > this.#most
    if (full) this.#kept = rows.length
    return this.#store.write(() => {
      if (full) this.#store.db.exec('DELETE FROM completions; DELETE FROM attempts')
      for (const [sample, value, usage] of rows) this.#insert.run(key, sample, value, usage)
    })
  }
}

function read<A>(row: Record<string, unknown>): Kept<A> {
  const { value, usage } = row
  if (typeof value !== 'string' || typeof usage !== 'string') {
    throw new GradusError('GRD-RUN-003', { found: 'a kept completion that is not text' })
  }
  // Written by `keep` of the same types; the key holds the sampler's identity.
  return { value: JSON.parse(value) as A, usage: JSON.parse(usage) as Usage }
}
