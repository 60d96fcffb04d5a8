import { describe, expect, it } from 'vitest'
import type { Attempt } from './credit.ts'
import { renorm } from './renorm.ts'

const attempt = (outcome: number, scores: readonly number[]): Attempt => ({
  id: '',
  outcome,
  startValue: null,
  steps: scores.map((score, t) => ({ text: `${t}`, tokens: 1, score, value: null })),
})
const stepsOf = (group: readonly Attempt[], options: unknown) =>
  renorm.credit(group, options).map(({ parts }) => parts['step'])

describe('renorm', () => {
  it('weighs the steps of the additive form, though their rewards are standardised', () => {
    const group = [attempt(1, [1, 0]), attempt(0, [0, 1])]
    expect(stepsOf(group, { form: 'additive' })).toEqual([
      [1, -1],
      [-1, 1],
    ])
    expect(stepsOf(group, { form: 'additive', weight: 0.25 })).toEqual([
      [0.25, -0.25],
      [-0.25, 0.25],
    ])
  })

  it('finds no difference in equal scores whose mean is rounded', () => {
    for (const form of ['renorm', 'additive', 'gated']) {
      expect(stepsOf([attempt(1, [0.1, 0.1, 0.1])], { form })).toEqual([[0, 0, 0]])
    }
  })
})
