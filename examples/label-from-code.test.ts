import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FORMATS } from 'gradus/io'
import { afterEach, expect, it, vi } from 'vitest'

const AGENTS = join(import.meta.dirname, 'traces', 'agents.jsonl')

afterEach(() => vi.restoreAllMocks())

it('the example of the README labels the traces that it names', async () => {
  const said: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => void said.push(words.join(' ')))
  const given = process.argv[2]
  process.argv[2] = AGENTS
  await import('./label-from-code.ts')
  process.argv[2] = given ?? ''
  expect(said).toHaveLength(15)
  expect(said).toEqual(expect.arrayContaining(['flight-to-lisbon 1', 'restock-lamps 2', 'weekend-weather 1']))
})

it('the README quotes it as it is, and counts the formats', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', 'README.md'), 'utf8')
  expect(readme).toContain(`any of ${FORMATS.length} trace formats`)
  const example = await readFile(join(import.meta.dirname, 'label-from-code.ts'), 'utf8')
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
})
