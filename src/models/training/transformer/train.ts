import { blockUntilReady, jit, type numpy as np, tree } from '@jax-js/jax'
import { startBackend } from './backend.ts'
import { type HostBatch, toBatch } from './batches.ts'
import type { TransformerConfig } from './config.ts'
import { type Batch, lossAndGradient } from './loss.ts'
import { type Moments, optimise, stepScalars, zeroMoments } from './optimiser.ts'
import { type Params, toParams, toWeights, type Weights } from './params.ts'

export interface TrainOptions {
  config: TransformerConfig
  /** Weights to start from; they are not changed. */
  weights: Weights
  batches: Iterable<HostBatch>
  steps: number
  /** Highest learning rate: linear warm-up, then half a cosine down to a tenth. */
  rate: number
  /** Steps of warm-up. */
  warmup: number
  weightDecay: number
  /** Called after each step; the loss is of that step's batch, in nats per weighted token. */
  onStep?: (step: number, loss: number, tokens: number) => void
}

/**
 * Trains a transformer; the same options give the same bytes, whatever the number of threads.
 *
 * Ends early where the batches do.
 */
export async function train(options: TrainOptions): Promise<{ weights: Weights; losses: number[] }> {
  await startBackend()
  const { config, steps, weightDecay } = options
  const step = jit((params: Params, moments: Moments, batch: Batch, scalars: np.Array) => {
    const [loss, gradient] = lossAndGradient(tree.ref(params), batch, config)
    const [next, nextMoments] = optimise(params, gradient, moments, scalars, weightDecay)
    return { loss, params: next, moments: nextMoments }
  })
  let params = toParams(options.weights)
  let moments = zeroMoments(params)
  const losses: number[] = []
  for (const batch of options.batches) {
    if (losses.length === steps) break
    const n = losses.length + 1
    const next = step(params, moments, toBatch(batch), stepScalars(n, rateAt(n, options)))
    params = next.params
    moments = next.moments
    const value = (await next.loss.data())[0] ?? Number.NaN
    // Waiting each step keeps the memory flat: unfinished steps pile up their arrays.
    await blockUntilReady(params)
    losses.push(value)
    options.onStep?.(n, value, batch.rows * batch.length)
  }
  return { weights: await toWeights(params), losses }
}

/** Learning rate of a step (from 1). */
export function rateAt(step: number, options: Pick<TrainOptions, 'rate' | 'warmup' | 'steps'>): number {
  const { rate, warmup, steps } = options
  if (step <= warmup) return (rate * step) / warmup
  const done = (step - warmup) / Math.max(1, steps - warmup)
  return rate * (0.1 + 0.45 * (1 + Math.cos(Math.PI * Math.min(1, done))))
}
