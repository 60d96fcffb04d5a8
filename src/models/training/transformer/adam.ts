import { numpy as np } from '@jax-js/jax'
import type { Params } from './params.ts'

/** First and second moments, and Adam's constants. */
export type Moments = {
  first: Params
  second: Params
}

/** Kingma and Ba 2015; the second moment forgets faster than their .999 because runs are some thousand steps. */
export const ADAM = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8 } as const

/** Moments before the first step. */
export function zeroMoments(params: Params): Moments {
  const zeros = (): Params =>
    Object.fromEntries(Object.entries(params).map(([name, array]) => [name, np.zeros([...array.shape])]))
  return { first: zeros(), second: zeros() }
}

/** Scalars of step `step` (from 1): learning rate and both bias corrections, as `[3]`. */
export function stepScalars(step: number, rate: number): np.Array {
  return np.array(new Float32Array([rate, 1 / (1 - ADAM.beta1 ** step), 1 / (1 - ADAM.beta2 ** step)]))
}

/**
 * One step of Adam with decoupled weight decay on matrices (Loshchilov and Hutter 2019). Consumes everything.
 */
export function adamStep(
  params: Params,
  gradient: Params,
  moments: Moments,
  scalars: np.Array,
  weightDecay: number,
): [Params, Moments] {
  const scalar = (i: number): np.Array => scalars.ref.slice(i)
  const next: Params = {}
  const first: Params = {}
  const second: Params = {}
  for (const name of Object.keys(params)) {
    const [p, g, m, v] = [params[name], gradient[name], moments.first[name], moments.second[name]]
    if (!p || !g || !m || !v) throw new RangeError(`no gradient or moments for ${name}`)
    const m2 = m.mul(ADAM.beta1).add(g.ref.mul(1 - ADAM.beta1))
    const v2 = v.mul(ADAM.beta2).add(np.square(g).mul(1 - ADAM.beta2))
    first[name] = m2.ref
    second[name] = v2.ref
    const move = m2.mul(scalar(1)).div(np.sqrt(v2.mul(scalar(2))).add(ADAM.epsilon))
    const decayed = p.ndim > 1 ? move.add(p.ref.mul(weightDecay)) : move
    next[name] = p.sub(decayed.mul(scalar(0)))
  }
  scalars.dispose()
  return [next, { first, second }]
}
