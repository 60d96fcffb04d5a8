import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import { pooledRollouts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  form: z.enum(['ratio', 'difference']).default('ratio').describe('MC after the step over, or minus, MC before it'),
  eps: z
    .number()
    .optional()
    .describe('least progress of a right step; .8 for ratio, -.1 for difference where not given'),
})

/** Thresholds of the published system (papers/genprm.md). */
const EPS = { ratio: 0.8, difference: -0.1 } as const

/**
 * Relative progress estimation: a step is right when it hardly lowers the chance of success.
 *
 * P_t = MC_t / MC_(t-1), with MC_(-1) from rollouts before the first step. After a step with MC = 0 every later one
 * counts as 0, and progress from 0 is not defined: those steps have no label. A step without rollouts has none either,
 * and the next is compared with the last one that has.
 * @see papers/genprm.md
 */
export const relativeProgress: LabelRule = {
  name: 'relative-progress',
  summary: 'right when the step hardly lowers the share of rollouts that succeed',
  paper: 'genprm',
  options: Options,
  apply(steps, evidence, options) {
    const { form, eps } = Options.parse(options)
    const least = eps ?? EPS[form]
    const { start, after } = pooledRollouts(steps, evidence)
    let before = start === null ? null : start.successes / start.trials
    return after.map((n, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: relativeProgress.name } as const
      if (before === 0) return { ...head, value: null, reason: 'after-first-error' }
      if (n === null) return { ...head, value: null, reason: 'no-evidence' }
      const now = n.successes / n.trials
      const from = before
      before = now
      if (from === null) return { ...head, value: null, reason: 'not-covered' }
      return { ...head, value: (form === 'ratio' ? now / from : now - from) >= least ? 1 : 0 }
    })
  },
}
