import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pages } from './docs.ts'

describe('pages made from the code', () => {
  it.each(Object.entries(pages()))('%s is up to date (node scripts/docs.ts)', async (path, text) => {
    expect(await readFile(join(import.meta.dirname, '..', path), 'utf8')).toBe(text)
  })
})
