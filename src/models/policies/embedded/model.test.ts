import { numpy as np } from '@jax-js/jax'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TransformerConfig } from '../../training/transformer/config.ts'
import { initialWeights, type Weights } from '../../training/transformer/params.ts'
import { tokenizerOf } from '../../training/transformer/tokenizer.ts'
import type { Sample } from './generate-options.ts'
import { type EmbeddedModel, embeddedModel } from './model.ts'

const tokenizer = tokenizerOf([...'\n+0123456789='])
const config: TransformerConfig = { vocab: tokenizer.size, width: 16, layers: 2, heads: 2, hidden: 32, context: 48 }

let weights: Weights
let model: EmbeddedModel

beforeAll(async () => {
  weights = initialWeights(config, 'model')
  weights['head']!.data.forEach((x, i, data) => {
    data[i] = 20 * x
  })
  model = await embeddedModel(config, tokenizer, weights)
})

describe('generate', () => {
  /** Of many lengths, so that they fall into batches of different shape. */
  const prompts = Array.from({ length: 40 }, (_, i) => `${'12+'.repeat(1 + (i % 9))}${i}\n`)
  const settings = { maxTokens: 20, stop: ['\n'] }
  let together: Sample[]
  beforeAll(async () => {
    together = await model.generate({ prompts, seeds: prompts, ...settings })
  })

  it('gives a sample that does not depend on the samples beside it, to the last bit', async () => {
    for (const i of [0, 13, 26, 39]) {
      expect(await model.generate({ prompts: [prompts[i]!], seeds: [prompts[i]!], ...settings })).toEqual([together[i]])
    }
    const reversed = [...prompts].reverse()
    expect((await model.generate({ prompts: reversed, seeds: reversed, ...settings })).reverse()).toEqual(together)
  })

  it('gives log-probabilities that agree with the whole forward pass', async () => {
    const texts = prompts.map((prompt, i) => prompt + tokenizer.decode(together[i]!.tokenIds))
    const scored = await model.score(texts)
    let compared = 0
    together.forEach((sample, i) => {
      const whole = scored[i]!.logprobs.slice(prompts[i]!.length)
      sample.logprobs.forEach((logprob, t) => {
        // The end token has no text to be scored.
        if (t >= whole.length) return
        compared++
        expect(Math.abs(logprob - whole[t]!)).toBeLessThan(1e-4)
      })
    })
    expect(compared).toBeGreaterThan(300)
  })

  it('ends at a stop string, which it leaves out of the text only', () => {
    const stopped = together.filter((sample) => sample.finish === 'stop')
    expect(stopped.length).toBeGreaterThan(0)
    for (const { text, tokenIds, logprobs } of stopped) {
      expect(text).not.toContain('\n')
      expect(tokenizer.decode(tokenIds)).toBe(`${text}\n`)
      expect(logprobs).toHaveLength(tokenIds.length)
    }
  })

  it('ends where the context is full', async () => {
    const [sample] = await model.generate({ prompts: ['1'.repeat(45)], seeds: ['full'], maxTokens: 50 })
    // 45 characters and the start token leave room to read 2 more tokens; the last one written is not read.
    expect(sample!.finish).toBe('length')
    expect(sample!.tokenIds).toHaveLength(3)
    await expect(model.generate({ prompts: ['1'.repeat(48)], seeds: ['x'], maxTokens: 1 })).rejects.toThrow(
      'GRD-MODEL-002',
    )
  })

  it('takes the likeliest token at temperature 0', async () => {
    const greedy = { prompts: ['1+1\n'], n: 2, maxTokens: 5, temperature: 0 }
    const [a, b] = await model.generate({ ...greedy, seeds: ['a', 'b'] })
    expect(a).toEqual(b)
  })

  it('wants one seed a sample', async () => {
    await expect(model.generate({ prompts: ['1'], n: 2, maxTokens: 1, seeds: ['a'] })).rejects.toThrow('GRD-CORE-001')
  })
})

describe('score', () => {
  it('does not depend on the other texts', async () => {
    const texts = ['1+1\n=2', '12+13+14+15+16+17', '=']
    const all = await model.score(texts)
    for (const [i, text] of texts.entries()) expect(await model.score([text])).toEqual([all[i]])
    expect(all.map(({ logprobs }) => logprobs.length)).toEqual(texts.map((text) => text.length))
  })
})

describe('hidden and intervene', () => {
  it('gives one state a token, which has seen nothing after it', async () => {
    const [short, long] = await model.hidden(['1+2', '1+29=3'], 2)
    expect(short!.states).toHaveLength(3 * config.width)
    for (let i = 0; i < short!.states.length; i++) expect(short!.states[i]).toBeCloseTo(long!.states[i]!, 5)
  })

  it('starts from the embeddings', async () => {
    const [state] = await model.hidden(['7'], 0)
    const id = tokenizer.encode('7')[0]!
    expect([...state!.states]).toEqual([...weights['embed']!.data.slice(id * config.width, (id + 1) * config.width)])
  })

  it('changes what comes after it, in whole passes as in sampling', async () => {
    const push = new Float32Array(config.width).fill(0.5)
    const intervene = (layer: number, hidden: np.Array): np.Array => (layer === 1 ? hidden.add(np.array(push)) : hidden)
    const [before] = await model.hidden(['1+2'], 0)
    const [same] = await model.hidden(['1+2'], 0, { intervene })
    expect(same).toEqual(before)
    const [plain] = await model.hidden(['1+2'], 1)
    const [pushed] = await model.hidden(['1+2'], 1, { intervene })
    plain!.states.forEach((x, i) => {
      expect(pushed!.states[i]).toBeCloseTo(x + 0.5, 5)
    })
    const [sample] = await model.generate({ prompts: ['1+2\n'], seeds: ['i'], maxTokens: 8, intervene })
    const text = tokenizer.decode(sample!.tokenIds)
    const [scored] = await model.score([`1+2\n${text}`], { intervene })
    scored!.logprobs.slice(4).forEach((logprob, t) => {
      expect(logprob).toBeCloseTo(sample!.logprobs[t]!, 4)
    })
    const [unchanged] = await model.score([`1+2\n${text}`])
    expect(unchanged!.logprobs).not.toEqual(scored!.logprobs)
  })
})

describe('gradients', () => {
  it('are those of the weighted log-probabilities, over all texts', async () => {
    const texts = ['1+1\n=2', '12+13+14+15+16']
    const perToken = texts.map((text) => [...text].map((_, t) => (t % 3 === 0 ? 1 : -0.5)))
    const { loss, gradients } = await model.gradients(texts, perToken)
    const scored = await model.score(texts)
    const expected = scored.flatMap(({ logprobs }, i) => logprobs.map((l, t) => -l * perToken[i]![t]!))
    expect(loss).toBeCloseTo(
      expected.reduce((a, b) => a + b, 0),
      3,
    )
    const parts = await Promise.all(texts.map((text, i) => model.gradients([text], [perToken[i]!])))
    const norm = gradients['norm']!.data
    norm.forEach((g, i) => {
      expect(g).toBeCloseTo(parts[0]!.gradients['norm']!.data[i]! + parts[1]!.gradients['norm']!.data[i]!, 3)
    })
  })
})

describe('weights that do not fit', () => {
  it('are refused', async () => {
    const { norm: _, ...missing } = weights
    await expect(embeddedModel(config, tokenizer, missing)).rejects.toThrow('GRD-MODEL-003')
    await expect(embeddedModel({ ...config, vocab: 5 }, tokenizer, weights)).rejects.toThrow('GRD-MODEL-003')
  })
})
