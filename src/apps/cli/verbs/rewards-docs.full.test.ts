import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { STEP_COLUMNS } from '../../../models/rewards/bodies/step-features.ts'
import { callVerb } from '../testing/run-gradus.ts'
import type { Verb } from '../verb.ts'
import { VERBS } from './index.ts'

const page = readFileSync(new URL('../../../../docs/rewards.md', import.meta.url), 'utf8')
const commands = page.split('\n').filter((line) => /^gradus \w+ .*(-o|--problems) /.test(line))
const folder = mkdtempSync(join(tmpdir(), 'gradus-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('docs/rewards.md', () => {
  it('every command runs as written, one after the other', { timeout: 120_000 }, async () => {
    expect(commands.length).toBe(9)
    for (const line of commands) {
      const [, name = '', ...words] = line.split(' ')
      const own = words.map((word) => (/^\w+\.(jsonl|json|html)$/.test(word) ? join(folder, word) : word))
      const samples = name === 'sample' || name === 'solve' ? ['--cache', join(folder, 'cache.sqlite')] : []
      const run = await callVerb((await VERBS[name]!.load()) as Verb, [...own, ...samples])
      expect([line, run.code, run.err]).toEqual([line, 0, ''])
    }
    expect(existsSync(join(folder, 'bon.html'))).toBe(true)
  })

  it('says how many plain numbers a step has', () => {
    expect(page).toContain(`${Object.keys(STEP_COLUMNS).length} plain numbers`)
  })
})
