import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adaptiveHalting, divergence, halts, normalisedEntropy, staysAhead } from './adaptive-halting.ts'
import { searchContext } from './context.ts'
import { answerOf, byNumber, PROBLEM, scripted } from './scripted.testing.ts'
import { solveWith } from './search.ts'

const context = (answers: string[], budget = {}) =>
  searchContext({
    problem: PROBLEM,
    policy: scripted({ '': answers.map((a) => `=${a}`) }),
    answerOf,
    reward: byNumber,
    budget,
  })

describe('adaptive-halting', () => {
  it('stops early where all agree, and asks on where they differ', async () => {
    const easy = await solveWith(adaptiveHalting, context(['7']), { n: 32 })
    const hard = await solveWith(adaptiveHalting, context(['1', '2', '3', '4', '5', '6', '7', '8']), { n: 32 })
    expect(easy.answer).toBe('7')
    expect(easy.usage.calls).toBeLessThanOrEqual(8)
    expect(hard.usage.calls).toBeGreaterThan(2 * easy.usage.calls)
  })

  it('pays for the samples that it took and for nothing else, and keeps to a budget', async () => {
    const found = await solveWith(adaptiveHalting, context(['1', '2', '1', '1']), { n: 32 })
    expect(found.usage.calls).toBe(found.candidates.length)
    const short = await solveWith(adaptiveHalting, context(['1', '2', '3', '3'], { calls: 6 }), { n: 32 })
    expect(short).toMatchObject({ answer: '1', outOfBudget: true, usage: { calls: 6 } })
  })

  it('can weigh by scores, and refuses to without a reward model', async () => {
    const found = await solveWith(adaptiveHalting, context(['a10', 'b90', 'c10', 'd11']), { n: 4, by: 'scores' })
    expect(found.answer).toBe('b90')
    const blind = searchContext({ problem: PROBLEM, policy: scripted({ '': ['=1'] }), answerOf })
    await expect(solveWith(adaptiveHalting, blind, { by: 'scores' })).rejects.toMatchObject({ code: 'GRD-SEARCH-001' })
  })

  it('halts when two of three indicators hold, or all where it is strict', () => {
    const loose = { stability: 0.02, entropy: 0.6, lead: 0.95, strict: false }
    const before = { weights: [9], counts: [9, 0] } as const
    const now = { weights: [10], counts: [10, 0] } as const
    expect(halts(now, before, loose)).toBe(true)
    expect(halts(now, null, { ...loose, strict: true })).toBe(false)
    expect(halts({ weights: [1, 1], counts: [1, 1] }, null, loose)).toBe(false)
  })

  it('has the lead of the published rule, and divergence and entropy within their bounds', () => {
    // Beta(4, 1): 1 - (1/2)^4
    expect(staysAhead(3, 0)).toBeCloseTo(1 - 1 / 16, 12)
    expect(staysAhead(5, 5)).toBeCloseTo(0.5, 12)
    const shares = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 6 }).map((w) => {
      const sum = w.reduce((a, b) => a + b, 0)
      return w.map((x) => x / sum)
    })
    fc.assert(
      fc.property(shares, shares, (p, q) => {
        if (p.length === q.length) expect(divergence(p, q)).toBeGreaterThanOrEqual(-1e-12)
        expect(divergence(p, p)).toBeCloseTo(0, 12)
        expect(normalisedEntropy(p)).toBeGreaterThanOrEqual(0)
        expect(normalisedEntropy(p)).toBeLessThanOrEqual(1 + 1e-12)
      }),
    )
  })
})
