import { nn, type numpy as np, valueAndGrad } from '@jax-js/jax'
import type { TransformerConfig } from './config.ts'
import { forward, type Intervention } from './forward.ts'
import type { Params } from './params.ts'

/**
 * Texts as arrays: `tokens`, `targets` (the next token) int32 and `weights` float32, all `[rows, tokens]`.
 *
 * The loss is the sum of `weight × −log p(target)`, so weights that sum to 1 give a mean; 0 leaves a token out.
 */
export type Batch = {
  tokens: np.Array
  targets: np.Array
  weights: np.Array
}

/** Log-probability of each target, `[rows, tokens]`, natural logarithm. Consumes the token arrays, keeps `params`. */
export function targetLogprobs(
  params: Params,
  tokens: np.Array,
  targets: np.Array,
  config: TransformerConfig,
  intervene?: Intervention,
): np.Array {
  const { logits } = forward(params, tokens, config, { intervene })
  return nn.logSoftmax(logits, -1).mul(nn.oneHot(targets, config.vocab)).sum(-1)
}

/** Weighted cross-entropy in nats; see `Batch`. */
export function crossEntropy(params: Params, batch: Batch, config: TransformerConfig): np.Array {
  return targetLogprobs(params, batch.tokens, batch.targets, config).mul(batch.weights).sum().neg()
}

/** Loss and its gradient by every weight. Consumes the batch and `params`. */
export function lossAndGradient(params: Params, batch: Batch, config: TransformerConfig): [np.Array, Params] {
  return valueAndGrad((p: Params) => crossEntropy(p, batch, config))(params)
}
