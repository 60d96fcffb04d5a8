import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import {
  type Attempt,
  type Credit,
  checkGroup,
  credited,
  creditOptions,
  OutcomeOptions,
  outcomePart,
} from './credit.ts'

const Options = z.object({
  ...OutcomeOptions,
  eta: z.number().positive().default(100).describe('inverse strength of the pull to the reference (100)'),
  per: z
    .enum(['step', 'token', 'sequence'])
    .default('step')
    .describe('what shares one number: the tokens of a step, none, or all of the attempt (step)'),
  from: z
    .enum(['start', 'as-released'])
    .default('start')
    .describe('the log-ratio counts from the first token of a step; the released code counts from its last (start)'),
})

/**
 * Outcome advantage - (1/eta) × the log-ratio of policy and reference over all tokens that are still to come: the
 * gradient of outcome - KL / eta, written step by step. It says how little of the pull was spent later, nothing about
 * whether a step is right.
 *
 * With `as-released` the tokens of a step but its last are forgotten, which is no gradient of that objective any more.
 * @see papers/prl.md
 */
export const logRatio: Credit = {
  name: 'log-ratio',
  summary: 'outcome advantage minus the log-ratio to a reference policy that is still to come',
  paper: 'prl',
  options: Options,
  needs: ['reference'],
  credit(group, given) {
    const settings = creditOptions(logRatio.name, Options, given)
    checkGroup(group)
    const { outcome, flags } = outcomePart(group, settings)
    return group.map((attempt, i) => {
      const toGo = ratiosToGo(attempt).map((own) => own.map((ratio) => -ratio / settings.eta))
      const first = toGo.flat()[0] ?? 0
      const step = toGo.map((own) =>
        settings.per === 'sequence' ? first : ((settings.from === 'start' ? own[0] : own.at(-1)) ?? 0),
      )
      const whole = outcome[i] ?? []
      const result = credited(attempt, { outcome: whole, reference: step }, flags)
      if (settings.per !== 'token' || attempt.outcome === null) return result
      return { ...result, tokens: toGo.map((own, t) => own.map((ratio) => ratio + (whole[t] ?? 0))) }
    })
  },
}

/** For each token: the sum of log p(policy) - log p(reference) over it and all that follow, by steps. */
function ratiosToGo(attempt: Attempt): number[][] {
  let sum = 0
  const out: number[][] = attempt.steps.map(() => [])
  for (let t = attempt.steps.length - 1; t >= 0; t--) {
    const { tokens, logprobs, reference } = attempt.steps[t] ?? { tokens: 0 }
    if (tokens === 0) continue
    if (!logprobs || !reference) {
      throw new GradusError('GRD-CORE-001', {
        where: { field: attempt.id },
        found: `no log-probabilities of the ${logprobs ? 'reference' : 'policy'} in step ${t}`,
        expected: 'those of both for every token',
      })
    }
    const own = new Array<number>(tokens)
    for (let i = tokens - 1; i >= 0; i--) {
      sum += (logprobs[i] ?? 0) - (reference[i] ?? 0)
      own[i] = sum
    }
    out[t] = own
  }
  return out
}
