import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import { reachable } from './hard.ts'
import { toolVerdicts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

/**
 * Wrong when a tool refutes the step or no rollout from it succeeds; right when one of them speaks for it.
 * @see papers/groundedprm.md (veto arm)
 */
export const toolVeto: LabelRule = {
  name: 'tool-veto',
  summary: 'wrong when a tool refutes the step or no rollout from it succeeds',
  paper: 'groundedprm',
  options: z.object({}),
  apply(steps, evidence) {
    const reached = reachable(steps, evidence)
    const tool = toolVerdicts(steps, evidence)
    const right = reached.map((r, step) => (r === false || tool[step] === false ? false : (r ?? tool[step] ?? null)))
    const first = right.indexOf(false)
    return right.map((value, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: toolVeto.name } as const
      if (first >= 0 && step > first) return { ...head, value: null, reason: 'after-first-error' }
      return value === null ? { ...head, value: null, reason: 'no-evidence' } : { ...head, value: value ? 1 : 0 }
    })
  },
}
