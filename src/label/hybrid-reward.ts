/** A tool verdict or outcome as a number: right 1, wrong -1, cannot say 0. */
export type Sign = -1 | 0 | 1

export interface HybridWeights {
  /** Weight of the outcome, at least 0. */
  beta: number
  /** Discount of a verdict for each step of distance, in [0, 1]. */
  gamma: number
}

/**
 * GroundedPRM's hybrid reward of step i in a run of T steps, in [-(1 + beta), 1 + beta].
 *
 * u_i = 1 / (T - 1 - i) * sum over j > i of gamma^(j-i) v_j + beta F; the last step has the outcome only.
 * @param verdicts v_j of each step of the run, by a tool
 * @param outcome F
 * @see papers/groundedprm.md
 */
export function hybridReward(verdicts: readonly Sign[], step: number, outcome: Sign, weights: HybridWeights): number {
  const { beta, gamma } = weights
  let later = 0
  for (let j = step + 1; j < verdicts.length; j++) later += gamma ** (j - step) * (verdicts[j] ?? 0)
  return later / Math.max(1, verdicts.length - 1 - step) + beta * outcome
}
