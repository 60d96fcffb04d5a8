import { z } from 'zod'
import {
  type Attempt,
  type Credit,
  checkGroup,
  credited,
  creditOptions,
  OutcomeOptions,
  outcomePart,
  unscoredFlag,
} from './credit.ts'

const Options = z.object({
  ...OutcomeOptions,
  coef: z.number().min(0).default(1).describe('weight of the progress of a step (1)'),
  outcome: z.number().min(0).default(1).describe('weight of the outcome of the attempt; 0 = progress alone (1)'),
})

/**
 * Outcome advantage + coef × progress: the value after a step minus that before it, the value after the last being the
 * outcome itself. Alone (`outcome: 0`) the progress of an attempt adds up to outcome - start value, and is an estimate
 * of Q - V where the values are those of the policy.
 *
 * Values come from rollouts, a tree or a value model. A step is left out where the value before or after it is unknown.
 * @see papers/genprm.md (relative progress), papers/alphamath.md (values by a model)
 */
export const progress: Credit = {
  name: 'progress',
  summary: 'how much each step changes the chance of success, beside the outcome advantage',
  options: Options,
  needs: ['values'],
  credit(group, given) {
    const settings = creditOptions(progress.name, Options, given)
    checkGroup(group)
    const { outcome, flags } = outcomePart(group, settings)
    const dead = settings.outcome > 0 ? flags : []
    return group.map((attempt, i) => {
      const changes = valueChanges(attempt)
      return credited(
        attempt,
        {
          outcome: (outcome[i] ?? []).map((whole) => settings.outcome * whole),
          progress: changes.map((change) => settings.coef * (change ?? 0)),
        },
        [...dead, ...unscoredFlag(attempt, changes)],
      )
    })
  },
}

/** Value after each step minus the value before it. What the environment does between is part of the step before. */
function valueChanges({ steps, startValue, outcome }: Attempt): (number | null)[] {
  const written = steps.flatMap(({ tokens }, t) => (tokens > 0 ? [t] : []))
  const out: (number | null)[] = steps.map(() => null)
  let before = startValue
  for (const [i, t] of written.entries()) {
    const next = written[i + 1] ?? steps.length
    const after = next === steps.length ? outcome : (steps[next - 1]?.value ?? steps[t]?.value ?? null)
    out[t] = before === null || after === null ? null : after - before
    before = after
  }
  return out
}
