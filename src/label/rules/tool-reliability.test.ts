import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../core/words.ts'
import { VERIFIERS } from '../../worlds/verifiers/index.ts'
import { toolReliability } from './tool-reliability.ts'

const found = (
  step: number,
  verdict: 'correct' | 'incorrect' | 'unknown',
  source = 'verifier:arithmetic',
): Evidence => ({ kind: 'tool', source, step, verdict, reason: '' })
const values = (steps: number, evidence: Evidence[], prior = 0.1): (number | null)[] =>
  toolReliability.apply(steps, evidence, { prior }).map((l) => l.value)
const arithmetic = VERIFIERS.find((v) => v.name === 'arithmetic')!.reliability

describe('tool-reliability', () => {
  it('gives the measured reliability for one finding and abstains where no tool decided', () => {
    const [wrong, right, silent] = values(3, [found(0, 'incorrect'), found(1, 'correct'), found(2, 'unknown')])
    expect(1 - wrong!).toBeCloseTo(arithmetic.incorrect, 12)
    expect(right).toBeCloseTo(Math.max(arithmetic.correct, 0.9), 12)
    expect(silent).toBeNull()
  })

  it('two tools that agree are surer than one, by Bayes', () => {
    const second = VERIFIERS.find((v) => v.name === 'object-tracking')!.reliability
    const [both] = values(1, [found(0, 'incorrect'), found(0, 'incorrect', 'verifier:object-tracking')], 0.1)
    const odds = (p: number): number => p / (1 - p)
    const expected = (odds(arithmetic.incorrect) * odds(second.incorrect)) / odds(0.1)
    expect(1 - both!).toBeCloseTo(expected / (1 + expected), 9)
  })

  it('does not look at evidence of other kinds or of tools it does not know', () => {
    expect(
      values(1, [
        { kind: 'judgement', source: 'judge', step: 0, verdict: 'incorrect', reason: '' },
        found(0, 'incorrect', 'verifier:nobody'),
      ]),
    ).toEqual([null])
  })

  it.each(VERIFIERS.map((v) => [v.name]))('%s: a claim that holds never speaks against the step', (name) => {
    const [right] = values(1, [found(0, 'correct', `verifier:${name}`)])
    const [wrong] = values(1, [found(0, 'incorrect', `verifier:${name}`)])
    expect(right).toBeGreaterThanOrEqual(0.9 - 1e-9)
    expect(wrong).toBeLessThan(0.9)
  })
})
