import { numpy as np } from '@jax-js/jax'
import { GradusError } from '../../../core/errors.ts'
import type { Batch } from './loss.ts'
import { END, PAD, START, type Tokenizer } from './tokenizer.ts'

/** A text to learn from: the prompt is given, the completion is to be written. */
export interface Example {
  prompt: string
  completion: string
  /** Parts of the completion, `[from, to)` in characters, that are given like the prompt: what an environment wrote. */
  given?: readonly (readonly [number, number])[]
}

interface Line {
  ids: number[]
  /** Does the token at each place belong to what is given: the prompt, the line break after it, the environment's lines? */
  given: boolean[]
}

/** A batch outside the array library; arrays are row-major `rows × length`. */
export interface HostBatch {
  rows: number
  length: number
  tokens: Int32Array<ArrayBuffer>
  targets: Int32Array<ArrayBuffer>
  weights: Float32Array<ArrayBuffer>
}

/** Rows are padded to a multiple of this; each length is compiled once. */
export const LENGTH_STEP = 16

export interface BatchOptions {
  /** Rows × length of a batch, about. */
  tokens: number
  /** Most tokens of an example; longer ones are an error. */
  context: number
  /** Weight of a prompt token in the loss, where a completion token has 1. */
  promptWeight: number
}

/** `start prompt \n completion end` as ids. */
function toLine({ prompt, completion, given = [] }: Example, tokenizer: Tokenizer): Line {
  const text = tokenizer.encode(`${prompt}\n${completion}`)
  // The newline after the prompt is part of the prompt: it is always given.
  let at = -prompt.length - 1
  const isGiven = text.map((id) => {
    const start = at
    at += tokenizer.decode([id]).length
    return start < 0 || given.some(([from, to]) => from <= start && start < to)
  })
  return { ids: [START, ...text, END], given: [...isGiven, false] }
}

/**
 * Batches of examples of about the same length, in the order in which they fill: little padding, few shapes. Weights
 * of a batch sum to 1.
 */
export function* batches(
  examples: Iterable<Example>,
  tokenizer: Tokenizer,
  options: BatchOptions,
): Generator<HostBatch, void> {
  const bins = new Map<number, Line[]>()
  for (const example of examples) {
    const line = toLine(example, tokenizer)
    const steps = line.ids.length - 1
    if (steps > options.context) {
      throw new GradusError('GRD-MODEL-002', {
        found: `an example of ${steps} tokens`,
        expected: `at most ${options.context}`,
      })
    }
    const length = Math.min(options.context, Math.ceil(steps / LENGTH_STEP) * LENGTH_STEP)
    const bin = bins.get(length) ?? []
    bins.set(length, bin)
    bin.push(line)
    const rows = Math.max(1, Math.floor(options.tokens / length))
    if (bin.length === rows) {
      yield pack(bin, length, options.promptWeight)
      bin.length = 0
    }
  }
}

function pack(bin: readonly Line[], length: number, promptWeight: number): HostBatch {
  const rows = bin.length
  const tokens = new Int32Array(rows * length).fill(PAD)
  const targets = new Int32Array(rows * length).fill(PAD)
  const weights = new Float32Array(rows * length)
  let total = 0
  bin.forEach(({ ids, given }, row) => {
    for (let t = 0; t + 1 < ids.length; t++) {
      const cell = row * length + t
      tokens[cell] = ids[t] ?? PAD
      targets[cell] = ids[t + 1] ?? PAD
      const weight = given[t] ? promptWeight : 1
      weights[cell] = weight
      total += weight
    }
  })
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] ?? 0) / total
  return { rows, length, tokens, targets, weights }
}

/** Copies a batch into the array library. */
export function toBatch({ rows, length, tokens, targets, weights }: HostBatch): Batch {
  return {
    tokens: np.array(tokens).reshape([rows, length]),
    targets: np.array(targets).reshape([rows, length]),
    weights: np.array(weights).reshape([rows, length]),
  }
}
