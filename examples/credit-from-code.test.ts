import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.restoreAllMocks())

it('the example of docs/credit.md says what it says it does, and the page quotes it as it is', async () => {
  const said: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => void said.push(words.join(' ')))
  await import('./credit-from-code.ts')
  expect(said).toEqual(['0 0.5', '0 -0.5'])
  const page = await readFile(join(import.meta.dirname, '..', 'docs', 'credit.md'), 'utf8')
  const example = await readFile(join(import.meta.dirname, 'credit-from-code.ts'), 'utf8')
  expect(page).toContain(`\`\`\`ts\n${example}\`\`\``)
})
