import { canonicalJson } from '../../core/hash.ts'
import type { Evidence, Problem, Step, Usage } from '../../core/words.ts'
import { addUsage, NO_USAGE } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter } from '../../engine/rollout.ts'
import { hasEnded, type Rollout, rollouts } from '../../engine/rollout.ts'
import { isUnfinished } from '../recovery-rate.ts'

/** Rollouts from one prefix, counted. */
export interface Counted {
  successes: number
  /** Rollouts that came to an end; those cut off or failed are in the other two. */
  trials: number
  /** Cut off before an answer, or with one that cannot be decided: no verdict, so never counted as wrong. */
  unfinished: number
  failed: number
  /** Steps that wrong and right rollouts added, in order of their numbers. */
  completions: { steps: Step[]; right: boolean; tokens: number }[]
  usage: Usage
}

export interface CountContext {
  problem: Problem
  policy: StepWriter
  check: OutcomeCheck
  spend(usage: Usage): void
  maxSteps?: number
  signal?: AbortSignal
}

/**
 * Rollouts `from` to `from + count - 1` of a prefix; a prefix that states an answer is checked, not continued.
 * @throws GradusError GRD-RUN-* when the run has ended (budget, Ctrl-C): counts that lack rollouts for that reason would
 * be taken for the last word; what was paid for is found again when the run is resumed
 */
export async function countRollouts(
  context: CountContext,
  prefix: readonly Step[],
  samples: { from: number; count: number },
): Promise<Counted> {
  const { problem, policy, check, spend, maxSteps, signal } = context
  const answered = hasEnded(check, prefix)
  const done = await rollouts(
    {
      problem,
      policy,
      prefix,
      verifier: check,
      ...(maxSteps !== undefined && { maxSteps }),
      ...(signal && { signal }),
    },
    answered ? { from: 0, count: 1 } : samples,
  )
  const counted: Counted = { successes: 0, trials: 0, unfinished: 0, failed: 0, completions: [], usage: NO_USAGE }
  for (const one of done) count(one, counted, prefix.length)
  spend(counted.usage)
  for (const one of done) if (!one.ok && one.error.code.startsWith('GRD-RUN-')) throw one.error
  return counted
}

function count(done: Rollout, into: Counted, prefix: number): void {
  const usage = (done.ok ? done.trace.usage : done.usage) ?? NO_USAGE
  into.usage = addUsage(into.usage, usage)
  if (!done.ok) into.failed++
  else if ((isUnfinished(done.end) && done.trace.answer === undefined) || done.trace.outcome === undefined)
    into.unfinished++
  else {
    const right = done.trace.outcome === 1
    into.trials++
    if (right) into.successes++
    into.completions.push({ steps: done.trace.steps.slice(prefix), right, tokens: usage.completionTokens })
  }
}

/** Adds up counts of the same prefix. */
export function addCounts(a: Counted, b: Counted): Counted {
  return {
    successes: a.successes + b.successes,
    trials: a.trials + b.trials,
    unfinished: a.unfinished + b.unfinished,
    failed: a.failed + b.failed,
    completions: [...a.completions, ...b.completions],
    usage: addUsage(a.usage, b.usage),
  }
}

/**
 * `k of n` as evidence about the last step of a prefix; null where no rollout came to an end. A prefix of length 0 is
 * evidence about step -1, the start.
 * @param keep completions kept at most
 */
export function rolloutEvidence(source: string, length: number, counted: Counted, keep: number): Evidence | null {
  const { successes, trials, completions, usage } = counted
  if (trials === 0) return null
  const texts = completions.slice(0, keep).map(({ steps }) => steps.map((step) => step.text).join('\n'))
  const kept = texts.length > 0 && texts.some((text) => text !== '')
  return { kind: 'rollouts', source, step: length - 1, successes, trials, ...(kept && { completions: texts }), usage }
}

/** What makes two steps the same in a tree: the text, and for a tool call what was called. */
export function keyOf(step: Step): string {
  return step.action ? `${step.text} ${canonicalJson(step.action)}` : step.text
}
