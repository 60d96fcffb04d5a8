import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { fitMlp, mlpHead } from './mlp.ts'
import { type Rows, sigmoid } from './rows.ts'

/** Two noisy bits and their exclusive or, which no linear head can learn. */
function exclusiveOr(seed: string, n: number): Rows {
  const draw = random(seed)
  const features = new Float32Array(2 * n)
  const targets = Float32Array.from({ length: n }, (_, row) => {
    const [a, b] = [draw.below(2), draw.below(2)]
    features.set([a + 0.1 * draw.normal(), b + 0.1 * draw.normal()], 2 * row)
    return a ^ b
  })
  return { width: 2, features, targets }
}

describe('the small network', () => {
  it('learns what a linear head cannot', () => {
    const rows = exclusiveOr('train', 800)
    const test = exclusiveOr('test', 400)
    const right = (hidden: number[]): number => {
      const { head } = fitMlp(rows, { hidden, epochs: 40, rate: 1e-2, batch: 32 })
      const logits = head.logits(test.features)
      return logits.reduce((sum, logit, row) => sum + Number(logit > 0 === (test.targets[row] === 1)), 0) / 400
    }
    expect(right([16])).toBeGreaterThan(0.98)
    expect(right([])).toBeLessThan(0.8)
  })

  it.each(['mse', 'bce'] as const)('from outcomes alone (%s) learns the chance to solve from each state', (loss) => {
    // State 0 goes on to state 1 (solves .9) or to state 2 (solves .2) with equal chance: its own chance is .55.
    const draw = random('toy chain')
    const states: number[] = []
    const outcomes: number[] = []
    for (let i = 0; i < 8_000; i++) {
      const second = 1 + draw.below(2)
      const solved = Number(draw.next() < (second === 1 ? 0.9 : 0.2))
      states.push(0, second)
      outcomes.push(solved, solved)
    }
    const oneHot = (list: readonly number[]) => Float32Array.from(list.flatMap((s) => [0, 1, 2].map((k) => +(k === s))))
    const rows = { width: 3, features: oneHot(states), targets: Float32Array.from(outcomes) }
    const { head } = fitMlp(rows, { loss, hidden: [8], epochs: 10 })
    const [start = 0, good = 0, bad = 0] = Array.from(head.logits(oneHot([0, 1, 2])), sigmoid)
    expect(start).toBeCloseTo(0.55, 1)
    expect(good).toBeCloseTo(0.9, 1)
    expect(bad).toBeCloseTo(0.2, 1)
  })

  it('where the features say nothing, gives the share of right rows', () => {
    const rows = { width: 1, features: Float32Array.of(0, 0, 0, 0), targets: Float32Array.of(1, 1, 1, 0) }
    const { head } = fitMlp(rows, { hidden: [], epochs: 400, batch: 4, rate: 0.05, weightDecay: 0 })
    expect(sigmoid(head.logits(Float32Array.of(0))[0]!)).toBeCloseTo(0.75, 3)
  })

  it('counts a row of weight 2 as two rows', () => {
    const once = { width: 1, features: Float32Array.of(1, 1, 1), targets: Float32Array.of(1, 1, 0) }
    const weighed = {
      width: 1,
      features: Float32Array.of(1, 1),
      targets: Float32Array.of(1, 0),
      weights: Float32Array.of(2, 1),
    }
    const fit = (rows: Rows) => fitMlp(rows, { hidden: [], epochs: 300, rate: 0.05, weightDecay: 0 }).head
    expect(fit(weighed).logits(Float32Array.of(1))[0]).toBeCloseTo(fit(once).logits(Float32Array.of(1))[0]!, 1)
  })

  it('keeps the epoch with the best held-out loss, and gives the same bytes again', () => {
    const noise = (seed: string): Rows => {
      const draw = random(seed)
      const features = Float32Array.from({ length: 40 * 8 }, () => draw.normal())
      return { width: 8, features, targets: Float32Array.from({ length: 40 }, () => draw.below(2)) }
    }
    const fit = () => fitMlp(noise('a'), { epochs: 60, patience: 5, rate: 1e-2 }, noise('b'))
    const { head, rounds, heldLosses } = fit()
    expect(heldLosses.indexOf(Math.min(...heldLosses)) + 1).toBe(rounds)
    expect(heldLosses.length).toBe(rounds + 5)
    expect(fit().head.tensors).toEqual(head.tensors)
    const again = mlpHead(head.tensors)
    expect(again.logits(noise('b').features)).toEqual(head.logits(noise('b').features))
  })
})
