import { numpy as np, tree } from '@jax-js/jax'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../../core/seeds.ts'
import { startBackend } from './backend.ts'
import { batches, type HostBatch, toBatch } from './batches.ts'
import { expectCentralDifferences } from './central-differences.testing.ts'
import type { TransformerConfig } from './config.ts'
import { forward } from './forward.ts'
import { lossAndGradient } from './loss.ts'
import { initialWeights, toParams, toWeights, type Weights } from './params.ts'
import { referenceLogits } from './reference.ts'
import { alphabetOf, END, PAD, START, tokenizerOf } from './tokenizer.ts'
import { rateAt, train } from './train.ts'

const tokenizer = tokenizerOf([...'\n+0123456789='])
const config: TransformerConfig = { vocab: tokenizer.size, width: 16, layers: 2, heads: 2, hidden: 32, context: 32 }

/** Larger outputs than a fresh model has, so that differences would show. */
function lively(seed: string): Weights {
  const weights = initialWeights(config, seed)
  weights['head']!.data.forEach((x, i, data) => {
    data[i] = 10 * x
  })
  return weights
}

function* sums(seed: string) {
  const draws = random(seed)
  for (;;) {
    const a = draws.below(50)
    const b = draws.below(50)
    yield { prompt: `${a}+${b}`, completion: `=${a + b}` }
  }
}

/** The loss in double precision, by the plain loops. */
function referenceLoss(weights: Weights, { rows, length, tokens, targets, weights: perToken }: HostBatch): number {
  let loss = 0
  for (let row = 0; row < rows; row++) {
    const logits = referenceLogits(weights, [...tokens.slice(row * length, (row + 1) * length)], config)
    for (let t = 0; t < length; t++) {
      const own = logits.subarray(t * config.vocab, (t + 1) * config.vocab)
      const total = own.reduce((sum, x) => sum + Math.exp(x), 0)
      loss -= perToken[row * length + t]! * (own[targets[row * length + t]!]! - Math.log(total))
    }
  }
  return loss
}

const options = { tokens: 128, context: 32, promptWeight: 0.1 }

beforeAll(startBackend)

describe('transformer', () => {
  it('agrees with the plain loops to 1e-4', async () => {
    const weights = lively('forward')
    const texts = ['12+34', '=7', '99+1\n=100'].map((text) => [START, ...tokenizer.encode(text)])
    const params = toParams(weights)
    const tokens = new Int32Array(3 * 16).fill(PAD)
    texts.forEach((ids, row) => {
      tokens.set(ids, row * 16)
    })
    const logits = await forward(tree.ref(params), np.array(tokens).reshape([3, 16]), config).logits.data()
    let largest = 0
    let spread = 0
    texts.forEach((ids, row) => {
      referenceLogits(weights, ids, config).forEach((expected, i) => {
        largest = Math.max(largest, Math.abs(expected - logits[row * 16 * config.vocab + i]!))
        spread = Math.max(spread, Math.abs(expected))
      })
    })
    expect(spread).toBeGreaterThan(1)
    expect(largest).toBeLessThan(1e-4)
  })

  it('has gradients that agree with central differences of the plain loops to 1e-3', async () => {
    const weights = lively('gradient')
    const host = batches(sums('gradient'), tokenizer, options).next().value!
    const [loss, gradients] = lossAndGradient(toParams(weights), toBatch(host), config)
    loss.dispose()
    const gradient = await toWeights(gradients)
    const plain = (moved: Weights): number => referenceLoss(moved, host)
    expectCentralDifferences(weights, gradient, { config, loss: plain, step: 1e-3 })
  })

  it('trains to the same bytes twice, and learns', async () => {
    const run = () =>
      train({
        config,
        weights: initialWeights(config, 'train'),
        batches: batches(sums('train'), tokenizer, options),
        steps: 20,
        rate: 1e-2,
        warmup: 5,
        weightDecay: 0.01,
      })
    const [a, b] = [await run(), await run()]
    expect(a.losses).toEqual(b.losses)
    expect(a.weights).toEqual(b.weights)
    expect(a.losses.at(-1)).toBeLessThan(0.85 * a.losses[0]!)
  })
})

describe('batches', () => {
  it('pads to a shape, predicts the next token and weighs prompt and completion', () => {
    const host = batches([{ prompt: '1+2', completion: '=3' }].values(), tokenizer, { ...options, tokens: 16 }).next()
      .value!
    const ids = [START, ...tokenizer.encode('1+2\n=3'), END]
    expect(host).toMatchObject({ rows: 1, length: 16 })
    expect([...host.tokens.slice(0, 7)]).toEqual(ids.slice(0, -1))
    expect([...host.targets.slice(0, 7)]).toEqual(ids.slice(1))
    // '1', '+', '2' and the newline are given; '=', '3' and the end are to be written.
    const total = 4 * 0.1 + 3
    expect([...host.weights.slice(0, 8)].map((w) => w * total)).toEqual(
      [0.1, 0.1, 0.1, 0.1, 1, 1, 1, 0].map((w) => expect.closeTo(w, 5)),
    )
  })

  it('refuses an example that is longer than the context', () => {
    const long = [{ prompt: '1+1', completion: '='.repeat(40) }]
    expect(() => batches(long, tokenizer, options).next()).toThrow('GRD-MODEL-002')
  })
})

describe('tokenizer', () => {
  it('has one token for the end of a step and gives texts back', () => {
    expect(tokenizer.encode('\n')).toHaveLength(1)
    expect(tokenizer.decode(tokenizer.encode('12+3\n=15'))).toBe('12+3\n=15')
    expect(() => tokenizer.encode('x')).toThrow('GRD-MODEL-001')
  })

  it('reads the longest word, and can read whatever it writes', () => {
    const words = tokenizerOf(alphabetOf(['a=1, b=12'], ['a=', 'b=', '12', ', ', 'ab=']))
    expect(words.encode('a=1, b=12').map((id) => words.decode([id]))).toEqual(['a=', '1', ', ', 'b=', '12'])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 3, max: words.size - 1 })), (ids) => {
        const text = words.decode(ids)
        expect(words.decode(words.encode(text))).toBe(text)
      }),
    )
    expect(() => tokenizerOf(['a\nb'])).toThrow(RangeError)
  })
})

describe('learning rate', () => {
  it('rises, then falls to a tenth', () => {
    const plan = { rate: 1, warmup: 10, steps: 110 }
    expect(rateAt(5, plan)).toBe(0.5)
    expect(rateAt(10, plan)).toBe(1)
    expect(rateAt(60, plan)).toBeCloseTo(0.55)
    expect(rateAt(110, plan)).toBeCloseTo(0.1)
  })
})
