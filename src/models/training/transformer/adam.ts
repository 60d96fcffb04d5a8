import { numpy as np } from '@jax-js/jax'

/** Kingma and Ba 2015; the second moment forgets faster than their .999 because runs are some thousand steps. */
export const ADAM = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8 } as const

/** Corrections of step `step` (from 1) for moments that start at 0. */
export function biasCorrections(step: number): [number, number] {
  return [1 / (1 - ADAM.beta1 ** step), 1 / (1 - ADAM.beta2 ** step)]
}

/** The direction of a step of Adam, and the new moments. Consumes everything. */
export function adam(
  gradient: np.Array,
  first: np.Array,
  second: np.Array,
  corrections: [np.Array, np.Array],
): { move: np.Array; first: np.Array; second: np.Array } {
  const m = first.mul(ADAM.beta1).add(gradient.ref.mul(1 - ADAM.beta1))
  const v = second.mul(ADAM.beta2).add(np.square(gradient).mul(1 - ADAM.beta2))
  const move = m.ref.mul(corrections[0]).div(np.sqrt(v.ref.mul(corrections[1])).add(ADAM.epsilon))
  return { move, first: m, second: v }
}
