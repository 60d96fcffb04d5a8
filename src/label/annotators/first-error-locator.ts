import { z } from 'zod'
import type { Evidence, Trace } from '../../core/words.ts'
import { locator } from '../first-error-locator.ts'
import { recoveryPrior } from '../recovery-rate.ts'
import { type Annotator, policyOf } from './annotator.ts'
import { addCounts, type Counted, countRollouts, rolloutEvidence } from './rollout-counts.ts'

const Options = z.object({
  k: z.number().int().min(1).default(8).describe('rollouts from one prefix, at most'),
  root: z.number().int().min(0).default(8).describe('rollouts from the start'),
  batch: z.number().int().min(1).default(1).describe('rollouts between two decisions; more wait less at a server'),
  confidence: z.number().min(0.5).max(1).default(0.95).describe('stop when one step is the first wrong one with it'),
  recovery: z.number().min(0).max(1).default(0).describe('measured chance that a wrong prefix still ends right'),
  rollouts: z.number().int().min(1).default(200).describe('rollouts for one trace, at most'),
  keep: z.number().int().min(0).default(1).describe('completions kept for each prefix'),
})

/** Trials that a stated recovery rate is taken to rest on; as many as `recoveryPrior` ever trusts. */
const STATED_TRIALS = 100

/**
 * Rollouts only where they tell most about the first wrong step of a trace that ended wrong (noisy bisection).
 *
 * A trace that ended right or has one step gets its outcome as evidence about its last step and no rollout. The rule
 * `first-error-posterior` reads the evidence with the same recovery rate.
 */
export const firstErrorLocator: Annotator = {
  name: 'first-error-locator',
  summary: 'rollouts where they tell most about the first wrong step',
  options: Options,
  needs: ['policy', 'answer'],
  rule: 'first-error-posterior',
  runsCode: false,
  applies: (trace) => trace.steps.length > 0,
  expect: (trace, options) => {
    const { k, root, rollouts } = Options.parse(options ?? {})
    return { rollouts: Math.min(rollouts, root + k * (trace.steps.length - 1)) }
  },
  async annotate(trace: Trace, context, options): Promise<Evidence[]> {
    const { k, root, batch, confidence, recovery, rollouts: budget, keep } = Options.parse(options ?? {})
    const counting = { ...policyOf(context), problem: trace.problem }
    const steps = trace.steps.length
    const whole = await countRollouts(counting, trace.steps, { from: 0, count: 1 })
    const seen = new Map<number, Counted>([[steps, whole]])
    if (whole.successes === 0 && steps > 1) {
      const search = locator({
        steps,
        recovery: recoveryPrior(recovery * STATED_TRIALS, STATED_TRIALS),
        confidence,
        perStep: k,
      })
      let spent = 0
      const look = async (length: number, count: number): Promise<number> => {
        const before = seen.get(length)
        const from = before ? before.trials + before.unfinished + before.failed : 0
        const counted = await countRollouts(counting, trace.steps.slice(0, length), { from, count })
        seen.set(length, before ? addCounts(before, counted) : counted)
        search.observe(length, counted.successes, counted.trials)
        spent += count
        return counted.trials
      }
      if (root > 0) await look(0, root)
      for (let length = search.next(); length !== null && spent < budget; length = search.next()) {
        // a prefix whose rollouts all fail or are cut off would be asked for again and again
        if ((await look(length, Math.min(batch, budget - spent))) === 0) break
      }
    }
    return [...seen]
      .sort(([a], [b]) => a - b)
      .flatMap(([length, counted]) => rolloutEvidence(firstErrorLocator.name, length, counted, keep) ?? [])
  },
}
