import { blockUntilReady, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { random } from '../../../core/seeds.ts'
import { startBackend } from './backend.ts'
import { LENGTH_STEP } from './batches.ts'
import type { TransformerConfig } from './config.ts'
import { targetLogprobs } from './loss.ts'
import { optimise, stepScalars, zeroMoments } from './optimiser.ts'
import { type Params, toParams, toWeights, type Weights } from './params.ts'
import { PAD, START } from './tokenizer.ts'
import { rateAt } from './train.ts'

/** A text of which `Σ weights · log p` counts; ids without the start token. */
interface Weighed {
  ids: readonly number[]
  weights: readonly number[]
}

/** `better` is preferred to `worse`. */
export interface PreferencePair {
  better: Weighed
  worse: Weighed
}

export interface PreferenceTraining {
  config: TransformerConfig
  /** Weights to start from, which are the reference as well; they are not changed. */
  weights: Weights
  pairs: readonly PreferencePair[]
  epochs: number
  /** Pairs of a step. */
  batch: number
  rate: number
  seed: string
}

/** Steps of warm-up, as for a fine-tuned head. */
const WARMUP = 20

type Batch = { tokens: np.Array; targets: np.Array; weights: np.Array; pairs: np.Array }

/**
 * Trains a model so that better texts gain on worse ones: the mean of `−log sigmoid(M(better) − M(worse))` with
 * `M = Σ weights · (log p − log p_reference)` (direct preference optimisation, Rafailov et al. 2023; steps of OPRL).
 * @returns loss before each step; log 2 before the first, where both models are one
 */
export async function trainPreference(options: PreferenceTraining): Promise<{ weights: Weights; losses: number[] }> {
  await startBackend()
  const { config, pairs, epochs, batch: size, seed } = options
  const longest = Math.max(...pairs.flatMap(({ better, worse }) => [better.ids.length, worse.ids.length]))
  const length = Math.min(config.context, Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP)
  const reference = toParams(options.weights)
  let params = toParams(options.weights)
  let moments = zeroMoments(params)
  const margins = (p: Params, { tokens, targets, weights }: Omit<Batch, 'pairs'>): np.Array =>
    targetLogprobs(p, tokens, targets, config).mul(weights).sum(-1).reshape([2, size]).sum(0)
  const step = jit((p: Params, frozen: Params, m: ReturnType<typeof zeroMoments>, batch: Batch, scalars: np.Array) => {
    const { pairs: shares, ...texts } = batch
    const before = margins(frozen, tree.ref(texts))
    const [loss, gradient] = valueAndGrad((q: Params) =>
      nn.softplus(margins(q, texts).sub(before).neg()).mul(shares).sum(),
    )(tree.ref(p))
    const [next, nextMoments] = optimise(p, gradient, m, scalars, 0)
    tree.dispose(frozen)
    return { loss, params: next, moments: nextMoments }
  })
  const order = random(`${seed}/order`)
  const steps = epochs * Math.ceil(pairs.length / size)
  const losses: number[] = []
  for (let epoch = 0; epoch < epochs; epoch++) {
    const shuffled = order.shuffle(pairs)
    for (let from = 0; from < shuffled.length; from += size) {
      const n = losses.length + 1
      const rate = rateAt(n, { rate: options.rate, warmup: WARMUP, steps })
      const batch = pack(shuffled.slice(from, from + size), size, length)
      const next = step(params, tree.ref(reference), moments, batch, stepScalars(n, rate))
      params = next.params
      moments = next.moments
      losses.push((await next.loss.data())[0] ?? Number.NaN)
      // Unfinished steps pile up their arrays.
      await blockUntilReady(params)
    }
  }
  const weights = await toWeights(params)
  for (const held of [params, reference, moments.first, moments.second]) tree.dispose(held)
  return { weights, losses }
}

/** Better texts in the first half of the rows, worse ones, with weights turned round, in the second. */
function pack(pairs: readonly PreferencePair[], size: number, length: number): Batch {
  const tokens = new Int32Array(2 * size * length).fill(PAD)
  const targets = new Int32Array(2 * size * length).fill(PAD)
  const weights = new Float32Array(2 * size * length)
  const shares = new Float32Array(size)
  pairs.forEach(({ better, worse }, i) => {
    shares[i] = 1 / pairs.length
    for (const [row, { ids, weights: own }, sign] of [
      [i, better, 1],
      [size + i, worse, -1],
    ] as const) {
      tokens.set([START, ...ids.slice(0, -1)], row * length)
      targets.set(ids, row * length)
      weights.set(
        own.map((w) => sign * w),
        row * length,
      )
    }
  })
  const shape = [2 * size, length]
  return {
    tokens: np.array(tokens).reshape(shape),
    targets: np.array(targets).reshape(shape),
    weights: np.array(weights).reshape(shape),
    pairs: np.array(shares),
  }
}
