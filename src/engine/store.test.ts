import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { NO_USAGE } from '../core/words.ts'
import { Cache } from './cache.ts'
import { Journal } from './journal.ts'
import { Store } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-store-'))
afterAll(() => rmSync(folder, { recursive: true }))
const usage = { ...NO_USAGE, calls: 1, promptTokens: 3, seconds: 0.5, cost: 0.25 }

describe('store', () => {
  it('is refused, and left as it is, when it is of another version or no database', () => {
    const other = join(folder, 'other.db')
    const db = new DatabaseSync(other)
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(() => new Store(other)).toThrow('GRD-RUN-003 the journal cannot be used: store version 99')
    const text = join(folder, 'text.db')
    writeFileSync(text, 'no database, but long enough to look at'.repeat(100))
    expect(() => new Store(text)).toThrow('GRD-RUN-003')
  })

  it('says so when a write fails, and takes nothing more', async () => {
    const store = new Store()
    const failing = store.write(() => {
      throw new Error('disk full')
    })
    await expect(failing).rejects.toThrow('GRD-RUN-003 the journal cannot be used: disk full')
    await expect(store.write(() => undefined)).rejects.toThrow('disk full')
    store.close()
  })

  it('writes all of a commit or nothing', async () => {
    const store = new Store()
    const cache = new Cache(store)
    const kept = cache.keep('k', [0], [{ value: 'a', usage }])
    const failing = store.write(() => {
      throw new Error('no')
    })
    await expect(kept).rejects.toThrow('no')
    await expect(failing).rejects.toThrow('no')
    expect(cache.find('k', 0, 1).size).toBe(0)
    store.close()
  })

  it('serves two processes at once', async () => {
    const path = join(folder, 'shared.db')
    const [a, b] = [new Store(path), new Store(path)]
    await Promise.all(
      [a, b].map(async (store, who) => {
        const cache = new Cache(store)
        for (let i = 0; i < 50; i++) await cache.keep('k', [i], [{ value: who, usage }])
      }),
    )
    const seen = [a, b].map((store) =>
      [...new Cache(store).find<number>('k', 0, 50).values()].map((kept) => kept.value),
    )
    // Who came first stays: a kept sample is never replaced.
    expect(seen[0]?.length).toBe(50)
    expect(seen[0]).toEqual(seen[1])
    a.close()
    b.close()
  })
})

describe('cache', () => {
  it('finds exactly the samples of a key in a range', async () => {
    const store = new Store()
    const cache = new Cache(store)
    await cache.keep(
      'k',
      [0, 1, 5],
      ['a', 'b', 'f'].map((value) => ({ value, usage })),
    )
    await cache.keep('other', [2], [{ value: 'x', usage }])
    expect([...cache.find('k', 0, 6).entries()]).toEqual([
      [0, { value: 'a', usage }],
      [1, { value: 'b', usage }],
      [5, { value: 'f', usage }],
    ])
    expect([...cache.find('k', 1, 4).keys()]).toEqual([1])
    expect(cache.find('k', 5, 1).get(5)).toEqual({ value: 'f', usage })
    store.close()
  })
})

describe('journal', () => {
  it('adds up a run over all processes, with those in doubt', async () => {
    const path = join(folder, 'journal.db')
    const first = new Store(path)
    const journal = new Journal(first, 'run')
    ;(await journal.sent('k', [0], 1)).settle('failed', usage, 'GRD-CALL-004')
    ;(await journal.sent('k', [0], 2)).settle('kept', usage)
    await journal.sent('k', [1], 1)
    await new Journal(first, 'other').sent('k', [1], 1)
    first.close()
    const second = new Store(path)
    expect(new Journal(second, 'run').history()).toEqual({
      spent: { ...NO_USAGE, calls: 3, promptTokens: 6, seconds: 1, cost: 0.5 },
      attempts: { sent: 1, kept: 1, partial: 0, failed: 1, aborted: 0 },
      failures: { 'GRD-CALL-004': 1 },
    })
    second.close()
  })

  it('finds a fact out once a run', async () => {
    const path = join(folder, 'facts.db')
    let found = 0
    const find = async () => ({ n: ++found })
    for (let session = 0; session < 2; session++) {
      const store = new Store(path)
      expect(await new Journal(store, 'run').once('fact', find)).toEqual({ n: 1 })
      store.close()
    }
    const store = new Store(path)
    expect(await new Journal(store, 'another run').once('fact', find)).toEqual({ n: 2 })
    store.close()
  })
})
