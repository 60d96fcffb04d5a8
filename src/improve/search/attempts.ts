import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Step, Usage } from '../../core/words.ts'
import { addUsage, NO_USAGE } from '../../core/words.ts'
import { rollout } from '../../engine/rollout.ts'
import { answered, type Candidate, withScores } from './candidates.ts'
import { examined } from './choice.ts'
import type { Purse } from './purse.ts'
import type { SearchContext } from './search.ts'

/** A line to write on, as the policy sees it and as it counts. */
export interface Attempt {
  /** What the policy reads. */
  prompt: readonly Step[]
  /** What stands before its words in the finished attempt. */
  prefix: readonly Step[]
  /** Number of the sample of the prompt. */
  sample: number
  /** Kept under `extra` of the trace. */
  about: Record<string, unknown>
}

/** Attempts written to the end, scored and looked at by the veto; null where the call failed or the budget ended. */
export async function attempts(
  context: SearchContext,
  purse: Purse,
  wanted: readonly Attempt[],
): Promise<(Candidate | null)[]> {
  const out: (Candidate | null)[] = []
  while (out.length < wanted.length) {
    const granted = purse.grant(wanted.length - out.length)
    if (granted === 0) break
    const block = wanted.slice(out.length, out.length + granted)
    const written = await Promise.all(block.map((attempt) => write(context, attempt)))
    out.push(...(await scored(context, purse, written)))
  }
  return [...out, ...wanted.slice(out.length).map(() => null)]
}

interface Written {
  candidate: Candidate | null
  usage: Usage
}

async function write(context: SearchContext, { prompt, prefix, sample, about }: Attempt): Promise<Written> {
  const { problem, policy, signal } = context
  const maxSteps = context.maxSteps + prompt.length - prefix.length
  const done = await rollout({ problem, policy, prefix: prompt, sample, maxSteps, ...(signal && { signal }) })
  if (!done.ok) return { candidate: null, usage: done.usage }
  const steps = [...prefix, ...done.trace.steps.slice(prompt.length)]
  const extra = { ...done.trace.extra, ...about }
  const trace = answered({ ...done.trace, steps, extra }, context.answerOf)
  return { candidate: { trace, scores: [], score: null }, usage: done.trace.usage ?? NO_USAGE }
}

async function scored(
  context: SearchContext,
  purse: Purse,
  written: readonly Written[],
): Promise<(Candidate | null)[]> {
  const { problem, reward, signal } = context
  const lines = written.flatMap(({ candidate }) => (candidate ? [{ problem, steps: candidate.trace.steps }] : []))
  const said = reward && lines.length > 0 ? await reward.score(lines, signal) : []
  let at = 0
  const all = written.map(({ candidate, usage }) => {
    const one = candidate ? said[at++] : undefined
    purse.pay(one ? addUsage(usage, one.usage) : usage)
    if (!candidate || !one || !reward) return candidate
    return withScores(candidate, one, context.aggregate ?? reward.aggregate)
  })
  const looked = await examined(
    all.filter((candidate) => candidate !== null),
    context,
  )
  let seen = 0
  return all.map((candidate) => candidate && looked[seen++]!)
}

export const thresholdOption = (says: string) =>
  z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(`a step with a lower score ${says}; the reward model's own threshold where not given, else .5`)

export function thresholdOf(given: number | undefined, { reward }: SearchContext): number {
  return given ?? reward?.threshold ?? 0.5
}

/** The first step that the reward model holds for wrong or the veto refutes, from 0; null where there is none. */
export function firstDoubted({ scores, refuted }: Candidate, threshold: number): number | null {
  const low = scores.findIndex((score) => score !== null && score < threshold)
  if (refuted === undefined) return low < 0 ? null : low
  return low < 0 ? refuted : Math.min(low, refuted)
}

/**
 * The words for a doubted step, or null where nobody has better ones.
 * @returns null also for words that only repeat the step
 */
export async function corrected(
  { problem, correct, signal }: SearchContext,
  purse: Purse,
  steps: readonly Step[],
): Promise<Step | null> {
  const doubted = steps.at(-1)
  if (!correct || !doubted) return null
  try {
    const { text, usage } = await correct({ problem, steps }, signal)
    purse.add(usage)
    const plain = (s: string): string => s.replace(/\s+/g, ' ').trim()
    if (text === null || plain(text) === '' || plain(text) === plain(doubted.text)) return null
    return { text, kind: doubted.kind }
  } catch (error) {
    // Without better words the policy tries again by itself.
    if (error instanceof GradusError && !error.code.startsWith('GRD-RUN-')) return null
    throw error
  }
}
