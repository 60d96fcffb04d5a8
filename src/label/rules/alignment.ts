import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import type { LabelRule } from './rule.ts'

/**
 * Right or wrong as the alignment with a reference says; unaligned steps have no label.
 *
 * Where several sources aligned a step, one that contradicts the reference is not outvoted by others.
 * @see papers/spare.md
 */
export const alignment: LabelRule = {
  name: 'alignment',
  summary: 'right or wrong as the alignment with a reference says, unaligned steps without label',
  paper: 'spare',
  options: z.object({}),
  apply(steps, evidence) {
    return Array.from({ length: steps }, (_, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: alignment.name } as const
      const seen = evidence.filter((e) => e.kind === 'alignment' && e.step === step)
      if (seen.length === 0) return { ...head, value: null, reason: 'no-evidence' }
      if (seen.some((e) => e.kind === 'alignment' && e.verdict === 'incorrect')) return { ...head, value: 0 }
      if (seen.some((e) => e.kind === 'alignment' && e.verdict === 'correct')) return { ...head, value: 1 }
      return { ...head, value: null, reason: 'not-covered' }
    })
  },
}
