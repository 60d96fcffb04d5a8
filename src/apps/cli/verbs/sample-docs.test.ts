import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { PROBLEM_FORMATS } from '../../../io/problems/index.ts'
import { DATA } from '../../../testing/data.ts'
import { callVerb } from '../testing/run-gradus.ts'
import { sample } from './sample.ts'

const page = readFileSync(new URL('../../../../docs/sampling.md', import.meta.url), 'utf8')
/** Those of a GGUF file need a library that is not a dependency. */
const commands = page.split('\n').filter((line) => line.startsWith('gradus sample ') && !line.includes('gguf:'))
const folder = mkdtempSync(join(tmpdir(), 'gradus-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('docs/sampling.md', () => {
  it('names the published sets that are read', () => {
    const plain = page.toLowerCase().replace(/[^a-z0-9]/g, '')
    for (const { name } of PROBLEM_FORMATS) expect(plain).toContain(name.replace(/[^a-z0-9]/g, ''))
  })

  it.skipIf(DATA === '')('every command runs as written, those of an endpoint dry (needs GRADUS_DATA)', async () => {
    expect(commands.length).toBeGreaterThan(4)
    for (const line of commands) {
      const words = line
        .split(' ')
        .slice(2)
        .map((word) => word.replaceAll('"', '').replace('$GRADUS_DATA', DATA))
        .map((word) => (/^[a-z]+\.jsonl$/.test(word) ? join(folder, word) : word))
      const dry = line.includes('http://') && !line.includes('--dry-run') ? ['--dry-run'] : []
      const run = await callVerb(sample, [...words, ...dry, '--cache', join(folder, 'cache.sqlite')])
      expect([line, run.code, run.err]).toEqual([line, 0, ''])
    }
  })
})
