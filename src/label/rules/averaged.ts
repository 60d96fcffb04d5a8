import { z } from 'zod'
import type { StepLabel } from '../../core/words.ts'
import { hybridReward, type Sign } from '../hybrid-reward.ts'
import { pooledRollouts, toolVerdicts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  beta: z.number().min(0).default(0.5).describe("weight of the trace's outcome"),
  gamma: z.number().min(0).max(1).default(0.9).describe('discount of a verdict for each step of distance'),
  local: z.boolean().default(true).describe('a step that its own tool verdict refutes is wrong whatever follows'),
})

/**
 * GroundedPRM's averaged hybrid reward: mean of the discounted tool verdicts on later steps, plus the outcome.
 *
 * u_i = 1 / (T - 1 - i) * sum over j > i of gamma^(j-i) v_j + beta F, with v_j in {1, 0 (cannot say), -1} and F = 1 when
 * the rollouts after the last step succeed, -1 when they fail, 0 when there are none; a step is right when u_i > 0. The
 * formula smears a local error over the steps before it, which `tool-veto` does not.
 * @see papers/groundedprm.md
 */
export const averaged: LabelRule = {
  name: 'averaged',
  summary: 'mean of the tool verdicts on later steps plus the outcome, by its sign',
  paper: 'groundedprm',
  options: Options,
  apply(steps, evidence, options) {
    const { beta, gamma, local } = Options.parse(options)
    const verdicts = toolVerdicts(steps, evidence)
    const last = pooledRollouts(steps, evidence).after.at(-1) ?? null
    const outcome = last === null ? 0 : last.successes > 0 ? 1 : -1
    const signs = verdicts.map(sign)
    return verdicts.map((own, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: averaged.name } as const
      const u = hybridReward(signs, step, outcome, { beta, gamma })
      if (local && own === false) return { ...head, value: 0 }
      return u === 0 ? { ...head, value: null, reason: 'no-evidence' } : { ...head, value: u > 0 ? 1 : 0 }
    })
  },
}

function sign(verdict: boolean | null): Sign {
  return verdict === null ? 0 : verdict ? 1 : -1
}
