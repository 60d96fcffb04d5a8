import { numpy as np, tree } from '@jax-js/jax'
import { GradusError } from '../../../core/errors.ts'
import { type Random, random } from '../../../core/seeds.ts'
import type { TransformerConfig } from '../../training/transformer/config.ts'
import type { Params } from '../../training/transformer/params.ts'
import { END, PAD, START, type Tokenizer } from '../../training/transformer/tokenizer.ts'
import { CACHE_STEP, type Cache, type Decoder, grow, takeRows } from './decode.ts'

export interface GenerateOptions {
  prompts: readonly string[]
  /** Samples of each prompt; default 1. */
  n?: number
  /** Most tokens of a sample; the model's context ends it earlier. */
  maxTokens: number
  /** 0 takes the likeliest token; default 1. */
  temperature?: number
  /** A sample ends with the first of these strings, which is left out of its text. */
  stop?: readonly string[]
  /**
   * One name a sample, `prompts × n`, the samples of a prompt together. A sample depends on its prompt, its own seed
   * and the settings, not on what is sampled beside it.
   */
  seeds: readonly string[]
}

export interface Sample {
  /** Without the stop string. */
  text: string
  /** Every sampled token, those of the stop string or the end token included. */
  tokenIds: number[]
  /** log p of each token by the model itself (temperature 1), natural logarithm. */
  logprobs: number[]
  /** A stop string, the model's own end token, or no room left. */
  finish: 'stop' | 'end' | 'length'
}

/**
 * Rows of a batch. Arithmetic of a row is the same in each (a test holds jax-js to that), so the smallest that fits
 * serves a small request and the tail of a large one.
 */
export const BATCH_ROWS = [8, 32, 128] as const
const MAX_ROWS = 128

interface Row {
  sample: Sample
  ids: number[]
  /** Token that the next step reads, and its position. */
  last: number
  position: number
  noise: Random
  done: boolean
}

/** Samples continuations of prompts with a key-value cache, up to 128 at a time. */
export async function generate(
  model: { config: TransformerConfig; tokenizer: Tokenizer; params: Params },
  run: Decoder,
  options: GenerateOptions,
): Promise<Sample[]> {
  const { prompts, n = 1, seeds } = options
  if (seeds.length !== prompts.length * n) {
    throw new GradusError('GRD-CORE-001', {
      found: `${seeds.length} seeds for ${prompts.length} prompts × ${n} samples`,
      expected: 'one seed a sample',
    })
  }
  const samples: Sample[] = []
  const groups = new Map<number, Row[]>()
  prompts.forEach((prompt, p) => {
    const ids = [START, ...model.tokenizer.encode(prompt)]
    if (ids.length > model.config.context) {
      throw new GradusError('GRD-MODEL-002', {
        found: `a prompt of ${ids.length} tokens`,
        expected: `at most ${model.config.context}`,
      })
    }
    const size = Math.min(model.config.context, roomFor(ids.length))
    const group = groups.get(size) ?? []
    groups.set(size, group)
    for (let i = 0; i < n; i++) {
      const sample: Sample = { text: '', tokenIds: [], logprobs: [], finish: 'length' }
      samples.push(sample)
      const noise = random(seeds[p * n + i] ?? '')
      group.push({ sample, ids, last: ids.at(-1) ?? START, position: ids.length - 1, noise, done: false })
    }
  })
  for (const [size, rows] of groups) {
    for (let at = 0; at < rows.length; at += MAX_ROWS) {
      await generateGroup(model, run, options, rows.slice(at, at + MAX_ROWS), size)
    }
  }
  return samples
}

/** Rows whose prompts need a cache of the same size: what a row computes then depends on its own length alone. */
async function generateGroup(
  { config, tokenizer, params }: { config: TransformerConfig; tokenizer: Tokenizer; params: Params },
  run: Decoder,
  { maxTokens, temperature = 1, stop = [] }: GenerateOptions,
  group: readonly Row[],
  startSize: number,
): Promise<void> {
  let size = startSize
  let live = [...group]
  let cache = prefill(run, params, live, size)
  for (let step = 0; step < maxTokens && live.length > 0; step++) {
    if (startSize + step > size && size < config.context) {
      cache = grow(cache)
      size += CACHE_STEP
    }
    const width = rowsFor(live.length)
    const inputs = (of: (row: Row) => number, none: number): np.Array =>
      np.array(Int32Array.from({ length: width }, (_, i) => (live[i] ? of(live[i]) : none)))
    const out = run.step(
      params,
      cache,
      inputs((row) => row.last, PAD),
      inputs((row) => row.position, 0),
    )
    cache = out.cache
    const logits = await out.logits.data()
    for (const [i, row] of live.entries()) {
      advance(row, logits.subarray(i * config.vocab, (i + 1) * config.vocab) as Float32Array, temperature)
      settle(row, tokenizer, stop, config.context)
    }
    const kept = live.flatMap((row, i) => (row.done ? [] : [i]))
    if (kept.length > 0 && rowsFor(kept.length) < width) {
      cache = takeRows(cache, padded(kept, rowsFor(kept.length)))
      live = kept.flatMap((i) => live[i] ?? [])
    } else if (kept.length === 0) live = []
  }
  tree.dispose(cache)
}

/** Keys and values of the prompts; rows that share a prompt share the work. */
function prefill(run: Decoder, params: Params, rows: readonly Row[], size: number): Cache {
  const texts = new Map<string, number>()
  const unique: number[][] = []
  const source = rows.map(({ ids }) => {
    const key = ids.join()
    const known = texts.get(key) ?? unique.length
    if (known === unique.length) {
      texts.set(key, known)
      unique.push(ids)
    }
    return known
  })
  const height = rowsFor(unique.length)
  const tokens = new Int32Array(height * size).fill(PAD)
  unique.forEach((ids, row) => {
    tokens.set(ids, row * size)
  })
  return takeRows(run.prefill(params, np.array(tokens).reshape([height, size])), padded(source, rowsFor(rows.length)))
}

/** Draws the next token of a row: one random number a token, by the order of the ids. */
function advance(row: Row, logits: Float32Array, temperature: number): void {
  if (row.done) return
  const chances = exponentials(logits)
  const id = temperature === 0 ? likeliest(logits) : draw(logits, chances, temperature, row.noise.next())
  row.sample.tokenIds.push(id)
  row.sample.logprobs.push(Math.log((chances[id] ?? 0) / chances.reduce((sum, chance) => sum + chance, 0)))
  row.last = id
  row.position++
}

function settle(row: Row, tokenizer: Tokenizer, stop: readonly string[], context: number): void {
  if (row.done) return
  const { sample } = row
  if (row.last === END) {
    sample.finish = 'end'
    row.done = true
    return
  }
  sample.text += tokenizer.decode([row.last])
  const hit = stop.find((end) => end !== '' && sample.text.endsWith(end))
  if (hit !== undefined) {
    sample.text = sample.text.slice(0, -hit.length)
    sample.finish = 'stop'
    row.done = true
  } else if (row.position >= context) row.done = true
}

/** Padding and start are never drawn. */
function draw(logits: Float32Array, chances: Float64Array, temperature: number, uniform: number): number {
  const shares = temperature === 1 ? chances : exponentials(logits.map((logit) => logit / temperature))
  let total = 0
  for (let id = END; id < shares.length; id++) total += shares[id] ?? 0
  let left = uniform * total
  for (let id = END; id < shares.length; id++) {
    left -= shares[id] ?? 0
    if (left < 0) return id
  }
  return likeliest(logits)
}

/** exp of the logits, the largest being 1. */
function exponentials(logits: Float32Array): Float64Array {
  let top = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > top) top = logit
  return Float64Array.from(logits, (logit) => Math.exp(logit - top))
}

function likeliest(logits: Float32Array): number {
  let best = END
  for (let id = END + 1; id < logits.length; id++) if ((logits[id] ?? 0) > (logits[best] ?? 0)) best = id
  return best
}

function roomFor(length: number): number {
  return Math.ceil(length / CACHE_STEP) * CACHE_STEP
}

function rowsFor(count: number): number {
  return BATCH_ROWS.find((rows) => rows >= count) ?? MAX_ROWS
}

function padded(rows: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => rows[i] ?? 0)
}
