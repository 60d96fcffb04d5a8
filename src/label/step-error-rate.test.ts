import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { stepErrorRate } from './step-error-rate.ts'

describe('step-wise error rate', () => {
  it('counts labelled steps only, and is not defined where there is none', () => {
    const seen = stepErrorRate([
      { problem: 'a', wrong: [false, true, null, true] },
      { problem: 'b', wrong: [false] },
    ])
    expect([seen.rate?.value, seen.steps, seen.open, seen.corrected]).toEqual([0.5, 4, 1, null])
    expect(stepErrorRate([{ problem: 'a', wrong: [null] }])).toEqual({ rate: null, corrected: null, steps: 0, open: 1 })
    expect(stepErrorRate([]).rate).toBeNull()
  })

  it('finds the true rate behind a labeller of known accuracy', () => {
    const accuracy = { sensitivity: 0.7, specificity: 0.9 }
    const rng = random('swer')
    const traces = Array.from({ length: 2_000 }, (_, i) => ({
      problem: String(i),
      wrong: Array.from({ length: 8 }, () => {
        const wrong = rng.next() < 0.25
        return rng.next() < (wrong ? accuracy.sensitivity : accuracy.specificity) ? wrong : !wrong
      }),
    }))
    const seen = stepErrorRate(traces, accuracy)
    expect(seen.rate?.value).toBeCloseTo(0.25 * 0.7 + 0.75 * 0.1, 1)
    expect(seen.corrected?.low).toBeLessThan(0.25)
    expect(seen.corrected?.high).toBeGreaterThan(0.25)
  })

  it('stays in [0, 1], and refuses to correct by a labeller that tells nothing', () => {
    const accuracy = fc.record({
      sensitivity: fc.double({ min: 0, max: 1, noNaN: true }),
      specificity: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1 }), accuracy, (wrong, known) => {
        const { corrected } = stepErrorRate([{ problem: 'a', wrong }], known)
        if (known.sensitivity + known.specificity <= 1) return corrected === null
        return corrected !== null && corrected.value >= 0 && corrected.value <= 1
      }),
      { numRuns: 30 },
    )
  })
})
