import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.restoreAllMocks())

it('the example of docs/solving.md solves its problems, and the page quotes it as it is', async () => {
  const said: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => void said.push(words.join(' ')))
  await import('./solve-from-code.ts')
  expect(said).toHaveLength(3)
  for (const line of said) expect(line).toMatch(/ right \d \d+$/)
  const page = await readFile(join(import.meta.dirname, '..', 'docs', 'solving.md'), 'utf8')
  const example = await readFile(join(import.meta.dirname, 'solve-from-code.ts'), 'utf8')
  expect(page).toContain(`\`\`\`ts\n${example}\`\`\``)
})
