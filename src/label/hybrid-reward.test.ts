import { describe, expect, it } from 'vitest'
import { hybridReward, type Sign } from './hybrid-reward.ts'

describe('hybrid reward', () => {
  const golden: Sign[] = [1, 1, -1, 1]

  it('is the discounted mean of later verdicts plus the outcome', () => {
    const at = (step: number) => hybridReward(golden, step, 1, { beta: 0.5, gamma: 0.9 })
    expect(at(0)).toBeCloseTo((0.9 - 0.81 + 0.729) / 3 + 0.5, 12)
    expect(at(1)).toBeCloseTo((-0.9 + 0.81) / 2 + 0.5, 12)
    expect(at(2)).toBeCloseTo(0.9 + 0.5, 12)
    expect(at(3)).toBe(0.5)
  })

  it('falls back to the outcome alone where no tool says anything', () => {
    expect([0, 1].map((step) => hybridReward([0, 0], step, -1, { beta: 0.5, gamma: 0.9 }))).toEqual([-0.5, -0.5])
  })
})
