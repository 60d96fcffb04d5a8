import { describe, expect, it } from 'vitest'
import { firstBelow } from '../models/rewards/calibrate.ts'
import { compareLocators, firstDrop, type ScoredTrace, tunedThreshold } from './locate.ts'

describe('first errors from scores', () => {
  it('a step below the threshold, a value that falls by more than the threshold; steps without a score are passed over', () => {
    expect(firstBelow([0.9, null, 0.4, 0.1], 0.5)).toBe(2)
    expect(firstBelow([0.9, 0.8], 0.5)).toBe(-1)
    expect(firstDrop(0.5)([0.6, null, 0.2, 0.1], 0.3)).toBe(2)
    expect(firstDrop(0.9)([0.2, 0.1], 0.3)).toBe(0)
    expect(firstDrop(0.5)([0.4, 0.3, 0.2], 0.3)).toBe(-1)
  })

  it('chooses the middle of the thresholds that are equally good', () => {
    const traces: ScoredTrace[] = [
      { question: 'a', gold: 1, scores: [0.8, 0.2] },
      { question: 'b', gold: -1, scores: [0.8, 0.8] },
    ]
    expect(tunedThreshold(traces, firstBelow)).toBeCloseTo(0.5, 1)
  })

  it('compares with what it must beat, on the same questions', () => {
    const traces = Array.from({ length: 40 }, (_, i) => ({ question: `q${i}`, gold: i % 2 === 0 ? 1 : -1 }))
    const { rows, differences } = compareLocators(
      traces,
      { perfect: traces.map((t) => t.gold), 'always clean': traces.map(() => -1), 'step 1': traces.map(() => 1) },
      '0',
    )
    expect(rows.map((r) => [r.name, r.f1.value])).toEqual([
      ['perfect', 1],
      ['always clean', 0],
      ['step 1', 0],
    ])
    expect(differences.map((d) => d.f1.low)).toEqual([1, 1])
  })
})
