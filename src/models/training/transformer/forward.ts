import { nn, numpy as np } from '@jax-js/jax'
import { headWidth, NORM_EPSILON, rotaryTables, type TransformerConfig } from './config.ts'
import type { Params } from './params.ts'

/**
 * Changes activations on their way: gets the residual stream after `layer` blocks (0 = embeddings, the last = just
 * before the final norm) as `[rows, tokens, width]`, consumes it and gives back one of the same shape.
 *
 * It is traced once per shape, so it must be built from array operations and not depend on values.
 */
export type Intervention = (layer: number, hidden: np.Array) => np.Array

/** What attention masks with: far below any score, and finite so that no row becomes NaN. */
const MASKED = -1e9

export interface Forward {
  /** `[rows, tokens, vocab]` */
  logits: np.Array
  /** The residual stream after 0, 1, … blocks, each `[rows, tokens, width]`; only where asked for. */
  hidden: np.Array[]
  /** One a layer, `[rows, heads, headWidth, tokens]`; only where asked for. */
  keys: np.Array[]
  /** One a layer, `[rows, heads, tokens, headWidth]`; only where asked for. */
  values: np.Array[]
}

/**
 * The whole transformer on whole texts: RMS norm before attention and feed-forward, rotary positions, squared ReLU
 * (So et al. 2021), separate input and output embeddings, no biases.
 *
 * `tokens` is `[rows, tokens]` int32 and is consumed, as are the weights.
 */
export function forward(
  params: Params,
  tokens: np.Array,
  config: TransformerConfig,
  want: { intervene?: Intervention | undefined; hidden?: boolean; cache?: boolean } = {},
): Forward {
  const [rows, length] = tokens.shape as [number, number]
  const { heads, layers, width } = config
  const size = headWidth(config)
  const rotate = rotation(config, length)
  const visible = np.tril(np.ones([length, length])).greater(0)
  const split = (x: np.Array): np.Array => x.reshape([rows, length, heads, size]).transpose([0, 2, 1, 3])
  const out: Forward = { logits: tokens, hidden: [], keys: [], values: [] }
  const pass = (layer: number, x: np.Array): np.Array => {
    const y = want.intervene ? want.intervene(layer, x) : x
    if (want.hidden) out.hidden.push(y.ref)
    return y
  }

  let x = pass(0, np.take(weight(params, 'embed'), tokens, 0))
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): np.Array => weight(params, `blocks.${layer}.${name}`)
    const h = rmsNorm(x.ref, of('attention.norm'))
    const query = rotate(split(np.matmul(h.ref, of('attention.query'))))
    const key = rotate(split(np.matmul(h.ref, of('attention.key')))).transpose([0, 1, 3, 2])
    const value = split(np.matmul(h, of('attention.value')))
    if (want.cache) {
      out.keys.push(key.ref)
      out.values.push(value.ref)
    }
    const scores = np.matmul(query, key).mul(1 / Math.sqrt(size))
    const shares = nn.softmax(np.where(visible.ref, scores, MASKED), -1)
    const mixed = np.matmul(shares, value).transpose([0, 2, 1, 3]).reshape([rows, length, width])
    x = x.add(np.matmul(mixed, of('attention.out')))
    x = pass(layer + 1, x.ref.add(feedForward(x, of)))
  }
  out.logits = np.matmul(rmsNorm(x, weight(params, 'norm')), weight(params, 'head'))
  return out
}

/** `x · gain / sqrt(mean(x²))` along the last axis. */
export function rmsNorm(x: np.Array, gain: np.Array): np.Array {
  // Reshaped at the end: up to there all is one reduction, computed once a row and not once a number.
  const scale = np.reciprocal(np.sqrt(np.square(x.ref).mean(-1).add(NORM_EPSILON)))
  return x.mul(scale.reshape([...x.shape.slice(0, -1), 1])).mul(gain)
}

/** Norm, up, squared ReLU, down. */
export function feedForward(x: np.Array, of: (name: string) => np.Array): np.Array {
  const up = nn.relu(np.matmul(rmsNorm(x, of('feed.norm')), of('feed.up')))
  return np.matmul(np.square(up), of('feed.down'))
}

/** A weight for one use; the caller's array stays usable. */
export function weight(params: Params, name: string): np.Array {
  const array = params[name]
  if (array === undefined) throw new RangeError(`no weight named ${name}`)
  return array.ref
}

/** Halves of the last axis exchanged; a view, where joining two slices would be a copy. */
export function swapHalves(x: np.Array): np.Array {
  const shape = [...x.shape]
  const size = shape.pop() ?? 0
  return np.flip(x.reshape([...shape, 2, size / 2]), -2).reshape([...shape, size])
}

function rotation(config: TransformerConfig, length: number): (x: np.Array) => np.Array {
  const size = headWidth(config)
  const { cos, sin } = rotaryTables(config)
  const table = (data: Float32Array<ArrayBuffer>): np.Array =>
    np.array(data.slice(0, length * size)).reshape([1, 1, length, size])
  const cosines = table(cos)
  const sines = table(sin)
  return (x) => x.ref.mul(cosines.ref).add(swapHalves(x).mul(sines.ref))
}
