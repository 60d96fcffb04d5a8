import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import { locator } from '../first-error-locator.ts'
import { recoveryPrior } from '../recovery-rate.ts'
import { pooledRollouts, toolVerdicts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  recovery: z.number().min(0).max(1).default(0).describe('measured chance that a wrong prefix still ends right'),
  trials: z.number().int().min(1).default(100).describe('rollouts that the recovery rate was measured with'),
  tool: z
    .number()
    .min(0.5)
    .max(0.999)
    .default(0.5)
    .describe('measured chance that what a tool says of a step is true; .5 = tools are not heard'),
})

/**
 * Where the first wrong step is, as a distribution over all rollouts of the trace, for a policy that may recover.
 *
 * A step's value is 1 - P(it is the first wrong one | none before it is), so that the verdict's first-error distribution
 * is the posterior itself. A trace whose rollouts after the last step succeed has no error that rollouts can see.
 *
 * With `tool` = a, a step that tools call wrong is a / (1 - a) times as probable as the first wrong one as before, and one
 * that they call right (1 - a) / a times: verdicts and rollouts are weighed together, and none has the last word.
 */
export const firstErrorPosterior: LabelRule = {
  name: 'first-error-posterior',
  summary: 'rollouts of the whole trace weighed together, given how often the policy recovers',
  options: Options,
  apply(steps, evidence, options) {
    const { recovery, trials, tool } = Options.parse(options)
    const { start, after } = pooledRollouts(steps, evidence)
    const head = (step: number) => ({ step, meaning: 'correctness', source: firstErrorPosterior.name }) as const
    const last = after.at(-1) ?? null
    if (last === null) {
      return after.map((_, step): StepLabel => ({ ...head(step), value: null, reason: 'no-evidence' }))
    }
    if (last.successes > 0) return after.map((_, step): StepLabel => ({ ...head(step), value: 1 }))
    const odds = tool / (1 - tool)
    const weights = toolVerdicts(steps, evidence).map((right) => (right === null ? 1 : right ? 1 / odds : odds))
    const search = locator({ steps, recovery: recoveryPrior(recovery * trials, trials), prior: [...weights, 0] })
    if (start) search.observe(0, start.successes, start.trials)
    after.slice(0, -1).forEach((n, step) => {
      if (n) search.observe(step + 1, n.successes, n.trials)
    })
    const posterior = search.posterior()
    let left = 1
    return after.map((_, step): StepLabel => {
      const p = posterior[step] ?? 0
      const hazard = left <= 0 ? 0 : Math.min(1, p / left)
      left -= p
      return { ...head(step), value: 1 - hazard }
    })
  },
}
