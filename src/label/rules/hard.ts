import { z } from 'zod'
import type { Evidence, StepLabel } from '../../core/words.ts'
import { pooledRollouts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('share of rollouts that must succeed; 0 = any (best in prm-lessons)'),
})

/**
 * A step is right when enough rollouts from it succeed: Monte Carlo estimation with a hard label.
 *
 * With threshold 0, a success after a later step proves every earlier one reachable, so steps without rollouts before
 * it are right too. Steps after the first wrong one have no label, as in the published training sets.
 * @see papers/prm-lessons.md
 */
export const hard: LabelRule = {
  name: 'hard',
  summary: 'right when any (or enough) of the rollouts from the step succeed',
  paper: 'prm-lessons',
  options: Options,
  apply(steps, evidence, options) {
    const reached = reachable(steps, evidence, Options.parse(options).threshold)
    const first = reached.indexOf(false)
    return reached.map((right, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: hard.name } as const
      if (first >= 0 && step > first) return { ...head, value: null, reason: 'after-first-error' }
      if (right === null) return { ...head, value: null, reason: evidence.length === 0 ? 'no-evidence' : 'not-covered' }
      return { ...head, value: right ? 1 : 0 }
    })
  },
}

/** Do enough rollouts from each step succeed? null = not known. */
export function reachable(steps: number, evidence: readonly Evidence[], threshold = 0): (boolean | null)[] {
  const { after } = pooledRollouts(steps, evidence)
  const lastSuccess = threshold === 0 ? after.findLastIndex((n) => n !== null && n.successes > 0) : -1
  return after.map((n, step) => {
    if (n === null) return step < lastSuccess ? true : null
    return threshold === 0 ? n.successes > 0 : n.successes / n.trials >= threshold
  })
}
