import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Method } from '../../core/method.ts'

/** A step as credit sees it. */
export interface CreditStep {
  /** What the policy wrote; attempts with equal steps so far share a state. */
  text: string
  /** Tokens that the policy wrote in it; 0 = it comes from the environment, and gets no advantage. */
  tokens: number
  /** P(the step is right) in [0, 1]; null = cannot say. */
  score: number | null
  /** P(a run goes on from after the step to a right end) in [0, 1]; null = cannot say. */
  value: number | null
  /** log p of each of its tokens by the policy that wrote it, natural logarithm. */
  logprobs?: readonly number[]
  /** The same by the reference policy. */
  reference?: readonly number[]
  /** The state after it, in words; attempts in the same state can be compared. Default: all texts so far. */
  state?: string
}

/** One attempt at a problem. */
export interface Attempt {
  id: string
  /** Success in [0, 1]; null = unknown, so that it teaches nothing. */
  outcome: number | null
  /** P(a run from the start ends right); null = cannot say. */
  startValue: number | null
  steps: readonly CreditStep[]
}

/**
 * Why an attempt teaches nothing, or less than it could:
 * - `no-outcome`: it has none; all its advantages are 0
 * - `dead-group`: all outcomes of the group are equal, so that outcomes say nothing about it
 * - `unscored`: what the method reads of steps is missing for some of them, which have no part of that kind
 */
export type CreditFlag = 'no-outcome' | 'dead-group' | 'unscored'

export interface Credited {
  /** One a step; 0 where the policy did not write it. */
  advantages: number[]
  /** What each is the sum of, by name, one a step. */
  parts: Record<string, number[]>
  /** One list a step, one number a token, where the method tells tokens of a step apart. */
  tokens?: number[][]
  flags: CreditFlag[]
}

/** What a method reads beyond outcomes. */
export type CreditNeed = 'scores' | 'values' | 'reference'

/**
 * A pure function from a group of attempts at one problem to the advantage of every step: what a policy gradient
 * multiplies the gradient of the step's log-probability with.
 */
export interface Credit extends Method {
  needs: readonly CreditNeed[]
  /**
   * @param options as `options` has them, defaults where left out
   * @throws GradusError GRD-CORE-001 for attempts that cannot be (an outcome outside [0, 1], log-probabilities of
   * other tokens than the step's)
   */
  credit(group: readonly Attempt[], options?: unknown): Credited[]
}

/** How outcomes become advantages; part of most methods. */
export const OutcomeOptions = {
  baseline: z
    .enum(['group', 'leave-one-out', 'none'])
    .default('group')
    .describe('what an outcome is compared with: the mean of the group, of the others, or nothing (group)'),
  scale: z
    .enum(['std', 'none'])
    .default('std')
    .describe('divide by the standard deviation of the group, as GRPO does, or not (std)'),
}
export type OutcomeSettings = { baseline: 'group' | 'leave-one-out' | 'none'; scale: 'std' | 'none' }

/** Added to a standard deviation of outcomes before dividing; as trainers of GRPO have it. */
const EPSILON = 1e-6

/** Is the group of no use to a comparison of outcomes? */
export function isDead(group: readonly Attempt[]): boolean {
  return new Set(group.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]))).size < 2
}

/**
 * The advantage of each attempt as a whole; 0 where it has no outcome.
 *
 * `std` divides by the sample standard deviation (n - 1) of the group's outcomes plus 1e-6, as verl and TRL do; with
 * `leave-one-out` each outcome is compared with the mean of the others.
 * @see papers/prorag.md, papers/prl.md
 */
export function outcomeAdvantages(group: readonly Attempt[], { baseline, scale }: OutcomeSettings): number[] {
  const known = group.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]))
  const sum = known.reduce((a, b) => a + b, 0)
  const mean = sum / known.length
  const n = known.length
  const spread = Math.sqrt(known.reduce((s, r) => s + (r - mean) ** 2, 0) / Math.max(1, n - 1))
  return group.map(({ outcome }) => {
    if (outcome === null) return 0
    const compared = baseline === 'none' ? 0 : baseline === 'group' ? mean : n > 1 ? (sum - outcome) / (n - 1) : outcome
    return (outcome - compared) / (scale === 'std' ? spread + EPSILON : 1)
  })
}

/** The outcome's part of every step, and whether outcomes say nothing about the group: what most methods begin with. */
export function outcomePart(
  group: readonly Attempt[],
  settings: OutcomeSettings,
): { outcome: number[][]; flags: CreditFlag[] } {
  const whole = outcomeAdvantages(group, settings)
  return {
    outcome: group.map(({ steps }, i) => steps.map(() => whole[i] ?? 0)),
    flags: settings.baseline !== 'none' && isDead(group) ? ['dead-group'] : [],
  }
}

/** `unscored` where a step of the policy has none of what the method reads: one value a step, null = none. */
export function unscoredFlag({ steps }: Attempt, read: readonly (number | null)[]): CreditFlag[] {
  return steps.some(({ tokens }, t) => tokens > 0 && (read[t] ?? null) === null) ? ['unscored'] : []
}

/** Adds up parts into what a method returns; steps of the environment and attempts without an outcome get 0. */
export function credited(
  attempt: Attempt,
  parts: Record<string, readonly number[]>,
  flags: readonly CreditFlag[],
): Credited {
  const mute = (values: readonly number[]): number[] =>
    attempt.steps.map(({ tokens }, t) => (tokens === 0 || attempt.outcome === null ? 0 : (values[t] ?? 0)))
  const own = Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, mute(values)]))
  return {
    advantages: attempt.steps.map((_, t) => Object.values(own).reduce((sum, values) => sum + (values[t] ?? 0), 0)),
    parts: own,
    flags: attempt.outcome === null ? ['no-outcome'] : [...flags],
  }
}

/** @throws GradusError GRD-CORE-001 */
export function checkGroup(group: readonly Attempt[]): void {
  const fail = (attempt: Attempt, found: string, expected: string): never => {
    throw new GradusError('GRD-CORE-001', { where: { field: attempt.id }, found, expected })
  }
  const inRange = (x: number | null): boolean => x === null || (x >= 0 && x <= 1)
  for (const attempt of group) {
    if (!inRange(attempt.outcome)) fail(attempt, `outcome ${attempt.outcome}`, '0 to 1, or null')
    if (!inRange(attempt.startValue)) fail(attempt, `start value ${attempt.startValue}`, '0 to 1, or null')
    for (const [t, { tokens, score, value, logprobs, reference }] of attempt.steps.entries()) {
      if (!(Number.isInteger(tokens) && tokens >= 0)) fail(attempt, `${tokens} tokens in step ${t}`, '0 or more')
      if (!inRange(score) || !inRange(value))
        fail(attempt, `score ${score}, value ${value} of step ${t}`, '0 to 1, or null')
      for (const list of [logprobs, reference]) {
        if (list && list.length !== tokens) {
          fail(attempt, `${list.length} log-probabilities for the ${tokens} tokens of step ${t}`, 'one a token')
        }
      }
    }
  }
}

/** Options after defaults. @throws GradusError GRD-CORE-001 that names the option */
export function creditOptions<O extends z.ZodObject>(method: string, schema: O, given: unknown): z.output<O> {
  const read = schema.safeParse(given ?? {})
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new GradusError('GRD-CORE-001', {
    where: { field: `${method}:${String(issue?.path[0] ?? '')}` },
    expected: issue?.message ?? 'another value',
  })
}
