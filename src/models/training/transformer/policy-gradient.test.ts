import { beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../../core/seeds.ts'
import { startBackend } from './backend.ts'
import { expectCentralDifferences } from './central-differences.testing.ts'
import type { TransformerConfig } from './config.ts'
import { initialWeights, toParams, toWeights, type Weights } from './params.ts'
import {
  CLIP,
  type HostPolicyBatch,
  type PolicyRow,
  policyBatches,
  policyTrainer,
  surrogateAndGradient,
  toPolicyBatch,
} from './policy-gradient.ts'
import { referenceLogits } from './reference.ts'

const config: TransformerConfig = { vocab: 8, width: 16, layers: 2, heads: 2, hidden: 32, context: 32 }

/** Larger outputs than a fresh model has, so that differences would show. */
function lively(seed: string): Weights {
  const weights = initialWeights(config, seed)
  weights['head']!.data.forEach((x, i, data) => {
    data[i] = 10 * x
  })
  return weights
}

/** Texts of mixed lengths with old log-probabilities around the model's own, some beyond the clip. */
function rows(weights: Weights, seed: string, count: number): PolicyRow[] {
  const draws = random(seed)
  const ids = (n: number): number[] => Array.from({ length: n }, () => 3 + draws.below(5))
  return Array.from({ length: count }, () => {
    const prompt = ids(1 + draws.below(4))
    const completion = ids(2 + draws.below(12))
    const own = logprobsOf(weights, prompt, completion)
    return {
      prompt,
      completion,
      logprobs: own.map((logprob) => logprob + [-0.5, -0.1, 0, 0.1, 0.5][draws.below(5)]!),
      advantages: own.map(() => draws.normal()),
    }
  })
}

/** log p of a completion in double precision, by the plain loops. */
function logprobsOf(weights: Weights, prompt: readonly number[], completion: readonly number[]): number[] {
  const logits = referenceLogits(weights, [1, ...prompt, ...completion], config)
  return completion.map((id, i) => logprobAt(logits, prompt.length + i, id))
}

function logprobAt(logits: Float64Array, place: number, id: number): number {
  const own = logits.subarray(place * config.vocab, (place + 1) * config.vocab)
  return own[id]! - Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0))
}

/** The surrogate as it is written in the paper. */
function referenceSurrogate(weights: Weights, texts: readonly PolicyRow[]): number {
  const each = texts.flatMap(({ prompt, completion, logprobs, advantages }) =>
    logprobsOf(weights, prompt, completion).map((logprob, i) => {
      const ratio = Math.exp(logprob - logprobs[i]!)
      return Math.min(ratio * advantages[i]!, Math.min(1 + CLIP, Math.max(1 - CLIP, ratio)) * advantages[i]!)
    }),
  )
  return each.reduce((a, b) => a + b, 0) / each.length
}

async function gradientOf(weights: Weights, batch: HostPolicyBatch): Promise<Weights> {
  const [value, gradient] = surrogateAndGradient(toParams(weights), toPolicyBatch(batch), config)
  value.dispose()
  return toWeights(gradient)
}

beforeAll(startBackend)

describe('policyTrainer', () => {
  it('has gradients that agree with central differences of the plain loops to 1e-3', async () => {
    const weights = lively('gradient')
    const texts = rows(weights, 'gradient/rows', 6)
    const [batch, ...more] = policyBatches(texts, config)
    expect(more).toEqual([])
    const gradient = await gradientOf(weights, batch!)
    // A small step, so that no token comes to the edge of the clip on the way.
    const loss = (moved: Weights): number => referenceSurrogate(moved, texts)
    expectCentralDifferences(weights, gradient, { config, loss, step: 1e-4 })
  })

  it('stops where the ratio has left the range in the direction of the advantage, and only there', async () => {
    const weights = lively('clip')
    const prompt = [3, 4]
    const completion = [5]
    const [now] = logprobsOf(weights, prompt, completion)
    for (const [ratio, advantage, moves] of [
      [1.3, 1, false],
      [1.3, -1, true],
      [0.7, -1, false],
      [0.7, 1, true],
      [1.1, 1, true],
      [0.9, -1, true],
    ] as const) {
      const row = { prompt, completion, logprobs: [now! - Math.log(ratio)], advantages: [advantage] }
      const gradient = await gradientOf(weights, policyBatches([row], config)[0]!)
      const size = Math.hypot(...Object.values(gradient).flatMap(({ data }) => [...data]))
      if (moves) expect(size, `${ratio} ${advantage}`).toBeGreaterThan(1e-3)
      else expect(size, `${ratio} ${advantage}`).toBe(0)
    }
  })

  it('counts all tokens of the policy over all micro-batches, and none that were given', () => {
    const row = (completion: number, advantage: number): PolicyRow => ({
      prompt: [3],
      completion: new Array(completion).fill(4),
      logprobs: [null, ...new Array(completion - 1).fill(-1)],
      advantages: new Array(completion).fill(advantage),
    })
    const texts = Array.from({ length: 70 }, (_, i) => row(i < 40 ? 3 : 20, i === 0 ? 0 : 1))
    const batches = policyBatches(texts, config)
    expect(batches.map(({ rows, length }) => [rows, length])).toEqual([
      [32, 16],
      [32, 32],
      [32, 32],
    ])
    const own = 40 * 2 + 30 * 19
    const sum = batches.reduce((s, { weights }) => s + weights.reduce((a, b) => a + b, 0), 0)
    // The text without an advantage counts as tokens and stands in no micro-batch.
    expect(sum).toBeCloseTo((own - 2) / own, 5)
  })

  it('leaves the weights as they are where no advantage says anything, whatever it remembers', async () => {
    const weights = lively('zero')
    const texts = rows(weights, 'zero/rows', 3)
    const silent = texts.map((row) => ({ ...row, advantages: row.advantages.map(() => 0) }))
    const trainer = await policyTrainer({ config, weights })
    await trainer.update(silent, 1e-2)
    expect(await trainer.weights()).toEqual(weights)
    await trainer.update(texts, 1e-2)
    const moved = await trainer.weights()
    expect(moved).not.toEqual(weights)
    await trainer.update(silent, 1e-2)
    expect(await trainer.weights()).toEqual(moved)
    trainer.dispose()
  })

  it('does not care how the texts of an update are ordered beyond rounding, and is the same twice', async () => {
    const weights = lively('order')
    const texts = rows(weights, 'order/rows', 40)
    const after = async (list: readonly PolicyRow[]): Promise<Weights> => {
      const trainer = await policyTrainer({ config, weights })
      await trainer.update(list, 1e-3)
      const found = await trainer.weights()
      trainer.dispose()
      return found
    }
    const once = await after(texts)
    expect(await after(texts)).toEqual(once)
    const turned = await after(texts.toReversed())
    for (const [name, { data }] of Object.entries(once)) {
      // A first step of Adam is the rate times the sign of the gradient: a gradient of 0 may fall to either side.
      const apart = data.filter((x, i) => Math.abs(x - turned[name]!.data[i]!) > 1e-5).length
      expect(apart / data.length, name).toBeLessThan(0.02)
    }
  })

  it('learns which of two tokens is paid', async () => {
    const trainer = await policyTrainer({ config, weights: initialWeights(config, 'bandit') })
    const draws = random('bandit/draws')
    const chance = async (prompt: number, id: number): Promise<number> =>
      Math.exp(logprobsOf(await trainer.weights(), [prompt], [id])[0]!)
    for (let update = 0; update < 30; update++) {
      const now = await trainer.weights()
      const texts = Array.from({ length: 16 }, (_, i): PolicyRow => {
        const prompt = 3 + (i % 2)
        const own = [5, 6].map((id) => logprobsOf(now, [prompt], [id])[0]!)
        const drawn = draws.next() < Math.exp(own[0]!) / (Math.exp(own[0]!) + Math.exp(own[1]!)) ? 0 : 1
        // After 3 the first is paid, after 4 the second.
        return {
          prompt: [prompt],
          completion: [5 + drawn],
          logprobs: [own[drawn]!],
          advantages: [drawn === prompt - 3 ? 0.5 : -0.5],
        }
      })
      await trainer.update(texts, 1e-2)
    }
    expect(await chance(3, 5)).toBeGreaterThan(0.9)
    expect(await chance(4, 6)).toBeGreaterThan(0.9)
    trainer.dispose()
  })

  it('refuses lists of unequal length and texts beyond the context', () => {
    const row = { prompt: [3], completion: [4, 5], logprobs: [-1, -1], advantages: [1] }
    expect(() => policyBatches([row], config)).toThrow('GRD-CORE-001')
    const long = { prompt: new Array(40).fill(3), completion: [4], logprobs: [-1], advantages: [1] }
    expect(() => policyBatches([long], config)).toThrow('GRD-MODEL-002')
  })
})
