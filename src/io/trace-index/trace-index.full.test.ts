import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { DATA } from '../../testing/data.ts'
import { readTraces } from '../read.ts'
import { buildIndex } from './build.ts'
import { IndexReader } from './reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-index-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Packed; the largest real sets say nothing new. */
const LARGEST = 4_000_000

const files =
  DATA === ''
    ? []
    : readdirSync(DATA, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(jsonl?|parquet)(\.gz)?$/.test(name) && statSync(join(DATA, name)).size < LARGEST)
        .sort()

describe.skipIf(files.length === 0)('the index of real data (needs GRADUS_DATA)', () => {
  it('has every trace of every set in every format, and gives it back as it was read', async () => {
    let indexed = 0
    for (const [i, name] of files.entries()) {
      const path = join(DATA, name)
      const read = await readTraces(path).catch((error: unknown) => {
        if (error instanceof GradusError) return null
        throw error
      })
      if (read === null || read.traces.length === 0) continue
      const file = join(folder, `${i}.index`)
      await buildIndex(path, file, null, () => {})
      const reader = new IndexReader(path, file)
      expect([name, reader.facts().traces]).toEqual([name, read.traces.length])
      const places = [0, read.traces.length >> 1, read.traces.length - 1]
      expect([name, ...places.map((at) => reader.trace(at))]).toEqual([name, ...places.map((at) => read.traces[at])])
      reader.close()
      rmSync(file)
      indexed++
    }
    expect(indexed).toBeGreaterThan(50)
  }, 300_000)
})
