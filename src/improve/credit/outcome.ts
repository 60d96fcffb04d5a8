import { z } from 'zod'
import { type Credit, checkGroup, credited, creditOptions, OutcomeOptions, outcomePart } from './credit.ts'

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
    const { outcome: whole, flags } = outcomePart(group, settings)
    return group.map((attempt, i) => credited(attempt, { outcome: whole[i] ?? [] }, flags))
  },
}
