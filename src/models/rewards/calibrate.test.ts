import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { sigmoid } from '../training/rows.ts'
import { calibrated, firstBelow, firstErrorF1, firstErrorThreshold, temperatureOf } from './calibrate.ts'

describe('calibration', () => {
  it('finds the temperature that logits were sharpened by, and leaves a few rows alone', () => {
    const draw = random('temperature')
    const honest = Float64Array.from({ length: 20_000 }, () => 2 * draw.normal())
    const targets = honest.map((logit) => Number(draw.next() < sigmoid(logit)))
    expect(
      temperatureOf(
        honest.map((logit) => 3 * logit),
        targets,
      ),
    ).toBeCloseTo(3, 0)
    expect(temperatureOf([1, 2], [0, 0])).toBe(1)
  })

  it('leaves scores apart that a head without a fault has given', () => {
    const targets = Array.from({ length: 1_000 }, (_, i) => i % 2)
    const logits = targets.map((target, i) => (target ? 1 : -1) * (3 + (i % 7) / 3))
    const calibration = { shift: 0, temperature: temperatureOf(logits, targets) }
    const scores = [3, 4, 5].map((logit) => calibrated(logit, calibration))
    expect(scores[0]).toBeGreaterThan(0.99)
    expect(scores[2]).toBeLessThan(1 - 1e-5)
    expect(new Set(scores).size).toBe(3)
  })

  it('takes balanced classes back: a head that was trained at even odds says the true share', () => {
    // 9 in 10 right; balanced, a head that knows nothing says .5, with the classes weighing 1/1.8 and 1/.2.
    expect(calibrated(0, { shift: Math.log(0.2 / 1.8), temperature: 1 })).toBeCloseTo(0.9, 12)
  })
})

describe('first wrong step by a threshold', () => {
  const lines = [
    { scores: [0.9, 0.2, 0.8], firstError: 1 },
    { scores: [0.9, 0.4, 0.3], firstError: 2 },
    { scores: [0.7, null, 0.6], firstError: -1 },
  ]

  it('is the first one below it; a step without a score is no vote', () => {
    expect([firstBelow(lines[1]!.scores, 0.5), firstBelow(lines[2]!.scores, 0.5)]).toEqual([1, -1])
  })

  it('is scored as ProcessBench does and chosen where that is best', () => {
    expect(firstErrorF1(lines, 0.5)).toEqual({ wrong: 1 / 2, clean: 1, f1: 2 / 3 })
    const threshold = firstErrorThreshold(lines)!
    expect(firstErrorF1(lines, threshold).f1).toBe(1)
    expect(firstErrorThreshold(lines.slice(0, 2))).toBeNull()
  })
})
