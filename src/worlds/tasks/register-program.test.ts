import { describe, expect, it } from 'vitest'
import { registerProgram } from './register-program.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(registerProgram)

describe('register program', () => {
  const problem = { id: 'p', prompt: 'a=3,b=5,c=7;a=b+c;c=a-b;b=c;b?' }
  const verdicts = (steps: string[]) =>
    registerProgram.oracle(problem, steps, { slip: 0, recovery: 0 }).map((t) => [t.correct, t.value])

  it('judges each line by the registers as the lines before it state them', () => {
    expect(verdicts(['a=5+7=12', 'c=12-5=7', 'b=7', '=7'])).toEqual([1, 1, 1, 1].map((v) => [true, v]))
    expect(verdicts(['a=5+7=13', 'c=13-5=8', 'b=8', '=8'])).toEqual([
      [false, 0],
      [true, 0],
      [true, 0],
      [true, 0],
    ])
  })

  it('an error in a register that nobody reads is wrong and harmless', () => {
    const dead = { id: 'q', prompt: 'a=3,b=5,c=7;a=b+c;c=b-b;b=c;b?' }
    expect(registerProgram.oracle(dead, ['a=5+7=13'], { slip: 0, recovery: 0 })).toEqual([{ correct: false, value: 1 }])
  })

  it('stale operands and wrong targets are wrong', () => {
    expect(verdicts(['a=5+7=12', 'c=3-5=-2'])[1]).toEqual([false, 0])
    expect(verdicts(['b=5+7=12'])[0]).toEqual([false, 0])
  })
})
