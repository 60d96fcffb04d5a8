import { expect, it } from 'vitest'
import type { BonQuestion } from '../../../prove/bon.ts'
import { bestAggregates } from './bon-stage.ts'

it('chooses how step scores become one for each scorer by its own scores', () => {
  // Of the first scorer the lowest score tells the right one, of the second the last.
  const right = {
    answer: 0,
    right: true,
    tokens: 1,
    scores: [
      [0.6, 0.5],
      [0.1, 0.9],
    ],
  }
  const wrong = {
    answer: 1,
    right: false,
    tokens: 1,
    scores: [
      [0.9, 0.1],
      [0.5, 0.2],
    ],
  }
  const questions: BonQuestion[] = Array.from({ length: 20 }, (_, i) => ({
    question: `${i}`,
    candidates: i % 2 === 0 ? [right, wrong] : [wrong, right],
  }))
  const scorers = [
    { name: 'one', aggregate: 'mean' as const },
    { name: 'two', aggregate: 'min' as const },
  ]
  const [one, two] = bestAggregates({ questions, scorers }, 'test')
  // Mean and last of the first tell it too: its own stands. The lowest of the second misleads.
  expect(one).toBe('mean')
  expect(two).not.toBe('min')
})
