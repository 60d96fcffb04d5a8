import { describe, expect, it } from 'vitest'
import { chances, everyRun } from '../src/improve/credit/exact.testing.ts'
import { lossSlope } from './prl.ts'
import {
  attemptOf,
  bestPolicy,
  bestValue,
  ETA,
  FORMS,
  objective,
  onTree,
  pairOf,
  tokenAdvantages,
} from './prl-trees.ts'

const pair = pairOf('test')
const form = (name: string) => FORMS.find((one) => one.name === name)!
const alone = { baseline: 'none', scale: 'none' }

describe('the best policy under a pull to a reference', () => {
  const best = { policy: bestPolicy(pair.reference), reference: pair.reference }

  it('reaches the soft value of the start', () => {
    expect(objective(best)).toBeCloseTo(bestValue(pair.reference, ''), 12)
    expect(objective(pair)).toBeLessThan(bestValue(pair.reference, ''))
  })

  it('pays every token the soft value of what stands before it, whatever comes after: no noise is left', () => {
    for (const run of everyRun(best.policy)) {
      const [own] = tokenAdvantages([attemptOf(best, run)], form('PRL by token'), alone)
      for (const [t, reward] of own!.entries()) {
        expect(reward).toBeCloseTo(bestValue(pair.reference, run.path.slice(0, t)), 10)
      }
    }
  })

  it('has a log-ratio at each token that is the change of the soft value', () => {
    for (const [prefix, own] of best.policy.logits) {
      const before = chances(pair.reference.logits.get(prefix)!)
      for (const [a, p] of chances(own).entries()) {
        const change = bestValue(pair.reference, prefix + a) - bestValue(pair.reference, prefix)
        expect(Math.log(p / before[a]!) / ETA).toBeCloseTo(change, 10)
      }
    }
  })
})

describe('ways to answer for the pull', () => {
  const found = Object.fromEntries(FORMS.map((one) => [one.name, onTree(pair, one, 'test')]))

  it('follow the gradient of outcome - KL / eta, all but the released one and that without a pull', () => {
    for (const name of ['whole run in the reward', 'PRL by token', 'PRL by step, from its first token']) {
      expect(found[name]!.error).toBeLessThan(1e-8)
    }
    for (const name of ['outcomes alone', 'PRL by step, as released']) expect(found[name]!.error).toBeGreaterThan(0.1)
  })

  it('vary less the fewer tokens they answer for', () => {
    const variances = ['PRL by token', 'PRL by step, from its first token', 'whole run in the reward'].map(
      (name) => found[name]!.variance,
    )
    expect(variances).toEqual(variances.toSorted((a, b) => a - b))
  })
})

it('pulls by the loss k3 as hard as the loss is steep', () => {
  const loss = (logprob: number): number => Math.exp(-1 - logprob) - 1 + (logprob + 1)
  for (const logprob of [-3, -1, -0.2]) {
    expect(lossSlope(logprob, -1)).toBeCloseTo((loss(logprob + 1e-6) - loss(logprob - 1e-6)) / 2e-6, 6)
  }
})
