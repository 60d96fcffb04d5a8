import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Random, random } from '../core/seeds.ts'
import { locator, plainBisection, type Search } from './first-error-locator.ts'
import { recoveryPrior } from './recovery-rate.ts'

/** Rolls out as the model says, one at a time, until the search is done or the budget spent; gives the cost. */
function drive(
  search: Search,
  first: number,
  steps: number,
  start: number,
  recovery: number,
  k: number,
  rng: Random,
  most = 1e9,
) {
  let spent = 0
  for (let length = search.next(); length !== null && spent < most; length = search.next()) {
    const chance = length <= first ? start ** ((steps - length) / steps) : recovery
    let successes = 0
    for (let i = 0; i < k; i++) if (rng.next() < chance) successes++
    search.observe(length, successes, k)
    spent += k
  }
  return spent
}

describe('plain bisection', () => {
  it('finds step 5 of 8 with exactly three probes', () => {
    const search = plainBisection(8)
    const asked: number[] = []
    for (let length = search.next(); length !== null; length = search.next()) {
      asked.push(length)
      search.observe(length, length <= 5 ? 8 : 0, 8)
    }
    expect([search.firstError(), asked]).toEqual([5, [4, 6, 5]])
  })

  it('finds any step with at most ceil(log2 steps) probes', () => {
    for (let steps = 1; steps <= 33; steps++) {
      for (let first = 0; first < steps; first++) {
        const search = plainBisection(steps)
        const spent = drive(search, first, steps, 1, 0, 1, random('plain'))
        expect(search.firstError()).toBe(first)
        expect(spent).toBeLessThanOrEqual(Math.ceil(Math.log2(steps)))
      }
    }
  })
})

describe('locator', () => {
  const recovery = recoveryPrior(0, 100)

  it("is Bayes' rule: the posterior equals the one summed by hand", () => {
    // two steps: after one rollout from length 1 that fails, P(first = 0) : P(first = 1) = (1 - mean r) : E[1 - sqrt p0]
    const two = locator({ steps: 2, recovery: { alpha: 1, beta: 3 } })
    two.observe(1, 0, 1)
    const grid = Array.from({ length: 24 }, (_, g) => (g + 0.5) / 24)
    const good = grid.reduce((sum, p) => sum + 1 - Math.sqrt(p), 0) / 24
    expect(two.posterior()[0]).toBeCloseTo(0.75 / (0.75 + good), 12)
    expect(two.posterior()[2]).toBe(0)
  })

  it('does not care about the order or the grouping of what is seen, and sums to one', () => {
    const seen = fc.array(fc.record({ length: fc.nat(6), k: fc.nat(3), more: fc.nat(3) }), { maxLength: 12 })
    fc.assert(
      fc.property(seen, fc.nat(1000), (all, seed) => {
        const a = locator({ steps: 7, recovery: recoveryPrior(4, 80) })
        const b = locator({ steps: 7, recovery: recoveryPrior(4, 80) })
        for (const { length, k, more } of all) a.observe(length, k, k + more)
        const single = all.flatMap(({ length, k, more }) => [
          ...new Array<[number, number]>(k).fill([length, 1]),
          ...new Array<[number, number]>(more).fill([length, 0]),
        ])
        for (const [length, k] of random(String(seed)).shuffle(single)) b.observe(length, k, 1)
        a.posterior().forEach((p, t) => {
          expect(p).toBeCloseTo(b.posterior()[t] ?? Number.NaN, 9)
        })
        expect(a.posterior().reduce((x, y) => x + y, 0)).toBeCloseTo(1, 9)
      }),
      { numRuns: 50 },
    )
  })

  it('is right as often as it says, where its model of the policy holds', () => {
    const rng = random('locator/calibration')
    let right = 0
    let claimed = 0
    const runs = 600
    for (let run = 0; run < runs; run++) {
      const steps = 12
      const first = rng.below(steps)
      const search = locator({ steps, recovery: recoveryPrior(5, 100), confidence: 0.9, perStep: 1000 })
      drive(search, first, steps, 0.05 + 0.9 * rng.next(), 0.05, 1, rng)
      if (search.firstError() === first) right++
      claimed += Math.max(...search.posterior())
    }
    expect(claimed / runs).toBeGreaterThan(0.88)
    // four standard errors
    expect(Math.abs(right - claimed) / runs).toBeLessThan(4 * Math.sqrt(0.1 / runs))
  })

  it('beats plain bisection at equal rollouts when a wrong prefix recovers in one run of twenty', () => {
    const rng = random('locator/recovery')
    const right = { plain: 0, posterior: 0 }
    for (let run = 0; run < 200; run++) {
      const first = rng.below(16)
      const plain = plainBisection(16)
      const spent = drive(plain, first, 16, 0.4, 0.05, 8, rng)
      if (plain.firstError() === first) right.plain++
      const search = locator({ steps: 16, recovery: recoveryPrior(10, 200), confidence: 1, perStep: 16 })
      drive(search, first, 16, 0.4, 0.05, 1, rng, spent)
      if (search.firstError() === first) right.posterior++
    }
    expect(right.posterior - right.plain).toBeGreaterThan(0.2 * 200)
  })

  it('asks for nothing once it is sure, beyond the limit of a prefix, or where nothing can be learnt', () => {
    expect(locator({ steps: 1, recovery }).next()).toBeNull()
    const known = locator({ steps: 3, recovery, prior: [0, 1, 0, 0] })
    expect([known.next(), known.firstError()]).toEqual([null, 1])
    const clean = locator({ steps: 3, recovery, prior: [0.01, 0.01, 0.01, 0.97] })
    expect([clean.next(), clean.firstError()]).toEqual([null, -1])
    const search = locator({ steps: 3, recovery: { alpha: 50, beta: 50 }, confidence: 1, perStep: 2 })
    const asked: number[] = []
    for (let length = search.next(); length !== null; length = search.next()) {
      asked.push(length)
      search.observe(length, asked.length % 2, 1)
    }
    expect(asked.filter((length) => length === 1).length).toBeLessThanOrEqual(2)
    expect(asked.length).toBeLessThanOrEqual(4)
  })

  it('refuses what cannot be', () => {
    for (const wrong of [
      { steps: 0, recovery },
      { steps: 3, recovery: { alpha: 0, beta: 1 } },
      { steps: 3, recovery, confidence: 0.4 },
      { steps: 3, recovery, prior: [1, 1, 1] },
      { steps: 2, recovery, prior: [0, 0, 0] },
    ]) {
      expect(() => locator(wrong)).toThrow(/GRD-CLI-002/)
    }
    expect(() => locator({ steps: 3, recovery }).observe(3, 0, 1)).toThrow(/GRD-CORE-001/)
    expect(() => locator({ steps: 3, recovery }).observe(1, 2, 1)).toThrow(/GRD-CORE-001/)
  })
})
