import { expect, it } from 'vitest'
import { marks } from './marks.ts'

it('names overrides, controls and zero-width characters instead of obeying them', () => {
  expect(marks('safe\u202Eexe.txt')).toEqual(['safe', 'U+202E', 'exe.txt'])
  expect(marks('a\u0000b\u200bc')).toEqual(['a', 'U+0000', 'b', 'U+200B', 'c'])
  expect(marks('tag\u{e0041}')).toEqual(['tag', 'U+E0041', ''])
})

it('leaves lines, tabs, joiners of emoji and right-to-left letters alone', () => {
  const text = 'one\ttwo\nthree 👩‍💻 שלום é'
  expect(marks(text)).toEqual([text])
})
