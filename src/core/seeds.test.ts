import { describe, expect, it } from 'vitest'
import { random } from './seeds.ts'

describe('random', () => {
  it('is the same stream for the same name, for ever (values from an independent sfc32)', () => {
    const draw = random('gradus')
    expect([draw.next(), draw.next()].map((x) => x.toFixed(12))).toEqual(['0.292889627917', '0.417715634438'])
  })

  it('is uniform: chi-square of 100 cells over 100,000 draws stays below the .999 quantile (148.2)', () => {
    const draw = random('uniform')
    const cells = new Array<number>(100).fill(0)
    for (let i = 0; i < 100_000; i++) cells[draw.below(100)]!++
    expect(cells.reduce((sum, n) => sum + (n - 1_000) ** 2 / 1_000, 0)).toBeLessThan(148.2)
  })

  it('shuffles without losing anything and draws normals of mean 0 and variance 1', () => {
    const draw = random('shuffle')
    const items = Array.from({ length: 50 }, (_, i) => i)
    const mixed = draw.shuffle(items)
    expect(mixed).not.toEqual(items)
    expect([...mixed].sort((a, b) => a - b)).toEqual(items)
    const values = Array.from({ length: 20_000 }, () => draw.normal())
    const mean = values.reduce((a, b) => a + b) / values.length
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.05)
  })
})
