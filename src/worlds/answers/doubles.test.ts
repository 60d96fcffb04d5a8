import { describe, expect, it } from 'vitest'
import type { Random } from '../../core/seeds.ts'
import { random } from '../../core/seeds.ts'
import { equal } from './equal.ts'

/** An expression as text and as a JavaScript function: an oracle that shares nothing with the comparison. */
interface Both {
  text: string
  at: (x: number) => number
}

function grown(r: Random, depth: number): Both {
  const kind = depth <= 0 ? r.below(3) : r.below(10)
  if (kind === 0) {
    const n = r.below(4) + 1
    return { text: String(n), at: () => n }
  }
  if (kind <= 2) return { text: 'x', at: (x) => x }
  const a = grown(r, depth - 1)
  if (kind === 7) return { text: String.raw`\sqrt{${a.text}}`, at: (x) => Math.sqrt(a.at(x)) }
  if (kind === 8) return { text: `(${a.text})^2`, at: (x) => a.at(x) ** 2 }
  if (kind === 9) {
    const f = r.pick(['sin', 'cos', 'ln', 'abs'] as const)
    if (f === 'abs') return { text: `|${a.text}|`, at: (x) => Math.abs(a.at(x)) }
    const apply = f === 'ln' ? Math.log : Math[f]
    return { text: `\\${f}(${a.text})`, at: (x) => apply(a.at(x)) }
  }
  const b = grown(r, depth - 1)
  if (kind === 3) return { text: `(${a.text}+${b.text})`, at: (x) => a.at(x) + b.at(x) }
  if (kind === 4) return { text: `(${a.text}-${b.text})`, at: (x) => a.at(x) - b.at(x) }
  if (kind === 5) return { text: String.raw`${a.text}\cdot ${b.text}`, at: (x) => a.at(x) * b.at(x) }
  return { text: String.raw`\frac{${a.text}}{${b.text}}`, at: (x) => a.at(x) / b.at(x) }
}

const POINTS = [0.37, 1.91, -0.83, -2.7, 13.3, 0.011, -31.7]
const values = (x: Both): number[] => POINTS.map(x.at)
const apart = (p: readonly number[], q: readonly number[]): boolean =>
  p.some((v, i) => {
    const w = q[i] as number
    return Number.isFinite(v) && Number.isFinite(w) && Math.abs(v - w) > 1e-4 * Math.max(1, Math.abs(v))
  })
const together = (p: readonly number[], q: readonly number[]): boolean =>
  p.every((v, i) => Number.isFinite(v) && Math.abs(v - (q[i] as number)) <= 1e-12 * Math.max(1, Math.abs(v)))

describe('equal against double arithmetic on random expressions', () => {
  const r = random('answers/doubles')
  const pool = Array.from({ length: 500 }, () => grown(r, 3))

  it('never calls equal what doubles tell apart', () => {
    const counts = { equal: 0, different: 0, unknown: 0 }
    for (let i = 0; i < 1_500; i++) {
      const [a, b] = [r.pick(pool), r.pick(pool)]
      if (apart(values(a), values(b))) counts[equal(a.text, b.text).verdict]++
    }
    console.log('apart by doubles', JSON.stringify(counts))
    expect(counts.equal).toBe(0)
    expect(counts.different).toBeGreaterThan(20 * counts.unknown)
  })

  it('never calls different what doubles find together at seven points', () => {
    const counts = { equal: 0, different: 0, unknown: 0 }
    for (const [i, a] of pool.entries()) {
      for (const b of pool.slice(i + 1, i + 60)) {
        if (a.text !== b.text && together(values(a), values(b))) counts[equal(a.text, b.text).verdict]++
      }
    }
    console.log('together by doubles', JSON.stringify(counts))
    expect(counts.different).toBe(0)
    expect(counts.equal).toBeGreaterThan(50)
  })
})
