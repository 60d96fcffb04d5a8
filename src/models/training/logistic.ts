import { crossEntropyOf, type FittedHead, type Head, type Rows, sigmoid, standardised, standardOf } from './rows.ts'
import type { Weights } from './transformer/params.ts'

export interface LogisticOptions {
  /** Penalty l2 / 2 · Σ w² on standardised columns, against the summed log loss; the intercept is free. */
  l2: number
  /** Steps at most; some 20 to 60 are usual. */
  steps: number
}

const DEFAULTS: LogisticOptions = { l2: 1, steps: 300 }

/** Largest entry of the gradient, by weight of the rows, at which the minimum counts as reached. */
const TOLERANCE = 1e-7
/** Pairs that L-BFGS remembers (Nocedal and Wright 2006, section 7.2). */
const MEMORY = 10

/**
 * Logistic regression with hard or soft targets: the one minimum of a convex loss, by L-BFGS.
 * @returns rounds = steps until the gradient vanished
 */
export function fitLogistic(rows: Rows, options: Partial<LogisticOptions> = {}): FittedHead {
  const { l2, steps } = { ...DEFAULTS, ...options }
  const standard = standardOf(rows)
  const inputs = standardised(rows.features, standard)
  const { x, rounds } = minimise((at, gradient) => loss(at, gradient, inputs, rows, l2), rows.width + 1, steps)
  const tensors: Weights = {
    'logistic.means': { shape: [rows.width], data: standard.means },
    'logistic.scales': { shape: [rows.width], data: standard.scales },
    'logistic.weights': { shape: [rows.width + 1], data: Float32Array.from(x) },
  }
  return { head: logisticHead(tensors), rounds, heldLosses: [] }
}

/** The regression of `fitLogistic` from its tensors: a weight a column and the intercept behind them. */
export function logisticHead(tensors: Weights): Head {
  const [means, scales] = [tensors['logistic.means']!.data, tensors['logistic.scales']!.data]
  const weights = tensors['logistic.weights']!.data
  const width = means.length
  return {
    width,
    logits(features) {
      const inputs = standardised(features, { means, scales })
      return Float32Array.from({ length: features.length / width }, (_, row) => logitOf(weights, inputs, row, width))
    },
    tensors,
  }
}

function logitOf(weights: ArrayLike<number>, inputs: Float64Array, row: number, width: number): number {
  let sum = weights[width]!
  for (let i = 0, at = row * width; i < width; i++, at++) sum += weights[i]! * inputs[at]!
  return sum
}

/** Mean loss and its gradient. */
function loss(at: Float64Array, gradient: Float64Array, inputs: Float64Array, rows: Rows, l2: number): number {
  const { width, targets, weights } = rows
  gradient.fill(0)
  let sum = 0
  let mass = 0
  for (let row = 0; row < targets.length; row++) {
    const weight = weights?.[row] ?? 1
    if (weight === 0) continue
    const logit = logitOf(at, inputs, row, width)
    sum += weight * crossEntropyOf(logit, targets[row]!)
    mass += weight
    const slope = weight * (sigmoid(logit) - targets[row]!)
    for (let i = 0, from = row * width; i < width; i++, from++) gradient[i]! += slope * inputs[from]!
    gradient[width]! += slope
  }
  for (let i = 0; i < width; i++) {
    sum += (l2 / 2) * at[i]! ** 2
    gradient[i]! += l2 * at[i]!
  }
  for (let i = 0; i <= width; i++) gradient[i]! /= mass
  return sum / mass
}

/** Limited-memory BFGS with a backtracking line search (Nocedal and Wright 2006, algorithms 7.4 and 3.1), from 0. */
function minimise(
  f: (x: Float64Array, gradient: Float64Array) => number,
  size: number,
  steps: number,
): { x: Float64Array; rounds: number } {
  let x = new Float64Array(size)
  let gradient = new Float64Array(size)
  let value = f(x, gradient)
  const memory: { s: Float64Array; y: Float64Array; rho: number }[] = []
  for (let round = 0; round < steps; round++) {
    if (gradient.every((g) => Math.abs(g) < TOLERANCE)) return { x, rounds: round }
    const direction = descent(gradient, memory)
    const slope = dot(direction, gradient)
    const next = new Float64Array(size)
    const nextGradient = new Float64Array(size)
    let length = memory.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1
    let nextValue = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < 40; tries++, length /= 2) {
      for (let i = 0; i < size; i++) next[i] = x[i]! + length * direction[i]!
      nextValue = f(next, nextGradient)
      if (nextValue <= value + 1e-4 * length * slope) break
    }
    // No step lowers the loss any more: as near as double precision comes.
    if (!(nextValue < value)) return { x, rounds: round }
    const s = next.map((v, i) => v - x[i]!)
    const y = nextGradient.map((v, i) => v - gradient[i]!)
    const curvature = dot(s, y)
    if (curvature > 0) {
      memory.push({ s, y, rho: 1 / curvature })
      if (memory.length > MEMORY) memory.shift()
    }
    x = next
    gradient = nextGradient
    value = nextValue
  }
  return { x, rounds: steps }
}

/** The two-loop recursion. */
function descent(
  gradient: Float64Array,
  memory: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = gradient.map((g) => -g)
  const alphas: number[] = []
  for (const { s, y, rho } of memory.toReversed()) {
    const alpha = rho * dot(s, q)
    alphas.push(alpha)
    for (let i = 0; i < q.length; i++) q[i]! -= alpha * y[i]!
  }
  const last = memory.at(-1)
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y))
    for (let i = 0; i < q.length; i++) q[i]! *= scale
  }
  for (const { s, y, rho } of memory) {
    const beta = alphas.pop()! - rho * dot(y, q)
    for (let i = 0; i < q.length; i++) q[i]! += beta * s[i]!
  }
  return q
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
