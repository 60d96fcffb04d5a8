import { numpy as np } from '@jax-js/jax'
import { random } from '../../../core/seeds.ts'
import type { TransformerConfig } from './config.ts'

/** A tensor outside the array library: row-major float32. */
export interface Tensor {
  shape: number[]
  data: Float32Array<ArrayBuffer>
}

/** Weights by name, outside the array library. */
export type Weights = Record<string, Tensor>

/** Weights by name as arrays of the library. Each use consumes an array: pass `.ref` to keep it. */
export type Params = Record<string, np.Array>

/** Name, shape and standard deviation at the start (`null`: filled with ones) of every weight, in file order. */
export function layout(config: TransformerConfig): { name: string; shape: number[]; spread: number | null }[] {
  const { vocab, width, hidden, layers } = config
  const inward = 1 / Math.sqrt(width)
  // Outputs into the residual stream start smaller, so that its size does not grow with depth (GPT-2).
  const outward = 1 / Math.sqrt(2 * layers)
  const blocks = Array.from({ length: layers }, (_, layer) => [
    { name: `blocks.${layer}.attention.norm`, shape: [width], spread: null },
    { name: `blocks.${layer}.attention.query`, shape: [width, width], spread: inward },
    { name: `blocks.${layer}.attention.key`, shape: [width, width], spread: inward },
    { name: `blocks.${layer}.attention.value`, shape: [width, width], spread: inward },
    { name: `blocks.${layer}.attention.out`, shape: [width, width], spread: inward * outward },
    { name: `blocks.${layer}.feed.norm`, shape: [width], spread: null },
    { name: `blocks.${layer}.feed.up`, shape: [width, hidden], spread: inward },
    { name: `blocks.${layer}.feed.down`, shape: [hidden, width], spread: outward / Math.sqrt(hidden) },
  ])
  return [
    { name: 'embed', shape: [vocab, width], spread: 0.5 },
    ...blocks.flat(),
    { name: 'norm', shape: [width], spread: null },
    { name: 'head', shape: [width, vocab], spread: 0.1 * inward },
  ]
}

/** Fresh weights; each depends on the seed and its own name alone. */
export function initialWeights(config: TransformerConfig, seed: string): Weights {
  const weights: Weights = {}
  for (const { name, shape, spread } of layout(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1)
    if (spread !== null) {
      const noise = random(`${seed}/init/${name}`)
      for (let i = 0; i < data.length; i++) data[i] = noise.normal() * spread
    }
    weights[name] = { shape, data }
  }
  return weights
}

/** Copies weights into the array library. */
export function toParams(weights: Weights): Params {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [name, np.array(data).reshape(shape)]),
  )
}

/** Copies arrays out of the library; the arrays stay usable. */
export async function toWeights(params: Params): Promise<Weights> {
  const weights: Weights = {}
  for (const [name, array] of Object.entries(params)) {
    weights[name] = { shape: [...array.shape], data: new Float32Array(await array.ref.data()) }
  }
  return weights
}
