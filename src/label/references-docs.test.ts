import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { align } from './alignment.ts'

it('the example of docs/step-labels-references.md prints what the page says', () => {
  const page = readFileSync(new URL('../../docs/step-labels-references.md', import.meta.url), 'utf8')
  const [, code = '', shown = ''] = /```js\n(.*?)```\n\n```text\n(.*?)```/s.exec(page) ?? []
  const body = code.replace("import { align } from 'gradus/label'", '')
  const printed: string[] = []
  new Function('align', 'console', body)(align, { log: (line: string) => printed.push(line) })
  expect(`${printed.join('\n')}\n`).toBe(shown)
})
