/** Sizes of a decoder-only transformer. */
export interface TransformerConfig {
  /** Number of token ids. */
  vocab: number
  /** Numbers per token in the residual stream; a multiple of 2 × heads. */
  width: number
  layers: number
  heads: number
  /** Numbers per token inside the feed-forward part; usually 4 × width. */
  hidden: number
  /** Most tokens of one text, the start token included. */
  context: number
}

/** Added to the mean square before the root, as usual for RMS normalisation in float32. */
export const NORM_EPSILON = 1e-6

/** Base of the rotary angles: texts have at most some hundred tokens, for which 10,000 wastes the slow half. */
export const ROTARY_BASE = 1_000

/**
 * Slots that the key-value cache of sampling grows by: its sizes are multiples of it, each of which is compiled once.
 */
export const CACHE_STEP = 16

/** Numbers per attention head. */
export function headWidth(config: TransformerConfig): number {
  return config.width / config.heads
}

/**
 * Cosines and signed sines of the rotary position encoding (Su et al. 2021, half-split layout): two tables of
 * `context × headWidth` numbers, so that `rotated = x · cos + swapHalves(x) · sin`.
 */
export function rotaryTables(config: TransformerConfig): {
  cos: Float32Array<ArrayBuffer>
  sin: Float32Array<ArrayBuffer>
} {
  const size = headWidth(config)
  const half = size / 2
  const cos = new Float32Array(config.context * size)
  const sin = new Float32Array(config.context * size)
  for (let position = 0; position < config.context; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position / ROTARY_BASE ** (i / half)
      const at = position * size + i
      cos[at] = Math.cos(angle)
      cos[at + half] = Math.cos(angle)
      sin[at] = -Math.sin(angle)
      sin[at + half] = Math.sin(angle)
    }
  }
  return { cos, sin }
}
