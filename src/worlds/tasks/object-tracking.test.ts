import { describe, expect, it } from 'vitest'
import { objectTracking } from './object-tracking.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(objectTracking)

describe('object tracking', () => {
  const problem = { id: 'p', prompt: 'Al cup, Bo hat, Cy key. Al-Bo swap, Bo-Cy swap. Cy?' }
  const verdicts = (steps: string[]) =>
    objectTracking.oracle(problem, steps, { slip: 0, recovery: 0 }).map((t) => [t.correct, t.value])

  it('judges each line by what the line before it states', () => {
    expect(verdicts(['Al-Bo: Al hat, Bo cup, Cy key', 'Bo-Cy: Al hat, Bo key, Cy cup', '=cup'])).toEqual([
      [true, 1],
      [true, 1],
      [true, 1],
    ])
    expect(verdicts(['Al-Bo: Al cup, Bo hat, Cy key', 'Bo-Cy: Al cup, Bo key, Cy hat', '=hat'])).toEqual([
      [false, 0],
      [true, 0],
      [true, 0],
    ])
  })

  it('an error about somebody else is wrong and harmless', () => {
    expect(verdicts(['Al-Bo: Al cup, Bo cup, Cy key'])).toEqual([[false, 1]])
  })

  it('a line that leaves somebody out cannot be read', () => {
    expect(verdicts(['Al-Bo: Al hat, Bo cup'])).toEqual([[false, 1]])
  })
})
