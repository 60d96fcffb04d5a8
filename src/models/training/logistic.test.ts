import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { fitLogistic, logisticHead } from './logistic.ts'
import { type Rows, sigmoid } from './rows.ts'

/** Rows drawn from a known regression. */
function drawn(weights: readonly number[], intercept: number, n: number): Rows {
  const draw = random('logistic')
  const width = weights.length
  const features = Float32Array.from({ length: n * width }, () => draw.normal())
  const targets = Float32Array.from({ length: n }, (_, row) => {
    const logit = weights.reduce((sum, w, i) => sum + w * features[row * width + i]!, intercept)
    return Number(draw.next() < sigmoid(logit))
  })
  return { width, features, targets }
}

describe('logistic regression', () => {
  it('with a yes/no column is the log-odds of each side of a two-by-two table', () => {
    // 30 of 40 right where the column is 1, 10 of 50 where it is 0.
    const rows: Rows = {
      width: 1,
      features: Float32Array.of(1, 1, 0, 0),
      targets: Float32Array.of(1, 0, 1, 0),
      weights: Float32Array.of(30, 10, 10, 40),
    }
    const [yes = 0, no = 0] = fitLogistic(rows, { l2: 0 }).head.logits(Float32Array.of(1, 0))
    expect(yes).toBeCloseTo(Math.log(30 / 10), 5)
    expect(no).toBeCloseTo(Math.log(10 / 40), 5)
  })

  it('a soft target is that share of a right row and the rest of a wrong one', () => {
    const soft: Rows = { width: 1, features: Float32Array.of(0, 1), targets: Float32Array.of(0.25, 0.7) }
    const hard: Rows = {
      width: 1,
      features: Float32Array.of(0, 0, 1, 1),
      targets: Float32Array.of(1, 0, 1, 0),
      weights: Float32Array.of(0.25, 0.75, 0.7, 0.3),
    }
    const at = Float32Array.of(0, 1, 0.5)
    const [a, b] = [soft, hard].map((rows) => fitLogistic(rows, { l2: 0 }).head.logits(at))
    a?.forEach((logit, i) => {
      expect(logit).toBeCloseTo(b?.[i] ?? Number.NaN, 4)
    })
  })

  it('finds the weights that the rows were drawn from, and ends where the gradient vanishes', () => {
    const truth = [1.5, -1, 0, 0.5]
    const { head, rounds } = fitLogistic(drawn(truth, 0.3, 20_000), { l2: 0 })
    const intercept = head.logits(new Float32Array(4))[0] ?? Number.NaN
    expect(intercept).toBeCloseTo(0.3, 1)
    truth.forEach((w, i) => {
      const unit = new Float32Array(4)
      unit[i] = 1
      expect(Math.abs((head.logits(unit)[0] ?? Number.NaN) - intercept - w)).toBeLessThan(0.1)
    })
    expect(rounds).toBeLessThan(60)
  })

  it('stays finite where a column tells the classes apart, and comes back from its tensors', () => {
    const rows = { width: 1, features: Float32Array.of(1, 2, 3, 4), targets: Float32Array.of(0, 0, 1, 1) }
    const { head } = fitLogistic(rows)
    const logits = head.logits(rows.features)
    expect(logits.every(Number.isFinite)).toBe(true)
    expect(logisticHead(head.tensors).logits(rows.features)).toEqual(logits)
  })
})
