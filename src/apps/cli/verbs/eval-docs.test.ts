import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BENCHMARKS } from '../../../prove/benchmarks/index.ts'
import { DATA } from '../../../testing/data.ts'
import { commandOf, parseOptions } from '../flags.ts'
import type { Verb } from '../verb.ts'
import { evaluation } from './eval.ts'
import { label } from './label.ts'

const page = readFileSync(new URL('../../../../docs/evaluate.md', import.meta.url), 'utf8')
const commands = page.split('\n').filter((line) => line.startsWith('gradus '))
const folder = mkdtempSync(join(tmpdir(), 'gradus-docs-'))

/** Files that a command writes or reads by bare name stand in a folder of the test. */
function words(command: string): string[] {
  return command
    .split(/\s+/)
    .map((word) => word.replace(/"/g, '').replace('$GRADUS_DATA', DATA))
    .map((word) => (/^[a-z0-9-]+\.(jsonl|html)$/.test(word) ? join(folder, word) : word))
}

describe('docs/evaluate.md', () => {
  it('has a section for every rule', () => {
    for (const { name } of BENCHMARKS) expect(page).toContain(`\`${name}\``)
  })

  it.skipIf(DATA === '')('every command runs as written (needs the public data)', { timeout: 120_000 }, async () => {
    expect(commands.length).toBeGreaterThan(BENCHMARKS.length)
    for (const line of commands) {
      const [, name, ...argv] = words(line)
      const verb = (name === 'label' ? label : evaluation) as unknown as Verb
      const command = commandOf(verb)
      command.parse(argv, { from: 'user' })
      let out = ''
      const terminal = {
        out: (t: string) => void (out += t),
        err: () => {},
        colour: false,
        interactive: false,
        columns: 100,
      }
      const code = await verb.run(command.args, parseOptions(verb, command.opts()), terminal)
      expect([line, code === 0 || code === 3, out.length > 100]).toEqual([line, true, true])
    }
  })
})
