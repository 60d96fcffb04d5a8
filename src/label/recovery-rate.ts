import { random } from '../core/seeds.ts'
import { type Estimate, wilson } from '../core/stats/index.ts'
import { NO_USAGE, type Problem, type Step, type Usage } from '../core/words.ts'
import { type OutcomeCheck, rollouts, type StepWriter } from '../engine/rollout.ts'
import type { Task } from '../worlds/tasks/task.ts'
import type { Recovery } from './first-error-locator.ts'

/** A prefix that is known to hold an error. */
export interface WrongPrefix {
  problem: Problem
  steps: Step[]
}

/** How often a policy reaches the right answer from prefixes with an error in them. */
export interface RecoveryRate {
  successes: number
  trials: number
  /** Share with its interval. */
  rate: Estimate
  /** For the locator. */
  recovery: Recovery
}

/** Rollouts from each wrong prefix: recoveries of a few percent need hundreds of rollouts, better spread over prefixes. */
const PER_PREFIX = 4

/** A rate measured on one set of prefixes is trusted like this many rollouts at most, since prefixes differ. */
const TRUSTED_TRIALS = 100

/** Rollouts of a policy from prefixes with an error; a rollout that was cut off or failed is not counted. */
export async function recoveryRate(
  policy: StepWriter,
  check: OutcomeCheck,
  wrong: readonly WrongPrefix[],
  options: { perPrefix?: number; spend?: (usage: Usage) => void } = {},
): Promise<RecoveryRate> {
  let successes = 0
  let trials = 0
  for (const { problem, steps } of wrong) {
    const count = options.perPrefix ?? PER_PREFIX
    for (const done of await rollouts({ problem, policy, prefix: steps, verifier: check }, { from: 0, count })) {
      options.spend?.((done.ok ? done.trace.usage : done.usage) ?? NO_USAGE)
      if (!done.ok || isUnfinished(done.end)) continue
      trials++
      if (done.trace.outcome === 1) successes++
    }
  }
  return { successes, trials, rate: wilson(successes, trials), recovery: recoveryPrior(successes, trials) }
}

/** Jeffreys' Beta, with the weight of at most `TRUSTED_TRIALS` trials. */
export function recoveryPrior(successes: number, trials: number): Recovery {
  const scale = trials > TRUSTED_TRIALS ? TRUSTED_TRIALS / trials : 1
  return { alpha: successes * scale + 0.5, beta: (trials - successes) * scale + 0.5 }
}

/** Cut off before an answer: says nothing about right or wrong. */
export function isUnfinished(end: string): boolean {
  return end === 'length' || end === 'filter' || end === 'max-steps'
}

/** One wrong prefix a problem: an injected error of any kind at any step but the last, and some of its consequences. */
export function injectedPrefixes(task: Task, problems: readonly Problem[], seed: string): WrongPrefix[] {
  return problems.flatMap((problem) => {
    const rng = random(`${seed}/wrong-prefix/${problem.id}`)
    const last = (problem.solution ?? []).length - 1
    const injected = rng
      .shuffle(task.errorKinds)
      .flatMap((kind) => task.inject(problem, kind, rng.below(Math.max(1, last)), seed) ?? [])[0]
    if (!injected || injected.firstError >= injected.steps.length - 1) return []
    const length = injected.firstError + 1 + rng.below(injected.steps.length - injected.firstError - 1)
    return [{ problem, steps: injected.steps.slice(0, length).map((text): Step => ({ text, kind: 'thought' })) }]
  })
}
