import { z } from 'zod'
import type { Evidence, StepLabel } from '../../core/words.ts'
import { pooledRollouts, toolVerdicts } from './pooled.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  minSuccessRate: z.number().min(0).max(1).default(0).describe('a step counts as reachable above this share'),
  agree: z
    .enum(['step', 'first-error'])
    .default('step')
    .describe('on each step for itself, or on the first wrong step of the trace (else the trace has no label)'),
})

/**
 * Keeps a label only where rollouts and a judge agree on it; a tool stands in where no judge has spoken.
 *
 * Rollouts measure whether the run can still succeed, a judge whether the step is right; their agreement is a cleaner
 * sign of correctness than either. Steps on which they differ abstain with `sources-disagree`.
 * @see papers/prm-lessons.md (consensus filtering)
 */
export const consensus: LabelRule = {
  name: 'consensus',
  summary: 'rollouts and judge (or tool) agree, else no label',
  paper: 'prm-lessons',
  options: Options,
  apply(steps, evidence, options) {
    const { minSuccessRate, agree } = Options.parse(options)
    const rollouts = byRollouts(steps, evidence, minSuccessRate)
    const judge = byJudge(steps, evidence)
    if (agree === 'step') return rollouts.map((reached, step) => label(step, reached, judge[step] ?? null))
    const agreed = disagreement(rollouts, judge) === null
    const first = rollouts.indexOf(false)
    return rollouts.map((reached, step) => {
      if (!agreed) return abstain(step, 'sources-disagree')
      if (first >= 0 && step > first) return abstain(step, 'after-first-error')
      return label(step, reached, reached)
    })
  },
}

/** How two sources differ about the first wrong step: where it is, or whether there is one; null = they agree. */
export function disagreement(
  a: readonly (boolean | null)[],
  b: readonly (boolean | null)[],
): 'position' | 'existence' | null {
  const [first, second] = [a.indexOf(false), b.indexOf(false)]
  if (first === second) return null
  return first < 0 || second < 0 ? 'existence' : 'position'
}

function label(step: number, rollouts: boolean | null, judge: boolean | null): StepLabel {
  if (rollouts === null || judge === null) return abstain(step, 'no-evidence')
  if (rollouts !== judge) return abstain(step, 'sources-disagree')
  return { step, meaning: 'correctness', value: judge ? 1 : 0, source: consensus.name }
}

function abstain(step: number, reason: NonNullable<StepLabel['reason']>): StepLabel {
  return { step, meaning: 'correctness', value: null, reason, source: consensus.name }
}

function byRollouts(steps: number, evidence: readonly Evidence[], minSuccessRate: number): (boolean | null)[] {
  return pooledRollouts(steps, evidence).after.map((n) => n && n.successes / n.trials > minSuccessRate)
}

/** Most of the judgements that reached a verdict; one that could not be parsed says nothing, and so does a tie. */
function byJudge(steps: number, evidence: readonly Evidence[]): (boolean | null)[] {
  const tools = toolVerdicts(steps, evidence)
  return tools.map((tool, step) => {
    const verdicts = evidence.flatMap((e) =>
      e.kind === 'judgement' && e.step === step && e.verdict ? [e.verdict] : [],
    )
    if (verdicts.length === 0) return tool
    const wrong = verdicts.filter((v) => v === 'incorrect').length
    return 2 * wrong === verdicts.length ? null : 2 * wrong < verdicts.length
  })
}
