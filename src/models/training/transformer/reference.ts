import { headWidth, NORM_EPSILON, rotaryTables, type TransformerConfig } from './config.ts'
import type { Weights } from './params.ts'

/**
 * The same transformer in plain loops, one text at a time: an independent check of the array version, and slow.
 *
 * Returns the logits, row-major `tokens × vocab`.
 */
export function referenceLogits(weights: Weights, tokens: readonly number[], config: TransformerConfig): Float64Array {
  const { width, layers, vocab } = config
  const get = (name: string): Float32Array => {
    const tensor = weights[name]
    if (!tensor) throw new RangeError(`no weight named ${name}`)
    return tensor.data
  }
  const embed = get('embed')
  const rows = tokens.map((id) => Float64Array.from(embed.subarray(id * width, (id + 1) * width)))
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): Float32Array => get(`blocks.${layer}.${name}`)
    attend(rows, of, config)
    for (const row of rows) {
      const up = multiply(norm(row, of('feed.norm')), of('feed.up'), config.hidden)
      add(
        row,
        multiply(
          up.map((x) => Math.max(0, x) ** 2),
          of('feed.down'),
          width,
        ),
      )
    }
  }
  const out = new Float64Array(rows.length * vocab)
  rows.forEach((row, t) => {
    out.set(multiply(norm(row, get('norm')), get('head'), vocab), t * vocab)
  })
  return out
}

/** Adds causal attention to every row. */
function attend(rows: readonly Float64Array[], of: (name: string) => Float32Array, config: TransformerConfig): void {
  const { width, heads } = config
  const size = headWidth(config)
  const { cos, sin } = rotaryTables(config)
  const normed = rows.map((row) => norm(row, of('attention.norm')))
  const rotated = (name: string): Float64Array[] =>
    normed.map((row, t) => rotate(multiply(row, of(name), width), t, size, cos, sin))
  const queries = rotated('attention.query')
  const keys = rotated('attention.key')
  const values = normed.map((row) => multiply(row, of('attention.value'), width))
  rows.forEach((row, t) => {
    const mixed = new Float64Array(width)
    for (let head = 0; head < heads; head++) {
      const from = head * size
      const scores: number[] = []
      for (let s = 0; s <= t; s++) {
        let dot = 0
        for (let i = from; i < from + size; i++) dot += queries[t]![i]! * keys[s]![i]!
        scores.push(dot / Math.sqrt(size))
      }
      const top = Math.max(...scores)
      const shares = scores.map((score) => Math.exp(score - top))
      const total = shares.reduce((a, b) => a + b, 0)
      shares.forEach((share, s) => {
        for (let i = from; i < from + size; i++) mixed[i]! += (share / total) * values[s]![i]!
      })
    }
    add(row, multiply(mixed, of('attention.out'), width))
  })
}

function norm(row: Float64Array, gain: Float32Array): Float64Array {
  let squares = 0
  for (const x of row) squares += x * x
  const scale = 1 / Math.sqrt(squares / row.length + NORM_EPSILON)
  return row.map((x, i) => x * scale * gain[i]!)
}

/** Row times matrix `row.length × columns`. */
function multiply(row: Float64Array, matrix: Float32Array, columns: number): Float64Array {
  const out = new Float64Array(columns)
  row.forEach((x, i) => {
    for (let j = 0; j < columns; j++) out[j]! += x * matrix[i * columns + j]!
  })
  return out
}

function rotate(row: Float64Array, position: number, size: number, cos: Float32Array, sin: Float32Array): Float64Array {
  const half = size / 2
  return row.map((x, at) => {
    const i = at % size
    const partner = row[at - i + ((i + half) % size)]!
    return x * cos[position * size + i]! + partner * sin[position * size + i]!
  })
}

function add(row: Float64Array, more: Float64Array): void {
  for (let i = 0; i < row.length; i++) row[i]! += more[i]!
}
