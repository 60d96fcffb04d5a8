import { hash } from 'node:crypto'

/** Uniform random numbers from a named seed; the only source of randomness in Gradus. */
export interface Random {
  /** A number in [0, 1) with 53 random bits. */
  next(): number
  /** A whole number in [0, n). */
  below(n: number): number
  /** One of the items. */
  pick<T>(items: readonly T[]): T
  /** A new array in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[]
  /** Standard normal (Box-Muller, one value a call). */
  normal(): number
}

/**
 * A stream of random numbers that depends on nothing but the name: `random('7/split/bootstrap')`.
 *
 * Generator: sfc32 (Chris Doty-Humphrey's PractRand), 128 bits of state from SHA-256 of the name, 12 rounds discarded.
 */
export function random(name: string): Random {
  const digest = hash('sha256', name, 'buffer')
  let a = digest.readUInt32LE(0)
  let b = digest.readUInt32LE(4)
  let c = digest.readUInt32LE(8)
  let d = digest.readUInt32LE(12)

  const next32 = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) next32()

  const next = (): number => ((next32() >>> 5) * 67_108_864 + (next32() >>> 6)) / 9_007_199_254_740_992
  const below = (n: number): number => Math.floor(next() * n)
  return {
    next,
    below,
    pick(items) {
      if (items.length === 0) throw new RangeError('pick from an empty list')
      return items[below(items.length)]!
    },
    shuffle(items) {
      const out = [...items]
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const held = out[i]!
        out[i] = out[j]!
        out[j] = held
      }
      return out
    },
    normal() {
      return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
    },
  }
}
