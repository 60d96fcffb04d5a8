import type { Problem, Trace } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ActingEnvironment, OutcomeCheck, Rollout, StepWriter } from '../../engine/rollout.ts'
import { rollouts } from '../../engine/rollout.ts'

export interface SampleOptions {
  engine: Engine
  policy: StepWriter
  /** Traces of each problem. */
  n: number
  /** Decides how runs of a problem end; none where nothing in this process can tell. */
  verifier?: OutcomeCheck | ((problem: Problem) => OutcomeCheck | undefined)
  /** A fresh environment for each problem; closed when its traces are done. */
  environment?: (problem: Problem) => ActingEnvironment
  maxSteps?: number
  source?: Pick<Trace['source'], 'dataset' | 'licence'>
  signal?: AbortSignal
}

/** One trace, or why there is none; nothing is left out silently. */
export type Sampled = Rollout & { problem: Problem; sample: number }

/**
 * n traces of each problem, in the order of problems and samples, several problems at a time.
 *
 * Resuming is doing it again: what the engine's cache holds is not paid for twice, and the traces are the same byte for
 * byte. When the engine stops (budget, Ctrl-C), traces that are not finished come as errors and no problem is begun.
 */
export async function* sampleTraces(
  problems: Iterable<Problem> | AsyncIterable<Problem>,
  { engine, policy, n, environment, verifier, ...rest }: SampleOptions,
): AsyncGenerator<Sampled, void, void> {
  const sampled = engine.each(problems, async (problem) => {
    const world = environment?.(problem)
    const check = typeof verifier === 'function' ? verifier(problem) : verifier
    try {
      const done = await rollouts(
        { ...rest, problem, policy, ...(world && { environment: world }), ...(check && { verifier: check }) },
        { from: 0, count: n },
      )
      return done.map((one, sample): Sampled => ({ ...one, problem, sample }))
    } finally {
      await world?.close()
    }
  })
  for await (const traces of sampled) yield* traces
}
