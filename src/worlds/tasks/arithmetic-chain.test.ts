import { describe, expect, it } from 'vitest'
import { arithmeticChain } from './arithmetic-chain.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(arithmeticChain)

describe('arithmetic chain', () => {
  const problem = { id: 'p', prompt: '17+28-9+46' }
  const verdicts = (steps: string[], slip = 0) =>
    arithmeticChain.oracle(problem, steps, { slip, recovery: 0 }).map((t) => [t.correct, t.value])

  it('judges each line by the line before it', () => {
    expect(verdicts(['17+28=45', '45-9=36', '36+46=82', '=82'])).toEqual([1, 1, 1, 1].map((v) => [true, v]))
    expect(verdicts(['17+28=46', '46-9=37', '37+46=83', '=83'])).toEqual([
      [false, 0],
      [true, 0],
      [true, 0],
      [true, 0],
    ])
    // two errors that cancel: both are wrong, and the run is on track again
    expect(verdicts(['17+28=46', '46-9=36'])).toEqual([
      [false, 0],
      [false, 1],
    ])
    expect(verdicts(['17+29=46', '17+28=45', '=82'])).toEqual([
      [false, 0],
      [false, 0],
      [false, 1],
    ])
  })

  it('has an exact value: every step to go may slip', () => {
    expect(verdicts(['17+28=45'], 0.1)[0]?.[1]).toBeCloseTo(0.9 ** 3, 12)
  })

  it('reads products from the left, as the brackets say', () => {
    const product = { id: 'q', prompt: '(17+28)*3-9' }
    expect(arithmeticChain.check(product, '126')).toBe(true)
    expect(() => arithmeticChain.check({ id: 'r', prompt: '17+28*3' }, '101')).toThrow(/GRD-WORLD-001/)
  })

  it('ends with the first answer', () => {
    expect(arithmeticChain.answerOf(['17+28=45', '=45', '=82'])).toBe('45')
    expect(verdicts(['17+28=45', '=45', '=82'])).toEqual([
      [true, 1],
      [false, 0],
      [false, 0],
    ])
  })
})
