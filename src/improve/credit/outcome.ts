import { z } from 'zod'
import {
  type Credit,
  checkGroup,
  credited,
  creditOptions,
  everyStep,
  isDead,
  OutcomeOptions,
  outcomeAdvantages,
} from './credit.ts'

const Options = z.object(OutcomeOptions)

/**
 * The same advantage for every step: that of the attempt among those at the same problem. `group` and `std` are GRPO,
 * `leave-one-out` without a scale is RLOO, `group` without one is Dr. GRPO. The control of every other method.
 */
export const outcome: Credit = {
  name: 'outcome',
  summary: 'every step gets the outcome of its attempt, compared with the others (GRPO, RLOO)',
  options: Options,
  needs: [],
  credit(group, given) {
    const settings = creditOptions(outcome.name, Options, given)
    checkGroup(group)
    const whole = outcomeAdvantages(group, settings)
    const flags = settings.baseline !== 'none' && isDead(group) ? (['dead-group'] as const) : []
    return group.map((attempt, i) => credited(attempt, { outcome: everyStep(attempt, whole[i] ?? 0) }, flags))
  },
}
