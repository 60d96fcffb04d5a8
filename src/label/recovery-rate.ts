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
export const PER_PREFIX = 4

/** Injections tried until one does harm; in object tracking, seven of ten do none. */
const ATTEMPTS = 20

/** A rate measured on one set of prefixes is trusted like this many rollouts at most, since prefixes differ. */
const TRUSTED_TRIALS = 100

/**
 * Rollouts of a policy from prefixes with an error; a rollout that was cut off or failed is not counted.
 * @throws GradusError GRD-RUN-* when the run has ended
 */
export async function recoveryRate(
  policy: StepWriter,
  check: OutcomeCheck,
  wrong: readonly WrongPrefix[],
  options: { perPrefix?: number; spend?: (usage: Usage) => void } = {},
): Promise<RecoveryRate> {
  let successes = 0
  let trials = 0
  const count = options.perPrefix ?? PER_PREFIX
  const rolled = await Promise.all(
    wrong.map(({ problem, steps }) =>
      rollouts({ problem, policy, prefix: steps, verifier: check }, { from: 0, count }),
    ),
  )
  for (const done of rolled.flat()) {
    options.spend?.((done.ok ? done.trace.usage : done.usage) ?? NO_USAGE)
    if (!done.ok && done.error.code.startsWith('GRD-RUN-')) throw done.error
    if (!done.ok || isUnfinished(done.end) || done.trace.outcome === undefined) continue
    trials++
    if (done.trace.outcome === 1) successes++
  }
  return rateOf(successes, trials)
}

/** Rates of several sets of prefixes as one. */
export function pooledRate(rates: readonly RecoveryRate[]): RecoveryRate {
  const sum = (of: (r: RecoveryRate) => number): number => rates.reduce((n, r) => n + of(r), 0)
  return rateOf(
    sum((r) => r.successes),
    sum((r) => r.trials),
  )
}

function rateOf(successes: number, trials: number): RecoveryRate {
  return { successes, trials, rate: wilson(successes, trials), recovery: recoveryPrior(successes, trials) }
}

/** Above this rate, "none of 8 rollouts succeeds" misses more than one wrong prefix in thirteen. */
const TOO_HIGH = 0.01

/**
 * Why a method is not made for a policy with this recovery rate; null where it is, and where nothing was measured.
 * @param methods names of annotators and of the label rule
 */
export function recoveryWarning({ successes, trials, rate }: RecoveryRate, methods: readonly string[]): string | null {
  if (trials === 0) return null
  const share = `${successes} of ${trials} rollouts from a wrong prefix end right (${(100 * rate.value).toFixed(1)} %)`
  const asksForNone = methods.filter((name) => ['hard', 'omegaprm', 'consensus', 'tool-veto'].includes(name))
  if (rate.value > TOO_HIGH && asksForNone.length > 0) {
    return `${share}: too often for ${asksForNone.join(' and ')}, where one success makes a step right; first-error-locator and relative-progress allow for it`
  }
  if (rate.high < TOO_HIGH && methods.includes('relative-progress')) {
    return `${share}: too seldom for relative-progress to gain anything; hard makes fewer mistakes`
  }
  return null
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

/**
 * One wrong prefix a problem: an injected error at any step but the last, and some of its consequences.
 *
 * Only errors after which a careful writer ends wrong: one that does no harm (the swap of an item that nobody asks for)
 * is no lost prefix, and counting it would make a policy look as if it recovered.
 */
export function injectedPrefixes(task: Task, problems: readonly Problem[], seed: string): WrongPrefix[] {
  return problems.flatMap((problem) => {
    const rng = random(`${seed}/wrong-prefix/${problem.id}`)
    const careful = problem.solution ?? task.complete(problem, [], rng, { slip: 0, recovery: 0 })
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const at = rng.below(Math.max(1, careful.length - 1))
      const injected = task.inject(problem, rng.pick(task.errorKinds), at, `${seed}/${attempt}`)
      if (!injected || at >= injected.steps.length - 1 || isRight(task, problem, injected.steps)) continue
      const length = at + 1 + rng.below(injected.steps.length - at - 1)
      return [{ problem, steps: injected.steps.slice(0, length).map((text): Step => ({ text, kind: 'thought' })) }]
    }
    return []
  })
}

function isRight(task: Task, problem: Problem, steps: readonly string[]): boolean {
  const answer = task.answerOf(steps)
  return answer !== null && task.check(problem, answer)
}
