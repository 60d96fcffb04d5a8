import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { selfRepairingChain } from './self-repairing-chain.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(selfRepairingChain)

describe('self-repairing chain', () => {
  const problem = { id: 'p', prompt: '17+28-9+46' }

  it('a fix restates the line before it and brings the run back on track', () => {
    const steps = ['17+28=46', 'fix 17+28=45', '45-9=36', '36+46=82', '=82']
    const truths = selfRepairingChain.oracle(problem, steps, { slip: 0, recovery: 0.3 })
    expect(truths.map((t) => t.correct)).toEqual([false, true, true, true, true])
    expect(truths.map((t) => t.value)).toEqual([0.3, 1, 1, 1, 1])
  })

  it('an error that was passed over cannot be repaired any more', () => {
    const truths = selfRepairingChain.oracle(problem, ['17+28=46', '46-9=37', 'fix 45-9=36'], {
      slip: 0,
      recovery: 0.25,
    })
    // the last line states the right total by misquoting; the completer would restate it faithfully, and be lost
    expect(truths.map((t) => [t.correct, t.value])).toEqual([
      [false, 0.25],
      [true, 0],
      [false, 0.75],
    ])
  })

  it('a fix may be wrong, and stands nowhere at the start', () => {
    expect(selfRepairingChain.oracle(problem, ['fix 17+28=45'])[0]?.correct).toBe(false)
    expect(selfRepairingChain.oracle(problem, ['17+28=45', 'fix 17+28=44'])[1]?.correct).toBe(false)
  })

  it('a wrong fix may be fixed: it stands for the same line', () => {
    const steps = ['17+28=46', 'fix 17+28=44', 'fix 17+28=45', '45-9=36']
    const truths = selfRepairingChain.oracle(problem, steps, { slip: 0, recovery: 0.3 })
    expect(truths.map((t) => [t.correct, t.value])).toEqual([
      [false, 0.3],
      [false, 0.3],
      [true, 1],
      [true, 1],
    ])
  })

  it('has the closed-form chance of success', () => {
    const truth = selfRepairingChain.oracle(problem, ['17+28=45'], { slip: 0.2, recovery: 0.5 })[0]
    expect(truth?.value).toBeCloseTo(0.8 * (0.8 / (1 - 0.1)) ** 2, 12)
  })

  it('the completer writes repairs at the rate asked for', () => {
    const rng = random('repairs')
    const fixes = (recovery: number) => {
      let errors = 0
      let repaired = 0
      for (const p of selfRepairingChain.generate('r', 2, 100)) {
        const steps = selfRepairingChain.complete(p, [], rng, { slip: 0.3, recovery })
        const truths = selfRepairingChain.oracle(p, steps)
        truths.slice(0, -1).forEach((truth, i) => {
          if (truth.correct) return
          errors++
          if (steps[i + 1]?.startsWith('fix ')) repaired++
        })
      }
      return repaired / errors
    }
    expect(fixes(0)).toBe(0)
    expect(fixes(1)).toBe(1)
    expect(Math.abs(fixes(0.4) - 0.4)).toBeLessThan(0.12)
  })
})
