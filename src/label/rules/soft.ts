import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import { pooledValues } from './pooled.ts'
import type { LabelRule } from './rule.ts'

/**
 * The share of rollouts that succeed: a label of value (can the run still succeed?), not of correctness.
 *
 * What a search backed up or a value model said counts too, each look like one rollout. A search goes on where it is
 * promising, so its values are of a policy that chooses, and higher than those of rollouts alone.
 * @see papers/omegaprm.md, papers/alphamath.md
 */
export const soft: LabelRule = {
  name: 'soft',
  summary: 'the share of rollouts from the step that succeed, or the value that a search backed up',
  paper: 'omegaprm',
  options: z.object({}),
  apply(steps, evidence) {
    return pooledValues(steps, evidence).map((value, step): StepLabel => {
      const head = { step, meaning: 'value', source: soft.name } as const
      return value === null ? { ...head, value, reason: 'no-evidence' } : { ...head, value }
    })
  },
}
