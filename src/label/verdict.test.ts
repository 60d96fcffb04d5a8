import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstErrorOf, risksOf, verdictFromRisks } from './verdict.ts'

const risk = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null })

describe('verdict', () => {
  it('is a distribution over steps and "no error"', () => {
    fc.assert(
      fc.property(fc.array(risk, { maxLength: 40 }), (risks) => {
        const { firstErrorProb } = verdictFromRisks(risks, 'test')
        expect(firstErrorProb).toHaveLength(risks.length + 1)
        expect(firstErrorProb.every((p) => p >= 0)).toBe(true)
        expect(firstErrorProb.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
      }),
    )
  })

  it('cannot say without evidence', () => {
    expect(verdictFromRisks([null, null, null], 'test').firstError).toBeNull()
  })

  it('names the first risky step, whatever comes later', () => {
    expect(verdictFromRisks([0.05, null, 0.9, 0.95], 'test').firstError).toBe(2)
  })

  it('says clean when every step was found right', () => {
    expect(verdictFromRisks([0.01, 0.02, 0.01], 'test').firstError).toBe(-1)
  })

  it('takes the last entry as "no error" and needs the threshold', () => {
    expect(firstErrorOf([0.1, 0.2, 0.7])).toBe(-1)
    expect(firstErrorOf([0.4, 0.3, 0.3])).toBeNull()
    expect(firstErrorOf([0.4, 0.3, 0.3], 0.35)).toBe(0)
  })

  it('counts a neutral step as not wrong and silence as no vote', () => {
    const head = { meaning: 'correctness', source: 't' } as const
    expect(
      risksOf([
        { ...head, step: 0, value: null, reason: 'neutral' },
        { ...head, step: 1, value: null, reason: 'no-evidence' },
        { ...head, step: 2, value: 0.75 },
      ]),
    ).toEqual([0, null, 0.25])
  })

  it('says nothing of a trace without evidence, however short', () => {
    for (const steps of [1, 2, 5]) {
      expect(verdictFromRisks(new Array(steps).fill(null), 'test').firstError).toBeNull()
    }
  })
})
