import { numpy as np, tree } from '@jax-js/jax'
import { GradusError } from '../../../core/errors.ts'
import { type Random, random } from '../../../core/seeds.ts'
import { CACHE_STEP, type TransformerConfig } from '../../training/transformer/config.ts'
import type { Params } from '../../training/transformer/params.ts'
import { END, PAD, START, type Tokenizer } from '../../training/transformer/tokenizer.ts'
import { type Block, type Decoder, fold, startCache, takeRows } from './decode.ts'
import { checkSeeds, type GenerateOptions, type Sample } from './generate-options.ts'

/**
 * Rows of a batch. Arithmetic of a row is the same in each (a test holds jax-js to that), so the smallest that fits
 * serves a small request and the tail of a large one.
 */
export const BATCH_ROWS = [8, 32, 128] as const
const MAX_ROWS = 128

/** What sampling needs of a model. */
export interface Generator {
  config: TransformerConfig
  tokenizer: Tokenizer
  params: Params
  /** The weights as the decoder wants them. */
  prepared: Params
}

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
export async function generate(model: Generator, run: Decoder, options: GenerateOptions): Promise<Sample[]> {
  const { prompts, n = 1, seeds } = options
  checkSeeds(options)
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

/** Rows whose prompts need as many slots: what a row computes then depends on its own length alone. */
async function generateGroup(
  { config, tokenizer, params, prepared }: Generator,
  run: Decoder,
  { maxTokens, temperature = 1, stop = [] }: GenerateOptions,
  group: readonly Row[],
  promptSlots: number,
): Promise<void> {
  let live = [...group]
  let cache = startCache(prefill(run, params, live, promptSlots))
  const chances = new Float64Array(config.vocab)
  for (let step = 0; step < maxTokens && live.length > 0; step++) {
    const slot = step % CACHE_STEP
    if (step > 0 && slot === 0) cache = fold(cache)
    const width = rowsFor(live.length)
    const column = (of: (row: Row) => number): Int32Array<ArrayBuffer> =>
      Int32Array.from({ length: width }, (_, i) => (live[i] ? of(live[i]) : PAD))
    const out = run.step(prepared, cache, {
      tokens: column((row) => row.last),
      positions: column((row) => row.position),
      // The last token of the prompt is read by the first step, into `recent`.
      filled: column((row) => row.ids.length - 1),
      promptSlots,
      slot,
    })
    cache = out.cache
    const logits = (await out.logits.data()) as Float32Array
    for (const [i, row] of live.entries()) {
      advance(row, logits.subarray(i * run.columns, i * run.columns + config.vocab), chances, temperature)
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
function prefill(run: Decoder, params: Params, rows: readonly Row[], size: number): Block {
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

/** Draws the next token of a row: one random number a token, by the order of the ids. `chances` is room to compute in. */
function advance(row: Row, logits: Float32Array, chances: Float64Array, temperature: number): void {
  if (row.done) return
  let total = exponentials(logits, 1, chances)
  const { noise, sample } = row
  let id: number
  if (temperature === 0) id = likeliest(logits)
  else if (temperature === 1) id = draw(chances, logits, noise.next())
  else {
    exponentials(logits, temperature, chances)
    id = draw(chances, logits, noise.next())
    total = exponentials(logits, 1, chances)
  }
  sample.tokenIds.push(id)
  sample.logprobs.push(Math.log((chances[id] ?? 0) / total))
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
  const before = sample.text.length
  sample.text += tokenizer.decode([row.last])
  const cut = stop.reduce((first, end) => {
    // A stop string ends within the new token: what stood before held none.
    const at = end === '' ? -1 : sample.text.indexOf(end, Math.max(0, before - end.length + 1))
    return at >= 0 && (first < 0 || at < first) ? at : first
  }, -1)
  if (cut >= 0) {
    sample.text = sample.text.slice(0, cut)
    sample.finish = 'stop'
    row.done = true
  } else if (row.position >= context) row.done = true
}

/** Padding and start are never drawn. */
function draw(chances: Float64Array, logits: Float32Array, uniform: number): number {
  let total = 0
  for (let id = END; id < chances.length; id++) total += chances[id] ?? 0
  let left = uniform * total
  for (let id = END; id < chances.length; id++) {
    left -= chances[id] ?? 0
    if (left < 0) return id
  }
  return likeliest(logits)
}

/** exp of the logits over the temperature, the largest being 1, into `out`; returns their sum. */
function exponentials(logits: Float32Array, temperature: number, out: Float64Array): number {
  let top = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > top) top = logit
  let total = 0
  for (let id = 0; id < logits.length; id++) {
    const chance = Math.exp(((logits[id] ?? 0) - top) / temperature)
    out[id] = chance
    total += chance
  }
  return total
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
