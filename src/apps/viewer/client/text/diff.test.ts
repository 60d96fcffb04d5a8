import { expect, it } from 'vitest'
import { diffLines, isDiff } from './diff.ts'

const PATCH = 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n--- gone\n+here'

it('tells added and removed lines from headers', () => {
  expect(diffLines(PATCH).map((l) => l.kind)).toEqual(['head', 'head', 'head', 'hunk', 'same', 'remove', 'add'])
  expect(
    diffLines(PATCH)
      .map((l) => l.text)
      .join('\n'),
  ).toBe(PATCH)
})

it('knows a diff from a list and a table', () => {
  expect(isDiff(PATCH)).toBe(true)
  expect(isDiff('- milk\n- eggs\n+ bread')).toBe(false)
  expect(isDiff('a | b\n--- | ---\n1 | 2')).toBe(false)
})
