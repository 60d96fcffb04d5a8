import { jit, numpy as np, tree } from '@jax-js/jax'
import { CACHE_STEP, headWidth, rotaryTables, type TransformerConfig } from '../../training/transformer/config.ts'
import {
  feedForward,
  forward,
  type Intervention,
  rmsNorm,
  swapHalves,
  weight,
} from '../../training/transformer/forward.ts'
import type { Params } from '../../training/transformer/params.ts'

/** Keys `[rows, heads, headWidth, slots]` and values `[rows, heads, slots, headWidth]` of every layer. */
export type Block = { keys: np.Array[]; values: np.Array[] }

/**
 * What the rows have read. `old` only grows: the prompt's slots, then `CACHE_STEP` at a time. `recent` holds the last
 * tokens: a step rewrites these few slots and not the whole cache.
 */
export type Cache = { old: Block; recent: Block }

/** Added to scores of slots that are not to be seen: far below any score, and finite so that no row becomes NaN. */
const MASKED = -1e9

/** Columns of the logits are padded to a multiple of this: the array library is ten times slower on others. */
const LANES = 16

/** What a step reads. */
export interface StepInput {
  /** `[rows]` int32 */
  tokens: Int32Array<ArrayBuffer>
  /** Place of each token in its text, `[rows]`. */
  positions: Int32Array<ArrayBuffer>
  /** Slots of the prompt that hold tokens, `[rows]`; those behind are padding. */
  filled: Int32Array<ArrayBuffer>
  /** Slots of the prompt, padding included; all behind them hold tokens. */
  promptSlots: number
  /** The slot of `recent` that the tokens take, the same in each row. */
  slot: number
}

/** The two compiled halves of sampling, for one model and one intervention. */
export interface Decoder {
  /** Columns of the logits; those from the vocabulary's size on are padding. */
  columns: number
  /** The weights as `step` wants them; made once a model. */
  prepare(params: Params): Params
  /** Keys and values of whole texts, `tokens` `[rows, slots]` int32 (consumed). */
  prefill(params: Params, tokens: np.Array): Block
  /** One token a row; `prepared` is kept, the cache consumed. Returns `[rows, columns]` logits. */
  step(prepared: Params, cache: Cache, input: StepInput): { logits: np.Array; cache: Cache }
}

/** Builds a decoder; compiles on first use of each shape. */
export function decoder(config: TransformerConfig, intervene?: Intervention): Decoder {
  const columns = Math.ceil(config.vocab / LANES) * LANES
  const fill = jit((params: Params, tokens: np.Array) => {
    const { logits, keys, values } = forward(params, tokens, config, { cache: true, intervene })
    logits.dispose()
    tree.dispose(params)
    return { keys, values }
  })
  const one = jit((prepared: Params, cache: Cache, rows: np.Array, place: np.Array) => {
    const out = decodeStep(prepared, cache, rows, place, config, intervene)
    tree.dispose(prepared)
    return out
  })
  return {
    columns,
    prepare: (params) => prepare(params, config, columns),
    prefill: (params, tokens) => fill(tree.ref(params), tokens),
    step(prepared, { old, recent }, { tokens, positions, filled, promptSlots, slot }) {
      const rows = tokens.length
      const packed = new Int32Array(3 * rows)
      for (const [i, column] of [tokens, positions, filled].entries()) packed.set(column, i * rows)
      const { fresh, logits, next } = one(
        tree.ref(prepared),
        { old: tree.ref(old), recent },
        np.array(packed).reshape([3, rows]),
        np.array(Int32Array.of(promptSlots, slot)),
      )
      tree.dispose(fresh)
      return { logits, cache: { old, recent: next } }
    },
  }
}

/** Query, key and value of a layer side by side, so that they are one product; the head padded to `columns`. */
function prepare(params: Params, { layers, vocab }: TransformerConfig, columns: number): Params {
  const prepared: Params = {}
  for (const name of Object.keys(params)) {
    if (!/attention\.(query|key|value)$/.test(name)) prepared[name] = weight(params, name)
  }
  for (let layer = 0; layer < layers; layer++) {
    const parts = ['query', 'key', 'value'].map((part) => weight(params, `blocks.${layer}.attention.${part}`))
    prepared[`blocks.${layer}.attention.all`] = np.concatenate(parts, 1)
  }
  prepared['head'] = np.pad(prepared['head'] as np.Array, [
    [0, 0],
    [0, columns - vocab],
  ])
  return prepared
}

/** `rows` is `[3, rows]`: tokens, positions, filled slots; `place` is `[2]`: the prompt's slots, the slot of now. */
function decodeStep(
  prepared: Params,
  cache: Cache,
  rowInput: np.Array,
  place: np.Array,
  config: TransformerConfig,
  intervene?: Intervention,
): { logits: np.Array; next: Block; fresh: np.Array[] } {
  const { heads, layers, width, context } = config
  const size = headWidth(config)
  const rows = rowInput.shape[1] ?? 0
  const room = cache.old.keys[0]?.shape[3] ?? 0
  const row = (i: number): np.Array => rowInput.ref.slice(i)
  const { cos, sin } = rotaryTables(config)
  const at = (table: Float32Array<ArrayBuffer>): np.Array =>
    np.take(np.array(table).reshape([context, size]), row(1), 0).reshape([rows, 1, size])
  const cosines = at(cos)
  const sines = at(sin)
  const rotate = (x: np.Array): np.Array => x.ref.mul(cosines.ref).add(swapHalves(x).mul(sines.ref))

  const [promptSlots, slot] = [place.ref.slice(0), place.slice(1)]
  const slots = np.arange(room).astype(np.int32).reshape([1, room])
  const unread = slots.ref.greaterEqual(row(2).reshape([rows, 1]))
  const oldMask = np.where(unread, np.where(slots.less(promptSlots), MASKED, 0), 0).reshape([rows, 1, 1, room])
  const recentSlots = np.arange(CACHE_STEP).astype(np.int32)
  const here = recentSlots.ref.equal(slot.ref)
  const recentMask = np.where(recentSlots.greater(slot), MASKED, 0)
  const pass = (layer: number, x: np.Array): np.Array =>
    intervene ? intervene(layer, x.reshape([rows, 1, width])).reshape([rows, width]) : x

  // Results are computed once; were the rotated key not one, it would be rotated anew for each slot of the cache.
  const fresh: np.Array[] = []
  const next: Block = { keys: [], values: [] }
  let x = pass(0, np.take(weight(prepared, 'embed'), row(0), 0))
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): np.Array => weight(prepared, `blocks.${layer}.${name}`)
    const [oldKeys, oldValues] = [cache.old.keys[layer], cache.old.values[layer]]
    const [recentKeys, recentValues] = [cache.recent.keys[layer], cache.recent.values[layer]]
    if (!oldKeys || !oldValues || !recentKeys || !recentValues) throw new RangeError(`no cache for layer ${layer}`)
    const all = np.matmul(rmsNorm(x.ref, of('attention.norm')), of('attention.all'))
    const part = (from: number, to: number): np.Array =>
      all.ref.slice([], [from * width, to * width]).reshape([rows, (to - from) * heads, size])
    const turned = rotate(part(0, 2))
    fresh.push(turned.ref)
    const query = turned.ref
      .slice([], [0, heads])
      .mul(1 / Math.sqrt(size))
      .reshape([rows, heads, 1, size])
    const key = turned.slice([], [heads, 2 * heads]).reshape([rows, heads, size, 1])
    const value = part(2, 3).reshape([rows, heads, 1, size])
    all.dispose()
    const keys = np.where(here.ref.reshape([1, 1, 1, CACHE_STEP]), key, recentKeys)
    const values = np.where(here.ref.reshape([1, 1, CACHE_STEP, 1]), value, recentValues)
    next.keys.push(keys.ref)
    next.values.push(values.ref)
    const mixed = attend(query, [
      { keys: oldKeys, values: oldValues, mask: oldMask.ref },
      { keys, values, mask: recentMask.ref },
    ]).reshape([rows, width])
    x = x.add(np.matmul(mixed, of('attention.out')))
    x = pass(layer + 1, x.ref.add(feedForward(x, of)))
  }
  for (const array of [here, oldMask, recentMask, cosines, sines, rowInput]) array.dispose()
  return { logits: np.matmul(rmsNorm(x, weight(prepared, 'norm')), weight(prepared, 'head')), next, fresh }
}

/**
 * Softmax attention of one query a row over slots that lie in several blocks, without joining them: the shares are
 * divided by their sum at the end. Consumes everything.
 */
function attend(query: np.Array, blocks: readonly { keys: np.Array; values: np.Array; mask: np.Array }[]): np.Array {
  const scores = blocks.map(({ keys, mask }) => np.matmul(query.ref, keys).add(mask))
  query.dispose()
  const top = scores.map((s) => s.ref.max(-1, { keepdims: true })).reduce((a, b) => np.maximum(a, b))
  const shares = scores.map((s) => np.exp(s.sub(top.ref)))
  top.dispose()
  const total = shares.map((s) => s.ref.sum(-1, { keepdims: true })).reduce((a, b) => a.add(b))
  const mixed = blocks.map(({ values }, i) => np.matmul(shares[i] as np.Array, values)).reduce((a, b) => a.add(b))
  return mixed.mul(np.reciprocal(total))
}

/** An empty `recent` beside the keys and values of the prompts. */
export function startCache(old: Block): Cache {
  const empty = (arrays: readonly np.Array[], axis: number): np.Array[] =>
    arrays.map(({ shape }) => np.zeros(shape.map((n, i) => (i === axis ? CACHE_STEP : n))))
  return { old, recent: { keys: empty(old.keys, 3), values: empty(old.values, 2) } }
}

/** Moves a full `recent` to the end of `old`; its slots are written over from then on. */
export function fold({ old, recent }: Cache): Cache {
  const join = (from: np.Array[], more: np.Array[], axis: number): np.Array[] =>
    from.map((array, layer) => np.concatenate([array, (more[layer] as np.Array).ref], axis))
  return {
    old: { keys: join(old.keys, recent.keys, 3), values: join(old.values, recent.values, 2) },
    recent,
  }
}

/** The cache with these rows, in this order; rows may repeat. */
export function takeRows<T extends Block | Cache>(cache: T, rows: readonly number[]): T {
  return tree.map((array: np.Array) => np.take(array, np.array(Int32Array.from(rows)), 0), cache) as T
}
