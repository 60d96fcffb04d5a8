import { describe, expect, it } from 'vitest'
import type { Trace } from '../../../core/words.ts'
import { findingsOf } from './findings.ts'

const trace = (prompt: string, ...texts: string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt },
  steps: texts.map((text) => ({ text, kind: 'thought' as const })),
  source: { generator: '', dataset: 'own', licence: 'MIT' },
})
const verdicts = (t: Trace, kind: 'numbers' | 'identity' = 'numbers'): string[] =>
  findingsOf(t, kind).map((f) => f.verdict)

/** Reasoning without a single equation. */
const talk = (chars: number): string => 'We think about the plums once more. '.repeat(30).slice(0, chars)

describe('findings', () => {
  it('give one verdict a step and keep the claims', () => {
    const t = trace('Ann has 5 plums and 4 pears.', 'Ann counts.', '5 + 4 = 9', '9 - 2 = 6')
    expect(verdicts(t)).toEqual(['unknown', 'correct', 'incorrect'])
    expect(findingsOf(t, 'numbers')[2]).toMatchObject({
      reason: '9-2 = 6 does not hold: the left side is 7',
      detail: { claims: [{ text: '9-2 = 6', holds: false }] },
    })
  })

  it('call a slip far from the start the first error only where its numbers stand in the question', () => {
    const question = 'Ann has 17 plums and 48 pears.'
    expect(verdicts(trace(question, talk(200), '31 + 22 = 54'))[1]).toBe('incorrect')
    expect(verdicts(trace(question, talk(700), '31 + 22 = 54'))[1]).toBe('unknown')
    expect(verdicts(trace(question, talk(700), '17 + 48 = 66'))[1]).toBe('incorrect')
    expect(verdicts(trace(question, talk(700), talk(700), '17 + 48 = 66'))[2]).toBe('unknown')
  })

  it('leave numbers alone where the question counts in another way', () => {
    expect(verdicts(trace('Work modulo 11.', '8 + 7 = 4'))).toEqual(['unknown'])
    expect(verdicts(trace('What is the remainder of 4 + 4 by 3?', '4 + 4 = 9'))).toEqual(['unknown'])
  })

  it('keep numbers and identities apart', () => {
    const t = trace('Simplify.', '\\((a+1)^2 = a^2 + 2a + 2\\)', '5 + 4 = 8')
    expect(verdicts(t, 'identity')).toEqual(['incorrect', 'unknown'])
    expect(verdicts(t)).toEqual(['unknown', 'incorrect'])
  })
})
