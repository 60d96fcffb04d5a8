import { numpy as np } from '@jax-js/jax'
import { adam, biasCorrections } from './adam.ts'
import { muon } from './muon.ts'
import type { Params } from './params.ts'

/** What the optimiser remembers of each weight; Muon's weights have no second moment. */
export type Moments = { first: Params; second: Params }

/** Matrices inside the blocks go by Muon; embeddings, output and norms by Adam. */
export function byMuon(name: string, shape: readonly number[]): boolean {
  return name.startsWith('blocks.') && shape.length === 2
}

/** Moments before the first step; a weight without a second moment goes by Muon. */
export function zeroMoments(params: Params, muon: typeof byMuon = byMuon): Moments {
  const zeros = (wanted: (name: string, shape: readonly number[]) => boolean): Params =>
    Object.fromEntries(
      Object.entries(params)
        .filter(([name, { shape }]) => wanted(name, shape))
        .map(([name, { shape }]) => [name, np.zeros([...shape])]),
    )
  return { first: zeros(() => true), second: zeros((name, shape) => !muon(name, shape)) }
}

/** Scalars of step `step` (from 1): learning rate and Adam's corrections, as `[3]`. */
export function stepScalars(step: number, rate: number): np.Array {
  return np.array(new Float32Array([rate, ...biasCorrections(step)]))
}

/** One step, with decoupled weight decay on matrices (Loshchilov and Hutter 2019). Consumes everything. */
export function optimise(
  params: Params,
  gradients: Params,
  moments: Moments,
  scalars: np.Array,
  weightDecay: number,
): [Params, Moments] {
  const scalar = (i: number): np.Array => scalars.ref.slice(i)
  const next: Params = {}
  const after: Moments = { first: {}, second: {} }
  for (const [name, param] of Object.entries(params)) {
    const [gradient, first, second] = [gradients[name], moments.first[name], moments.second[name]]
    if (!gradient || !first) throw new RangeError(`no gradient or moments for ${name}`)
    let move: np.Array
    if (second) {
      const step = adam(gradient, first, second, [scalar(1), scalar(2)])
      move = step.move
      after.first[name] = step.first
      after.second[name] = step.second
    } else {
      const step = muon(gradient, first)
      move = step.move
      after.first[name] = step.momentum
    }
    const decayed = param.ndim > 1 ? move.add(param.ref.mul(weightDecay)) : move
    next[name] = param.sub(decayed.mul(scalar(0)))
  }
  scalars.dispose()
  return [next, after]
}
