import { describe, expect, it } from 'vitest'
import { half, questionKey } from './split.ts'

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
})
