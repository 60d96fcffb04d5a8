import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../core/limits.ts'
import { equal } from '../../worlds/answers/equal.ts'
import { equalAnswers } from './equal-answers.ts'
import { ask, plainServices } from './testing/ask.ts'

describe('equal_answers', () => {
  it.each([
    ['\\frac{1}{2}', '0.5', 0, 'equal'],
    ['x^2 - 1', '(x - 1)(x + 1)', 0, 'equal'],
    ['3.14', '\\pi', 0, 'different'],
    ['3.14', '\\pi', 0.01, 'equal'],
    ['50', '50%', 0, 'unknown'],
    ['1/2', 0.5, 0, 'equal'],
  ])('says of %s and %s within %s: %s', async (a, b, tolerance, verdict) => {
    const { structuredContent } = await ask(equalAnswers, { a, b, tolerance }, plainServices('/'))
    expect(structuredContent).toEqual(equal(a, String(b), { tolerance }))
    expect(structuredContent).toMatchObject({ verdict })
  })

  it('takes no text beyond the limit', () => {
    const a = 'x'.repeat(LIMITS.answerChars + 1)
    expect(equalAnswers.input.safeParse({ a, b: 'x' }).success).toBe(false)
  })
})
