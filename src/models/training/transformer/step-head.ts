import { blockUntilReady, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { random } from '../../../core/seeds.ts'
import { startBackend } from './backend.ts'
import { LENGTH_STEP } from './batches.ts'
import type { TransformerConfig } from './config.ts'
import { forward, rmsNorm } from './forward.ts'
import { type Moments, optimise, stepScalars, zeroMoments } from './optimiser.ts'
import { type Params, toParams, toWeights, type Weights } from './params.ts'
import { PAD, START } from './tokenizer.ts'
import { rateAt } from './train.ts'

/** A text and what the head should say at some of its tokens. */
export interface StepText {
  /** Without the start token. */
  ids: readonly number[]
  /** `token` counts in `ids`, `target` is in [0, 1]. */
  targets: readonly { token: number; target: number; weight: number }[]
}

export interface StepHeadOptions {
  /** Passes over the texts at most. */
  epochs: number
  /** Tokens of a batch, about. */
  batchTokens: number
  /** Highest learning rate. */
  rate: number
  weightDecay: number
  /** Epochs without a better held-out loss before it stops; the best is kept. */
  patience: number
  seed: string
}

/** A fifth of the policies' own rate: what they have learnt should bend, not break. */
const DEFAULTS: StepHeadOptions = {
  epochs: 6,
  batchTokens: 2_048,
  rate: 2e-3,
  weightDecay: 0.02,
  patience: 2,
  seed: 'step-head',
}

/** Steps of warm-up: an optimiser without memory should not tear down trained weights. */
const WARMUP = 20

/** `[rows, tokens]` each; `weights` is 0 where nothing is asked. */
type Batch = { tokens: np.Array; targets: np.Array; weights: np.Array }

/** A batch outside the array library. */
interface HostBatch {
  rows: number
  length: number
  tokens: Int32Array<ArrayBuffer>
  targets: Float32Array<ArrayBuffer>
  weights: Float32Array<ArrayBuffer>
  /** Sum of the weights; 1 on average over the batches. */
  mass: number
}

export interface StepHeadTraining {
  config: TransformerConfig
  /** Weights to start from; they are not changed. */
  weights: Weights
  fit: readonly StepText[]
  /** Texts of other problems; without them all epochs are done. */
  held: readonly StepText[]
  options: Partial<StepHeadOptions>
}

/**
 * Trains a transformer and a linear head on its normalised last state, end to end, by the log loss at the marked
 * tokens. The output matrix of the language model is left as it was.
 */
export async function trainStepHead({ config, weights, fit, held, options }: StepHeadTraining): Promise<{
  weights: Weights
  head: { weights: Float32Array<ArrayBuffer>; bias: Float32Array<ArrayBuffer> }
  rounds: number
  heldLosses: number[]
}> {
  await startBackend()
  const settings = { ...DEFAULTS, ...options }
  const { head: language, norm, ...body } = weights
  if (!language || !norm) throw new RangeError('weights without head or norm')
  const spare = toParams({ head: language, norm })
  let params = toParams({
    ...body,
    'reward.weights': { shape: [config.width, 1], data: new Float32Array(config.width) },
    'reward.bias': { shape: [1], data: new Float32Array(1) },
  })
  let moments = zeroMoments(params)
  const step = jit((p: Params, m: Moments, batch: Batch, scalars: np.Array, frozen: Params) => {
    const [loss, gradient] = valueAndGrad((q: Params) => lossOf(q, batch, config, frozen))(tree.ref(p))
    const [next, nextMoments] = optimise(p, gradient, m, scalars, settings.weightDecay)
    return { loss, params: next, moments: nextMoments }
  })
  const evaluate = jit((p: Params, batch: Batch, frozen: Params) => lossOf(p, batch, config, frozen))
  const order = random(`${settings.seed}/order`)
  const heldBatches = batchesOf(held, config, settings.batchTokens)
  const perEpoch = batchesOf(fit, config, settings.batchTokens).length
  const pace = { rate: settings.rate, warmup: WARMUP, steps: settings.epochs * perEpoch }
  const heldLosses: number[] = []
  let best = { epoch: 0, loss: Number.POSITIVE_INFINITY, weights: await toWeights(params) }
  let done = 0
  let epoch = 0
  while (epoch < settings.epochs && epoch - best.epoch < settings.patience) {
    for (const batch of order.shuffle(batchesOf(order.shuffle(fit), config, settings.batchTokens))) {
      done++
      const next = step(params, moments, toBatch(batch), stepScalars(done, rateAt(done, pace)), tree.ref(spare))
      params = next.params
      moments = next.moments
      next.loss.dispose()
      // Unfinished steps pile up their arrays.
      await blockUntilReady(params)
    }
    epoch++
    let sum = 0
    let mass = 0
    for (const batch of heldBatches) {
      const loss = evaluate(tree.ref(params), toBatch(batch), tree.ref(spare))
      sum += (await loss.data())[0] ?? Number.NaN
      mass += batch.mass
    }
    if (mass > 0) heldLosses.push(sum / mass)
    if (mass === 0 || sum / mass < best.loss) best = { epoch, loss: sum / mass, weights: await toWeights(params) }
  }
  for (const held of [params, moments.first, moments.second, spare]) tree.dispose(held)
  const { 'reward.weights': w, 'reward.bias': bias, ...trained } = best.weights
  return {
    weights: { ...trained, head: language, norm },
    head: { weights: w!.data, bias: bias!.data },
    rounds: best.epoch,
    heldLosses,
  }
}

/** Sum by weight of the log loss at the marked tokens. Consumes everything. */
function lossOf(params: Params, batch: Batch, config: TransformerConfig, frozen: Params): np.Array {
  const { 'reward.weights': weights, 'reward.bias': bias, ...body } = params
  if (!weights || !bias) throw new RangeError('no reward head')
  const { logits, hidden } = forward({ ...body, ...frozen }, batch.tokens, config, { hidden: true })
  logits.dispose()
  const last = hidden.pop()!
  for (const state of hidden) state.dispose()
  tree.dispose(frozen)
  tree.dispose(body)
  const state = rmsNorm(last, np.ones([config.width]))
  const z = np.matmul(state, weights).reshape(batch.targets.shape).add(bias)
  // log(1 + e^z) - z y: the log loss from the log-odds.
  return nn.softplus(z.ref).sub(z.mul(batch.targets)).mul(batch.weights).sum()
}

/** Texts of like length together, in the given order; the last batch of a length is filled with rows of weight 0. */
function batchesOf(texts: readonly StepText[], config: TransformerConfig, tokens: number): HostBatch[] {
  const bins = Map.groupBy(texts, ({ ids }) =>
    Math.min(config.context, Math.ceil((ids.length + 1) / LENGTH_STEP) * LENGTH_STEP),
  )
  const out: HostBatch[] = []
  for (const [length, bin] of bins) {
    const rows = Math.max(1, Math.floor(tokens / length))
    for (let from = 0; from < bin.length; from += rows) out.push(pack(bin.slice(from, from + rows), rows, length))
  }
  const full = out.filter(({ mass }) => mass > 0)
  // One unit for all batches: a step counts the same in a small batch as in a large one.
  const unit = full.reduce((sum, { mass }) => sum + mass, 0) / full.length
  return full.map((batch) => ({ ...batch, weights: batch.weights.map((w) => w / unit), mass: batch.mass / unit }))
}

function pack(texts: readonly StepText[], rows: number, length: number): HostBatch {
  const tokens = new Int32Array(rows * length).fill(PAD)
  const targets = new Float32Array(rows * length)
  const weights = new Float32Array(rows * length)
  let mass = 0
  texts.forEach(({ ids, targets: asked }, row) => {
    tokens.set([START, ...ids], row * length)
    for (const { token, target, weight } of asked) {
      // Token t stands at position t + 1, behind the start token.
      targets[row * length + token + 1] = target
      weights[row * length + token + 1] = weight
      mass += weight
    }
  })
  return { rows, length, tokens, targets, weights, mass }
}

function toBatch({ rows, length, tokens, targets, weights }: HostBatch): Batch {
  return {
    tokens: np.array(tokens).reshape([rows, length]),
    targets: np.array(targets).reshape([rows, length]),
    weights: np.array(weights).reshape([rows, length]),
  }
}
