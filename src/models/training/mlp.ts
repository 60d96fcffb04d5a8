import { random } from '../../core/seeds.ts'
import {
  type FittedHead,
  type Head,
  type Loss,
  meanLoss,
  type Rows,
  sigmoid,
  standardised,
  standardOf,
} from './rows.ts'
import type { Weights } from './transformer/params.ts'

export interface MlpOptions {
  /** Units of each hidden layer; none = a linear head. */
  hidden: readonly number[]
  /** `mse` of the probability (OVM) or `bce`, both least at P(target | features). */
  loss: Loss
  /** Passes over the rows at most. */
  epochs: number
  /** Rows of a step at most; fewer where there are few rows, so that an epoch has some steps. */
  batch: number
  /** Highest learning rate of Adam; falls to a tenth along half a cosine. */
  rate: number
  /** Decoupled, on matrices. */
  weightDecay: number
  /** Epochs without a better held-out loss before it stops; the best epoch is kept. */
  patience: number
  /** Centre the inputs? Without it features that are mostly 0 stay 0, and cost nothing. */
  centre: boolean
  /** Name of the seed of first weights and of the order of rows. */
  seed: string
}

export const MLP_DEFAULTS: MlpOptions = {
  hidden: [96],
  loss: 'bce',
  epochs: 20,
  batch: 256,
  rate: 2e-3,
  weightDecay: 1e-3,
  patience: 3,
  centre: true,
  seed: 'mlp',
}

/** Steps of an epoch at least, as far as there are rows. */
const STEPS = 16

/** Kingma and Ba 2015. */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const

/** One matrix `inputs × outputs` and its bias. */
interface Layer {
  inputs: number
  outputs: number
  weights: Float64Array
  bias: Float64Array
}

/**
 * A small network on plain numbers: standardised inputs, ReLU layers, one log-odds out. One thread, no library; the
 * same rows and options give the same bytes.
 *
 * @param held rows of other problems; without them all epochs are done and the last is kept
 * @returns rounds = epochs behind the weights
 */
export function fitMlp(rows: Rows, options: Partial<MlpOptions> = {}, held?: Rows): FittedHead {
  const settings = { ...MLP_DEFAULTS, ...options }
  const measured = standardOf(rows)
  const standard = settings.centre ? measured : { ...measured, means: new Float32Array(rows.width) }
  const inputs = standardised(rows.features, standard)
  const heldInputs = held && standardised(held.features, standard)
  const layers = firstLayers(rows.width, settings)
  const trainer = new Trainer(layers, settings)
  const count = rows.targets.length
  const order = random(`${settings.seed}/order`)
  const batch = Math.max(1, Math.min(settings.batch, Math.ceil(count / STEPS)))
  const steps = settings.epochs * Math.ceil(count / batch)
  const numbers = Array.from({ length: count }, (_, i) => i)
  const meanWeight = rows.weights ? rows.weights.reduce((a, b) => a + b, 0) / count : 1
  const heldLosses: number[] = []
  let best = { epoch: 0, loss: Number.POSITIVE_INFINITY, layers }
  let epoch = 0
  while (epoch < settings.epochs && epoch - best.epoch < settings.patience) {
    const shuffled = order.shuffle(numbers)
    for (let from = 0; from < count; from += batch) {
      trainer.step(inputs, rows, shuffled.slice(from, from + batch), steps, meanWeight)
    }
    epoch++
    if (!held || !heldInputs) {
      best = { epoch, loss: 0, layers }
      continue
    }
    const loss = meanLoss(run(layers, heldInputs, held.width), held, settings.loss)
    heldLosses.push(loss)
    if (loss < best.loss) best = { epoch, loss, layers: layers.map(copyOf) }
  }
  return { head: mlpHead(tensorsOf(standard, best.layers)), rounds: best.epoch, heldLosses }
}

/** The network of `fitMlp` from its tensors. */
export function mlpHead(tensors: Weights): Head {
  const [means, scales] = [tensors['mlp.means']!.data, tensors['mlp.scales']!.data]
  const layers: Layer[] = []
  for (let i = 0; tensors[`mlp.${i}.weights`] !== undefined; i++) {
    const { shape, data } = tensors[`mlp.${i}.weights`]!
    const [inputs = 0, outputs = 0] = shape
    const bias = Float64Array.from(tensors[`mlp.${i}.bias`]!.data)
    layers.push({ inputs, outputs, weights: Float64Array.from(data), bias })
  }
  return {
    width: means.length,
    logits: (features) => run(layers, standardised(features, { means, scales }), means.length),
    tensors,
  }
}

function tensorsOf(standard: { means: Float32Array<ArrayBuffer>; scales: Float32Array<ArrayBuffer> }, layers: Layer[]) {
  const width = standard.means.length
  const tensors: Weights = {
    'mlp.means': { shape: [width], data: standard.means },
    'mlp.scales': { shape: [width], data: standard.scales },
  }
  layers.forEach(({ inputs, outputs, weights, bias }, i) => {
    tensors[`mlp.${i}.weights`] = { shape: [inputs, outputs], data: Float32Array.from(weights) }
    tensors[`mlp.${i}.bias`] = { shape: [outputs], data: Float32Array.from(bias) }
  })
  return tensors
}

/** Normal with variance 2 / inputs (He et al. 2015); the last layer starts at 0, so every first probability is .5. */
function firstLayers(width: number, { hidden, seed }: MlpOptions): Layer[] {
  const sizes = [width, ...hidden, 1]
  return sizes.slice(1).map((outputs, i) => {
    const inputs = sizes[i]!
    const noise = random(`${seed}/layer ${i}`)
    const spread = i === hidden.length ? 0 : Math.sqrt(2 / inputs)
    const weights = new Float64Array(inputs * outputs)
    if (spread > 0) for (let at = 0; at < weights.length; at++) weights[at] = noise.normal() * spread
    return { inputs, outputs, weights, bias: new Float64Array(outputs) }
  })
}

function copyOf(layer: Layer): Layer {
  return { ...layer, weights: layer.weights.slice(), bias: layer.bias.slice() }
}

function run(layers: readonly Layer[], inputs: Float64Array, width: number): Float32Array {
  const rows = inputs.length / width
  const out = new Float32Array(rows)
  const values = layers.map(({ outputs }) => new Float64Array(outputs))
  for (let row = 0; row < rows; row++) out[row] = forward(layers, values, inputs, row * width)
  return out
}

/** Fills `values` with each layer's outputs (after ReLU but for the last) and returns the log-odds. */
function forward(layers: readonly Layer[], values: Float64Array[], inputs: Float64Array, from: number): number {
  let source = inputs
  let start = from
  for (let l = 0; l < layers.length; l++) {
    const layer = layers[l]!
    const { outputs, weights } = layer
    const out = values[l]!
    out.set(layer.bias)
    for (let i = 0; i < layer.inputs; i++) {
      const x = source[start + i]!
      // Half of the hidden units are off, and many features are 0.
      if (x === 0) continue
      const base = i * outputs
      for (let o = 0; o < outputs; o++) out[o]! += x * weights[base + o]!
    }
    if (l < layers.length - 1) for (let o = 0; o < outputs; o++) if (out[o]! < 0) out[o] = 0
    source = out
    start = 0
  }
  return source[0]!
}

class Trainer {
  #layers: Layer[]
  #options: MlpOptions
  #values: Float64Array[]
  #errors: Float64Array[]
  #gradients: Layer[]
  #first: Layer[]
  #second: Layer[]
  #done = 0

  constructor(layers: Layer[], options: MlpOptions) {
    const zero = (): Layer[] =>
      layers.map((layer) => ({
        ...layer,
        weights: new Float64Array(layer.weights.length),
        bias: new Float64Array(layer.outputs),
      }))
    this.#layers = layers
    this.#options = options
    this.#values = layers.map(({ outputs }) => new Float64Array(outputs))
    this.#errors = layers.map(({ outputs }) => new Float64Array(outputs))
    this.#gradients = zero()
    this.#first = zero()
    this.#second = zero()
  }

  step(inputs: Float64Array, rows: Rows, batch: readonly number[], steps: number, meanWeight: number): void {
    for (const row of batch) this.#backward(inputs, rows, row, batch.length * meanWeight)
    this.#done++
    const rate = this.#options.rate * (0.1 + 0.45 * (1 + Math.cos((Math.PI * this.#done) / steps)))
    this.#layers.forEach((layer, l) => {
      const [gradient, first, second] = [this.#gradients[l]!, this.#first[l]!, this.#second[l]!]
      this.#move(layer.weights, gradient.weights, first.weights, second.weights, rate, this.#options.weightDecay)
      this.#move(layer.bias, gradient.bias, first.bias, second.bias, rate, 0)
    })
  }

  #backward(inputs: Float64Array, rows: Rows, row: number, mass: number): void {
    const layers = this.#layers
    const from = row * rows.width
    const p = sigmoid(forward(layers, this.#values, inputs, from))
    const miss = p - rows.targets[row]!
    const slope = this.#options.loss === 'bce' ? miss : 2 * miss * p * (1 - p)
    this.#errors.at(-1)![0] = (slope * (rows.weights?.[row] ?? 1)) / mass
    for (let l = layers.length - 1; l >= 0; l--) {
      const { inputs: count, outputs, weights } = layers[l]!
      const gradient = this.#gradients[l]!
      const error = this.#errors[l]!
      const source = l === 0 ? inputs : this.#values[l - 1]!
      const start = l === 0 ? from : 0
      const before = l === 0 ? null : this.#errors[l - 1]!
      for (let o = 0; o < outputs; o++) gradient.bias[o]! += error[o]!
      for (let i = 0; i < count; i++) {
        const x = source[start + i]!
        if (before) before[i] = 0
        if (x === 0) continue
        const base = i * outputs
        let sum = 0
        for (let o = 0; o < outputs; o++) {
          gradient.weights[base + o]! += x * error[o]!
          sum += weights[base + o]! * error[o]!
        }
        if (before) before[i] = sum
      }
    }
  }

  /** One step of Adam; clears the gradient. */
  #move(
    weights: Float64Array,
    gradient: Float64Array,
    first: Float64Array,
    second: Float64Array,
    rate: number,
    decay: number,
  ): void {
    const { beta1, beta2, epsilon } = ADAM
    const [one, two] = [1 - beta1 ** this.#done, 1 - beta2 ** this.#done]
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i]!
      first[i] = beta1 * first[i]! + (1 - beta1) * g
      second[i] = beta2 * second[i]! + (1 - beta2) * g * g
      const move = first[i]! / one / (Math.sqrt(second[i]! / two) + epsilon)
      weights[i] = weights[i]! - rate * (move + decay * weights[i]!)
      gradient[i] = 0
    }
  }
}
