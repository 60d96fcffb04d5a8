import { jit, nn, numpy as np, tree } from '@jax-js/jax'
import { headWidth, rotaryTables, type TransformerConfig } from '../../training/transformer/config.ts'
import {
  feedForward,
  forward,
  type Intervention,
  rmsNorm,
  swapHalves,
  weight,
} from '../../training/transformer/forward.ts'
import type { Params } from '../../training/transformer/params.ts'

/** Keys `[rows, heads, headWidth, size]` and values `[rows, heads, size, headWidth]` of every layer. */
export type Cache = { keys: np.Array[]; values: np.Array[] }

/** A cache grows by this many tokens: each size is compiled once, and small sizes cost less per token. */
export const CACHE_STEP = 16

const MASKED = -1e9

/** The two compiled halves of sampling, for one model and one intervention. */
export interface Decoder {
  /** Keys and values of whole texts, `tokens` `[rows, length]` int32 (consumed). */
  prefill(params: Params, tokens: np.Array): Cache
  /**
   * One token a row: `tokens` and `positions` are `[rows]` int32. Writes the token's keys and values at its position,
   * attends to positions up to its own, returns `[rows, vocab]` logits. Consumes everything but `params`.
   */
  step(params: Params, cache: Cache, tokens: np.Array, positions: np.Array): { logits: np.Array; cache: Cache }
}

/** Builds a decoder; compiles on first use of each shape. */
export function decoder(config: TransformerConfig, intervene?: Intervention): Decoder {
  const fill = jit((params: Params, tokens: np.Array) => {
    const { logits, keys, values } = forward(params, tokens, config, { cache: true, intervene })
    logits.dispose()
    tree.dispose(params)
    return { keys, values }
  })
  const one = jit((params: Params, cache: Cache, tokens: np.Array, positions: np.Array) => {
    const out = decodeStep(params, cache, tokens, positions, config, intervene)
    tree.dispose(params)
    return out
  })
  return {
    prefill: (params, tokens) => fill(tree.ref(params), tokens),
    step(params, cache, tokens, positions) {
      const { fresh, logits, cache: next } = one(tree.ref(params), cache, tokens, positions)
      tree.dispose(fresh)
      return { logits, cache: next }
    },
  }
}

function decodeStep(
  params: Params,
  cache: Cache,
  tokens: np.Array,
  positions: np.Array,
  config: TransformerConfig,
  intervene?: Intervention,
): { logits: np.Array; cache: Cache; fresh: np.Array[] } {
  const { heads, layers, width, context } = config
  const size = headWidth(config)
  const rows = tokens.shape[0] ?? 0
  const room = cache.keys[0]?.shape[3] ?? 0
  const { cos, sin } = rotaryTables(config)
  const at = (table: Float32Array<ArrayBuffer>): np.Array =>
    np.take(np.array(table).reshape([context, size]), positions.ref, 0).reshape([rows, 1, size])
  const cosines = at(cos)
  const sines = at(sin)
  const rotate = (x: np.Array): np.Array => x.ref.mul(cosines.ref).add(swapHalves(x).mul(sines.ref))
  const slots = np.arange(room).astype(np.int32).reshape([1, room])
  const here = slots.ref.equal(positions.ref.reshape([rows, 1]))
  const visible = slots.lessEqual(positions.reshape([rows, 1])).reshape([rows, 1, 1, room])
  const pass = (layer: number, x: np.Array): np.Array =>
    intervene ? intervene(layer, x.reshape([rows, 1, width])).reshape([rows, width]) : x

  // Results are computed once; were the rotated key not one, it would be rotated anew for each slot of the cache.
  const fresh: np.Array[] = []
  const next: Cache = { keys: [], values: [] }
  let x = pass(0, np.take(weight(params, 'embed'), tokens, 0))
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): np.Array => weight(params, `blocks.${layer}.${name}`)
    const [oldKeys, oldValues] = [cache.keys[layer], cache.values[layer]]
    if (!oldKeys || !oldValues) throw new RangeError(`no cache for layer ${layer}`)
    const h = rmsNorm(x.ref, of('attention.norm'))
    const split = (name: string): np.Array => np.matmul(h.ref, of(name)).reshape([rows, heads, size])
    const query = rotate(split('attention.query')).reshape([rows, heads, 1, size])
    const key = rotate(split('attention.key'))
    fresh.push(key.ref)
    const value = split('attention.value').reshape([rows, heads, 1, size])
    h.dispose()
    const keys = np.where(here.ref.reshape([rows, 1, 1, room]), key.reshape([rows, heads, size, 1]), oldKeys)
    const values = np.where(here.ref.reshape([rows, 1, room, 1]), value, oldValues)
    next.keys.push(keys.ref)
    next.values.push(values.ref)
    const scores = np.matmul(query, keys).mul(1 / Math.sqrt(size))
    const shares = nn.softmax(np.where(visible.ref, scores, MASKED), -1)
    const mixed = np.matmul(shares, values).reshape([rows, width])
    x = x.add(np.matmul(mixed, of('attention.out')))
    x = pass(layer + 1, x.ref.add(feedForward(x, of)))
  }
  here.dispose()
  visible.dispose()
  cosines.dispose()
  sines.dispose()
  return { logits: np.matmul(rmsNorm(x, weight(params, 'norm')), weight(params, 'head')), cache: next, fresh }
}

/** Makes room for `CACHE_STEP` more tokens. */
export function grow(cache: Cache): Cache {
  const pad =
    (axis: number) =>
    (array: np.Array): np.Array =>
      np.pad(
        array,
        [0, 1, 2, 3].map((a): [number, number] => [0, a === axis ? CACHE_STEP : 0]),
      )
  return { keys: cache.keys.map(pad(3)), values: cache.values.map(pad(2)) }
}

/** The cache with these rows, in this order; rows may repeat. */
export function takeRows(cache: Cache, rows: readonly number[]): Cache {
  const take = (array: np.Array): np.Array => np.take(array, np.array(Int32Array.from(rows)), 0)
  return { keys: cache.keys.map(take), values: cache.values.map(take) }
}
