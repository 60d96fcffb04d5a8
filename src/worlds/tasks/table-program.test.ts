import { describe, expect, it } from 'vitest'
import type { Problem } from '../../core/words.ts'
import { tableProgram } from './table-program.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(tableProgram)

describe('table program', () => {
  const problem: Problem = {
    id: 'p',
    prompt: 'from goods | where price > 20 | top 2 by price | select stock | sum',
    context: [
      {
        kind: 'table',
        name: 'goods',
        header: ['item', 'price', 'stock'],
        rows: [
          ['pen', '25', '5'],
          ['cup', '10', '9'],
          ['hat', '40', '7'],
          ['bag', '25', '1'],
        ],
      },
    ],
  }
  const verdicts = (steps: string[]) =>
    tableProgram.oracle(problem, steps, { slip: 0, recovery: 0 }).map((t) => [t.correct, t.value])

  it('judges each result by the result before it', () => {
    expect(verdicts(['rows 1 3 4', 'rows 1 3', 'values 5 7', 'sum 12', '=12'])).toEqual(
      [1, 1, 1, 1, 1].map((v) => [true, v]),
    )
    expect(verdicts(['rows 1 4', 'rows 1 4', 'values 5 1', 'sum 6', '=6'])).toEqual([
      [false, 0],
      [true, 0],
      [true, 0],
      [true, 0],
      [true, 0],
    ])
  })

  it('a row that the next operation drops anyway does no harm', () => {
    expect(verdicts(['rows 1 3'])).toEqual([[false, 1]])
  })

  it('a step at which no error does harm takes nothing from the value', () => {
    const counted = { ...problem, prompt: 'from goods | where price > 20 | select stock | count' }
    const truths = tableProgram.oracle(counted, ['rows 1 3 4', 'values 5 7 2'], { slip: 0.5, recovery: 0 })
    // the count and the answer remain, whatever the values are
    expect(truths).toEqual([
      { correct: true, value: 0.25 },
      { correct: false, value: 0.25 },
    ])
  })

  it('rows that the table does not have cannot be read', () => {
    expect(verdicts(['rows 1 99'])).toEqual([[false, 1]])
  })

  it('needs its table', () => {
    expect(() => tableProgram.oracle({ id: 'q', prompt: problem.prompt }, [])).toThrow(/GRD-WORLD-001/)
  })
})
