import { blockUntilReady, jit, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { GradusError } from '../../../core/errors.ts'
import { startBackend } from './backend.ts'
import { LENGTH_STEP } from './batches.ts'
import type { TransformerConfig } from './config.ts'
import { targetLogprobs } from './loss.ts'
import { type Moments, optimise, stepScalars, zeroMoments } from './optimiser.ts'
import { type Params, toParams, toWeights, type Weights } from './params.ts'
import { PAD, START } from './tokenizer.ts'

/** A text that the policy wrote, and what each of its tokens is to answer for. */
export interface PolicyRow {
  /** Ids of what it read, without the start token. */
  prompt: readonly number[]
  /** Ids of what followed, the end token included where it was drawn. */
  completion: readonly number[]
  /**
   * log p of each token of the completion by the policy that wrote it, natural logarithm; null where an environment
   * wrote the token, which is read and not learnt.
   */
  logprobs: readonly (number | null)[]
  /** One a token of the completion: above 0 it becomes likelier, below 0 less likely. */
  advantages: readonly number[]
}

/** How far the ratio of new to old chance may move before a token stops to count (Schulman et al. 2017). */
export const CLIP = 0.2

/** Rows of a micro-batch: whole texts need much memory. */
const MICRO_ROWS = 32

/** A micro-batch outside the array library; arrays are row-major `rows × length`. */
export interface HostPolicyBatch {
  rows: number
  length: number
  tokens: Int32Array<ArrayBuffer>
  targets: Int32Array<ArrayBuffer>
  /** log p by the policy that wrote the text; 0 where the advantage is. */
  before: Float32Array<ArrayBuffer>
  /** Advantage over the number of the policy's own tokens in all micro-batches; 0 at padding and what was given. */
  weights: Float32Array<ArrayBuffer>
}

export type PolicyBatch = { tokens: np.Array; targets: np.Array; before: np.Array; weights: np.Array }

/** Weights that learn from what they wrote themselves. */
export interface PolicyTrainer {
  /**
   * One step of the optimiser. Rows without an advantage other than 0 count as tokens and teach nothing; where there
   * are no others the weights stay as they are, whatever the optimiser remembers.
   * @returns the surrogate before the step: the mean advantage of the policy's tokens as long as it has not moved
   * @throws GradusError GRD-CORE-001 for lists of unequal length, GRD-MODEL-002 for a text beyond the context
   */
  update(rows: readonly PolicyRow[], rate: number): Promise<number>
  /** A copy of the weights. */
  weights(): Promise<Weights>
  /** Frees the arrays. */
  dispose(): void
}

/**
 * Policy gradient with a clipped ratio: the mean over the policy's own tokens of min(r A, clip(r, 1 ± .2) A), with
 * r = p / p_old and A the token's advantage, is made larger. Where advantages come from is not its business.
 *
 * Every token of the batch counts the same, however long its text is (as in DAPO; a mean by text first would pay a
 * token of a long failure less).
 */
export async function policyTrainer(options: { config: TransformerConfig; weights: Weights }): Promise<PolicyTrainer> {
  await startBackend()
  const { config } = options
  const accumulate = jit((params: Params, sums: Params, batch: PolicyBatch) => {
    const [value, gradient] = surrogateAndGradient(params, batch, config)
    const next: Params = {}
    for (const [name, sum] of Object.entries(sums)) next[name] = sum.add(gradient[name]!)
    return { value, sums: next }
  })
  const step = jit((params: Params, moments: Moments, gradient: Params, scalars: np.Array) => {
    const down = Object.fromEntries(Object.entries(gradient).map(([name, up]) => [name, up.neg()]))
    const [next, nextMoments] = optimise(params, down, moments, scalars, 0)
    return { params: next, moments: nextMoments }
  })
  let params = toParams(options.weights)
  // Adam for all weights: with Muon for the matrices it learnt as much, at three times the rate.
  let moments = zeroMoments(params, () => false)
  let steps = 0

  return {
    async update(rows, rate) {
      const batches = policyBatches(rows, config)
      if (batches.length === 0) return 0
      let sums: Params = Object.fromEntries(
        Object.entries(params).map(([name, { shape }]) => [name, np.zeros([...shape])]),
      )
      let surrogate = 0
      for (const batch of batches) {
        const out = accumulate(tree.ref(params), sums, toPolicyBatch(batch))
        sums = out.sums
        surrogate += (await out.value.data())[0] ?? Number.NaN
      }
      const next = step(params, moments, sums, stepScalars(++steps, rate))
      params = next.params
      moments = next.moments
      // Unfinished steps pile up their arrays.
      await blockUntilReady(params)
      return surrogate
    },
    weights: () => toWeights(params),
    dispose: () => {
      for (const held of [params, moments.first, moments.second]) tree.dispose(held)
    },
  }
}

/** The clipped surrogate of a micro-batch and its gradient by every weight. Consumes everything. */
export function surrogateAndGradient(
  params: Params,
  batch: PolicyBatch,
  config: TransformerConfig,
): [np.Array, Params] {
  return valueAndGrad((p: Params) => {
    const { tokens, targets, before, weights } = batch
    const ratio = np.exp(targetLogprobs(p, tokens, targets, config).sub(before))
    // min(r A, clip(r) A) = min(r A, A + .2 |A|), whatever the sign of A.
    const most = weights.ref.add(np.abs(weights.ref).mul(CLIP))
    return np.minimum(ratio.mul(weights), most).sum()
  })(params)
}

/**
 * Texts of about the same length together, which is little padding; all but the last full, and that one filled with
 * rows of weight 0, so that few shapes are compiled.
 * @throws GradusError GRD-CORE-001, GRD-MODEL-002
 */
export function policyBatches(rows: readonly PolicyRow[], config: TransformerConfig): HostPolicyBatch[] {
  for (const row of rows) check(row, config)
  const own = rows.reduce((n, { logprobs }) => n + logprobs.filter((p) => p !== null).length, 0)
  const telling = rows
    .filter(({ logprobs, advantages }) => advantages.some((a, i) => a !== 0 && logprobs[i] !== null))
    .sort((a, b) => lengthOf(a) - lengthOf(b))
  const batches: HostPolicyBatch[] = []
  for (let from = 0; from < telling.length; from += MICRO_ROWS) {
    batches.push(pack(telling.slice(from, from + MICRO_ROWS), own, config.context))
  }
  return batches
}

/** Tokens that the model reads: the start token and all but the last. */
function lengthOf({ prompt, completion }: PolicyRow): number {
  return prompt.length + completion.length
}

function pack(texts: readonly PolicyRow[], own: number, context: number): HostPolicyBatch {
  const longest = Math.max(...texts.map(lengthOf))
  const length = Math.min(context, Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP)
  const tokens = new Int32Array(MICRO_ROWS * length).fill(PAD)
  const targets = new Int32Array(MICRO_ROWS * length).fill(PAD)
  const before = new Float32Array(MICRO_ROWS * length)
  const weights = new Float32Array(MICRO_ROWS * length)
  texts.forEach(({ prompt, completion, logprobs, advantages }, row) => {
    const ids = [...prompt, ...completion]
    tokens.set([START, ...ids.slice(0, -1)], row * length)
    targets.set(ids, row * length)
    logprobs.forEach((logprob, i) => {
      if (logprob === null || advantages[i] === 0) return
      // Token t is predicted at place t, since the start token stands before all.
      const cell = row * length + prompt.length + i
      before[cell] = logprob
      weights[cell] = (advantages[i] ?? 0) / own
    })
  })
  return { rows: MICRO_ROWS, length, tokens, targets, before, weights }
}

/** Copies a micro-batch into the array library. */
export function toPolicyBatch({ rows, length, tokens, targets, before, weights }: HostPolicyBatch): PolicyBatch {
  const shape = [rows, length]
  return {
    tokens: np.array(tokens).reshape(shape),
    targets: np.array(targets).reshape(shape),
    before: np.array(before).reshape(shape),
    weights: np.array(weights).reshape(shape),
  }
}

function check(row: PolicyRow, { context }: TransformerConfig): void {
  const { completion, logprobs, advantages } = row
  if (logprobs.length !== completion.length || advantages.length !== completion.length) {
    throw new GradusError('GRD-CORE-001', {
      found: `${logprobs.length} log-probabilities and ${advantages.length} advantages for ${completion.length} tokens`,
      expected: 'one of each a token',
    })
  }
  if (lengthOf(row) > context) {
    throw new GradusError('GRD-MODEL-002', {
      found: `a text of ${lengthOf(row)} tokens`,
      expected: `at most ${context}`,
    })
  }
}
