import { z } from 'zod'
import type { Evidence, Trace } from '../../core/words.ts'
import { type Annotator, policyOf } from './annotator.ts'
import { type Counted, countRollouts, rolloutEvidence } from './rollout-counts.ts'

const Options = z.object({
  k: z.number().int().min(1).default(8).describe('rollouts from each step'),
  dynamicK: z.boolean().default(false).describe('128, 64 or 32 rollouts by the chance at the start (GenPRM)'),
  keep: z.number().int().min(0).default(1).describe('completions kept for each step'),
  maxSteps: z.number().int().min(1).default(200).describe('steps of a rollout, prefix included'),
})

/**
 * k rollouts from the start and from each step: how many still end right.
 *
 * A step that states the answer is checked instead of continued. Rollouts that are cut off or fail count neither way.
 * @see papers/prm-lessons.md, papers/genprm.md
 */
export const monteCarlo: Annotator = {
  name: 'monte-carlo',
  summary: 'rollouts from every step: k of n still end right',
  paper: 'prm-lessons',
  options: Options,
  needs: ['policy', 'answer'],
  rule: 'hard',
  runsCode: false,
  applies: (trace) => trace.steps.length > 0,
  expect: (trace, options) => {
    const { k, dynamicK: dynamic } = Options.parse(options ?? {})
    return { rollouts: (dynamic ? 128 : k) * (trace.steps.length + 1) }
  },
  async annotate(trace: Trace, context, options): Promise<Evidence[]> {
    const { k, dynamicK: dynamic, keep, maxSteps } = Options.parse(options ?? {})
    const counting = { ...policyOf(context), problem: trace.problem, maxSteps }
    const look = async (length: number, count: number): Promise<Counted> =>
      await countRollouts(counting, trace.steps.slice(0, length), { from: 0, count })
    const first = dynamic ? await look(0, k) : null
    const count = first ? dynamicK(first.trials === 0 ? 0 : first.successes / first.trials) : k
    // All prefixes at once: a server that answers slowly is waited for once a trace.
    const counts = await Promise.all(
      Array.from({ length: trace.steps.length + 1 }, async (_, length) =>
        length === 0 && first ? first : await look(length, count),
      ),
    )
    return counts.flatMap((counted, length) => rolloutEvidence(monteCarlo.name, length, counted, keep) ?? [])
  },
}

/** Rollouts a step by the estimated chance of success at the start (GenPRM section 3.1, papers/genprm.md). */
export function dynamicK(startRate: number): number {
  return startRate < 0.1 ? 128 : startRate < 0.9 ? 64 : 32
}
