import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { processorSeconds } from '../../testing/processor-time.ts'
import { extractAnswer } from './extract.ts'

const R = String.raw

describe('extractAnswer', () => {
  it.each([
    [R`First \boxed{1}, but then \boxed{\frac{3}{x+1}}.`, R`\frac{3}{x+1}`],
    [R`\boxed{\text{(B) } \{1,2\}}`, R`\text{(B) } \{1,2\}`],
    [R`\fbox{7} and an open \boxed{8`, '7'],
    ['6 + 3 = 9 eggs\n#### 9', '9'],
    ['A: 18', '18'],
    ['The answer is 5. I am sure.', '5'],
    ['**Final answer:** 3/4', '3/4'],
    ['The final answer is $x = 3.5$.', '$x = 3.5$'],
    ['{"reasoning": "2 + 2", "answer": "4"}', '4'],
    ['Some steps. So she pays 3 * 4 = 12.', '12'],
    ['Therefore, the total is $32.', '$32'],
    ['We add.\n$x^2+1$', 'x^2+1'],
  ])('finds the answer of %j', (text, answer) => {
    expect(extractAnswer(text)).toBe(answer)
  })

  it.each(['', 'There were 12 eggs and 3 hens.', 'I cannot solve this.'])('takes no bare number from %j', (text) => {
    expect(extractAnswer(text)).toBeNull()
  })

  it('reads any text without throwing and without long searches', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => void extractAnswer(text)),
      { numRuns: 300 },
    )
    for (const piece of ['answer is ', R`\boxed{`, '####  ', '"answer": "', 'so is = ', '   ', '**']) {
      expect(processorSeconds(() => extractAnswer(piece.repeat(20_000)))).toBeLessThan(2)
    }
  })
})
