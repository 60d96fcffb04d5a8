import { z } from 'zod'
import {
  type Attempt,
  type Credit,
  checkGroup,
  credited,
  creditOptions,
  OutcomeOptions,
  outcomeAdvantages,
  outcomePart,
} from './credit.ts'

const Options = z.object({
  ...OutcomeOptions,
  coef: z.number().min(0).default(1).describe('weight of the comparison within states (1)'),
  gamma: z.number().gt(0).max(1).default(0.95).describe('what an outcome is worth a step earlier (.95)'),
})

/**
 * Outcome advantage + coef × the comparison of steps that were taken in the same state, by whatever way it was
 * reached: discounted outcome minus the mean of those, over their standard deviation. A state that only one attempt
 * was in says nothing.
 * @see papers/treeps-rag.md, section "Beyond the paper" (GiGPO, arXiv 2505.10978)
 */
export const sameState: Credit = {
  name: 'same-state',
  summary: 'outcome advantage and a comparison of steps taken in the same state (GiGPO)',
  options: Options,
  needs: [],
  credit(group, given) {
    const settings = creditOptions(sameState.name, Options, given)
    checkGroup(group)
    const { outcome, flags } = outcomePart(group, settings)
    const states = new Map<string, { outcome: number; attempt: number; step: number }[]>()
    for (const [i, attempt] of group.entries()) {
      if (attempt.outcome === null) continue
      const before = statesBefore(attempt)
      for (const [t, { tokens }] of attempt.steps.entries()) {
        if (tokens === 0) continue
        const members = states.get(before[t] ?? '') ?? []
        const discounted = attempt.outcome * settings.gamma ** (attempt.steps.length - 1 - t)
        members.push({ outcome: discounted, attempt: i, step: t })
        states.set(before[t] ?? '', members)
      }
    }
    const step = group.map(({ steps }) => steps.map(() => 0))
    for (const members of states.values()) {
      const alike = members.map((m): Attempt => ({ id: '', outcome: m.outcome, startValue: null, steps: [] }))
      const compared = outcomeAdvantages(alike, { baseline: 'group', scale: settings.scale })
      for (const [m, { attempt, step: t }] of members.entries()) {
        const own = step[attempt]
        if (own) own[t] = settings.coef * (compared[m] ?? 0)
      }
    }
    return group.map((attempt, i) => credited(attempt, { outcome: outcome[i] ?? [], state: step[i] ?? [] }, flags))
  },
}

/** The state that each step was taken in. */
function statesBefore({ steps }: Attempt): string[] {
  const texts: string[] = []
  let state = ''
  return steps.map((step) => {
    const before = state
    texts.push(step.text)
    state = step.state ?? JSON.stringify(texts)
    return before
  })
}
