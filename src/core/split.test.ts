import { describe, expect, it } from 'vitest'
import { half, part, questionKey } from './split.ts'

describe('the split', () => {
  it('looks at letters and digits alone, so that a re-typed question stays on its side', () => {
    expect(questionKey('What is 2 + 2?')).toBe('whatis22')
    expect(half('What is 2 + 2?')).toBe(half('what  is 2+2 '))
  })

  it('uses the raw text where there are no letters', () => {
    expect(questionKey('{ [ ] }')).toBe('{ [ ] }')
    expect(questionKey('1 + 2')).toBe('1 + 2')
  })

  it('halves', () => {
    const tune = Array.from({ length: 2_000 }, (_, i) => half(`question ${i}`)).filter((h) => h === 'tune').length
    expect(Math.abs(tune - 1_000)).toBeLessThan(100)
  })

  it('cuts each half into parts of like size that keep a re-typed question together', () => {
    const questions = Array.from({ length: 4_000 }, (_, i) => `question ${i}`)
    for (const side of ['tune', 'report']) {
      const parts = questions.filter((q) => half(q) === side).map((q) => part(q, 5))
      for (let k = 0; k < 5; k++) expect(Math.abs(parts.filter((p) => p === k).length - 400)).toBeLessThan(80)
    }
    expect(part('What is 2 + 2?', 97)).toBe(part('what  is 2+2 ', 97))
  })
})
