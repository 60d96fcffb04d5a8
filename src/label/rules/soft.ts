import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import { pooledRollouts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

/**
 * The share of rollouts that succeed: a label of value (can the run still succeed?), not of correctness.
 * @see papers/omegaprm.md
 */
export const soft: LabelRule = {
  name: 'soft',
  summary: 'the share of rollouts from the step that succeed, as a value',
  paper: 'omegaprm',
  options: z.object({}),
  apply(steps, evidence) {
    return pooledRollouts(steps, evidence).after.map((n, step): StepLabel => {
      const head = { step, meaning: 'value', source: soft.name } as const
      return n === null ? { ...head, value: null, reason: 'no-evidence' } : { ...head, value: n.successes / n.trials }
    })
  },
}
