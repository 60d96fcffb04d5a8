import { expect, it } from 'vitest'
import { anyText, entryOf } from './unknown.ts'

it.each([
  ['a', 'a'],
  [1.5, '1.5'],
  [null, 'null'],
  [undefined, 'undefined'],
  [[1, 'a'], '[1,"a"]'],
  [{ toString: '', valueOf: '' }, '{"toString":"","valueOf":""}'],
])('a text for %j', (value, text) => {
  expect(anyText(value)).toBe(text)
})

it('a table answers for its own entries alone', () => {
  const table = { a: 1 }
  expect(['a', 'b', 'constructor', '__proto__', { toString: '' }].map((key) => entryOf(table, key))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
