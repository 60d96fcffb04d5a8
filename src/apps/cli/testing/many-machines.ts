import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../engine/testing/postgres.ts'

/** A folder and, where a test needs one, a Postgres for its commands; both go when the tests of the file are done. */
export function manyMachines({ postgres: wanted = true } = {}) {
  // Processes start slowly where other work has the cores.
  vi.setConfig({ testTimeout: 180_000 })
  const folder = mkdtempSync(join(tmpdir(), 'gradus-many-machines-'))
  let postgres: TestPostgres | undefined
  beforeAll(async () => {
    if (wanted) postgres = await startPostgres()
  })
  afterAll(async () => {
    await postgres?.remove()
    rmSync(folder, { recursive: true })
  })
  const path = (name: string): string => join(folder, name)
  const url = (): string => postgres?.url ?? ''
  return {
    folder,
    path,
    /** Of the database. */
    url,
    /** Options of a command whose `@` is the folder. */
    words: (line: string): string[] => line.replaceAll('@', `${folder}/`).split(' '),
    bytes: (name: string): string => readFileSync(path(name), 'utf8'),
    many: (): string[] => ['--engine', 'postgres', '--database-url', url(), '--results', path('results')],
  }
}
