import { z } from 'zod'
import type { Evidence, StepLabel } from '../../core/words.ts'
import { reachable } from './hard.ts'
import { pooledRollouts, toolVerdicts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  confirm: z
    .boolean()
    .default(false)
    .describe('a refuted step is wrong only where its rollouts succeed less than half as often as those before it'),
})

/**
 * Wrong when a tool refutes the step or no rollout from it succeeds; right when one of them speaks for it.
 *
 * With `confirm` a refutation must be borne out by the rollouts, where there are any on both sides of the step: a tool's
 * false alarm does not lower the chance of success.
 * @see papers/groundedprm.md (veto arm)
 */
export const toolVeto: LabelRule = {
  name: 'tool-veto',
  summary: 'wrong when a tool refutes the step or no rollout from it succeeds',
  paper: 'groundedprm',
  options: Options,
  apply(steps, evidence, options) {
    const reached = reachable(steps, evidence)
    const verdicts = toolVerdicts(steps, evidence)
    const falls = Options.parse(options).confirm ? fallsAt(steps, evidence) : []
    const tool = verdicts.map((right, step) => (right === false && falls[step] === false ? null : right))
    const right = reached.map((r, step) => (r === false || tool[step] === false ? false : (r ?? tool[step] ?? null)))
    const first = right.indexOf(false)
    return right.map((value, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: toolVeto.name } as const
      if (first >= 0 && step > first) return { ...head, value: null, reason: 'after-first-error' }
      return value === null ? { ...head, value: null, reason: 'no-evidence' } : { ...head, value: value ? 1 : 0 }
    })
  },
}

/** Do fewer than half as many rollouts succeed after the step as before it? null where one side has none. */
function fallsAt(steps: number, evidence: readonly Evidence[]): (boolean | null)[] {
  const { start, after } = pooledRollouts(steps, evidence)
  let before = start === null ? null : start.successes / start.trials
  return after.map((n) => {
    if (n === null) return null
    const now = n.successes / n.trials
    const from = before
    before = now
    return from === null ? null : now < from / 2
  })
}
