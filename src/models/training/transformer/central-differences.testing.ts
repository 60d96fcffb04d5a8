import { expect } from 'vitest'
import { random } from '../../../core/seeds.ts'
import type { TransformerConfig } from './config.ts'
import { layout, type Weights } from './params.ts'

/** The gradient of every weight agrees with central differences of the loss to 1e-3, along a direction near itself. */
export function expectCentralDifferences(
  weights: Weights,
  gradient: Weights,
  { config, loss, step }: { config: TransformerConfig; loss: (weights: Weights) => number; step: number },
): void {
  const noise = random('gradient/direction')
  for (const { name } of layout(config)) {
    const g = gradient[name]!.data
    // Along the gradient the loss changes most; the noise makes other components count too.
    const size = Math.hypot(...g)
    expect(size, name).toBeGreaterThan(0)
    const direction = g.map((x) => x / size + (0.2 * noise.normal()) / Math.sqrt(g.length))
    const moved = (sign: number): number => {
      const data = weights[name]!.data.map((x, i) => x + sign * step * direction[i]!)
      return loss({ ...weights, [name]: { shape: weights[name]!.shape, data } })
    }
    const expected = g.reduce((sum, x, i) => sum + x * direction[i]!, 0)
    const difference = (moved(1) - moved(-1)) / (2 * step)
    expect(Math.abs(difference - expected) / Math.abs(expected), name).toBeLessThan(1e-3)
  }
}
