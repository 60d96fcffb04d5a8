import type { Weights } from './transformer/params.ts'

/** What a head learns from: one row of numbers an item. */
export interface Rows {
  /** Numbers a row. */
  width: number
  /** Row-major, `rows × width`, finite. */
  features: Float32Array
  /** One a row, in [0, 1]: hard (0 or 1) or soft. */
  targets: Float32Array
  /** How much each row counts, not negative; all 1 where absent. */
  weights?: Float32Array
}

/** From a row of numbers to the log-odds of the better pole, with what it has learnt as tensors for a file. */
export interface Head {
  width: number
  /** @param features row-major, as many rows as wanted; @returns one number a row */
  logits(features: Float32Array): Float32Array
  /** Float32: the same numbers that `logits` uses. */
  tensors: Weights
}

export interface FittedHead {
  head: Head
  /** Rounds (epochs, trees, Newton steps) that the head was made of. */
  rounds: number
  /** Mean loss a row of the held-out rows after each round; empty where none were given. */
  heldLosses: number[]
}

/** Shift and scale of each column: mean and standard deviation, 1 where a column does not vary. */
export interface Standard {
  means: Float32Array<ArrayBuffer>
  scales: Float32Array<ArrayBuffer>
}

export function standardOf({ width, features }: Pick<Rows, 'width' | 'features'>): Standard {
  const rows = features.length / width
  const sums = new Float64Array(width)
  const squares = new Float64Array(width)
  for (let at = 0; at < features.length; at++) sums[at % width]! += features[at]!
  const means = Float32Array.from(sums, (sum) => sum / Math.max(1, rows))
  for (let at = 0; at < features.length; at++) squares[at % width]! += (features[at]! - means[at % width]!) ** 2
  const scales = Float32Array.from(squares, (sum) => {
    const spread = Math.sqrt(sum / Math.max(1, rows))
    return spread > 1e-7 ? spread : 1
  })
  return { means, scales }
}

/** Columns with mean 0 and spread 1, in double precision. */
export function standardised(features: Float32Array, { means, scales }: Standard): Float64Array {
  const out = new Float64Array(features.length)
  for (let at = 0, column = 0; at < out.length; at++) {
    out[at] = (features[at]! - means[column]!) / scales[column]!
    if (++column === means.length) column = 0
  }
  return out
}

export function sigmoid(logit: number): number {
  return logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit))
}

/** −y log p − (1 − y) log(1 − p) in nats, from the log-odds of p: never infinite. */
export function crossEntropyOf(logit: number, target: number): number {
  return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)))
}

export type Loss = 'bce' | 'mse'

/** Mean loss by weight; `mse` is of the probability. */
export function meanLoss(logits: ArrayLike<number>, { targets, weights }: Rows, loss: Loss): number {
  let sum = 0
  let mass = 0
  for (let row = 0; row < targets.length; row++) {
    const weight = weights?.[row] ?? 1
    const [logit, target] = [logits[row]!, targets[row]!]
    sum += weight * (loss === 'bce' ? crossEntropyOf(logit, target) : (sigmoid(logit) - target) ** 2)
    mass += weight
  }
  return sum / mass
}
