import type { Usage } from '../core/words.ts'
import type { Fault } from './fault.ts'

/** What one call brought. */
export interface Answer<A> {
  /** Results in the order of the samples asked for; may be fewer than asked for, never more. */
  values: A[]
  /** What the whole call cost; `calls` and `seconds` are counted by the engine. */
  usage: Partial<Usage>
  /** Why there are fewer values than asked for. */
  fault?: Fault
}

/** Someone who answers requests for money or time: the only thing the engine knows about a model. */
export interface Sampler<Q, A> {
  /** Everything beside request and sample index that decides the answer; part of the cache key, so never a secret. */
  identity: unknown
  /** Calls of one pool share a concurrency limit; usually server and model. */
  pool: string
  /** Calls under way at most; as the engine's default where absent. */
  concurrency?: number
  /** How many samples one call may ask for, at least 1. */
  perCall(request: Q): number
  /** Upper estimate of what one call costs, reserved from the budget while the call runs. */
  expect(request: Q, samples: number): Partial<Usage>
  /**
   * Answers for the given sample indices (from 0, consecutive where the cache has no holes). Results must be plain JSON
   * values. Throws a Fault when nothing at all can be kept.
   */
  call(request: Q, samples: readonly number[], signal: AbortSignal): Promise<Answer<A>>
}
