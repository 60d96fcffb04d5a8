import { describe, expect, it } from 'vitest'
import { imperative } from './imperative.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(imperative)

describe('imperative', () => {
  const verdicts = (prompt: string, steps: string[]) =>
    imperative.oracle({ id: 'p', prompt }, steps, { slip: 0, recovery: 0 }).map((t) => [t.correct, t.value])
  const loop = '1 x=2\n2 while x>1\n3  y=y+x\n4  x=x-1\n5 print y'

  it('judges each line by the variables as the lines before it state them', () => {
    const right = ['1: x=2', '2: yes', '3: x=2 y=2', '4: x=1 y=2', '2: no', '5: prints 2', '=2']
    expect(verdicts(loop, right)).toEqual(right.map(() => [true, 1]))
    expect(verdicts(loop, ['1: x=2', '2: yes', '3: x=2 y=3', '4: x=1 y=3', '2: no', '5: prints 3', '=3'])).toEqual([
      [true, 1],
      [true, 1],
      [false, 0],
      ...[0, 0, 0, 0].map((v) => [true, v]),
    ])
  })

  it('a misjudged test, a skipped line and a wrong place are wrong', () => {
    expect(verdicts(loop, ['1: x=2', '2: no', '5: prints 0'])).toEqual([
      [true, 1],
      [false, 0],
      [true, 0],
    ])
    expect(verdicts(loop, ['1: x=2', '2: yes', '4: x=1'])[2]).toEqual([false, 0])
    expect(verdicts(loop, ['9: x=2'])).toEqual([[false, 1]])
  })

  it('knows whether cells keep their variables', () => {
    const cells = '1 x=2\n2 cell\n3 x=x+1\n4 print x'
    expect(verdicts(`state kept\n${cells}`, ['1: x=2', '2: x=2', '3: x=3'])).toEqual([1, 1, 1].map((v) => [true, v]))
    expect(verdicts(`state reset\n${cells}`, ['1: x=2', '2: x=2', '3: x=3'])).toEqual([
      [true, 1],
      [false, 0],
      [true, 0],
    ])
    expect(verdicts(`state reset\n${cells}`, ['1: x=2', '2: empty', '3: x=1'])).toEqual([1, 1, 1].map((v) => [true, v]))
  })

  it('an endless loop is answered by its fuel', () => {
    expect(imperative.check({ id: 'q', prompt: '1 x=1\n2 while x>0\n3  x=x+1' }, 'out of fuel')).toBe(true)
    expect(imperative.check({ id: 'q', prompt: '1 x=1' }, 'nothing')).toBe(true)
  })
})
