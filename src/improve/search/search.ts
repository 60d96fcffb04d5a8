import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Method } from '../../core/method.ts'
import type { TreeJson } from '../../core/tree.ts'
import type { Problem, Step, Usage } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import type { StepTool } from '../../label/annotators/annotator.ts'
import type { AggregatorName } from '../../models/rewards/aggregators.ts'
import type { Line, RewardModel } from '../../models/rewards/reward.ts'
import type { Candidate, CandidatePool } from './candidates.ts'
import type { SearchBudget } from './purse.ts'

export interface SearchContext {
  problem: Problem
  policy: StepWriter
  /** Present where the method needs `reward`. */
  reward?: RewardModel
  /** In place of the reward model's own. */
  aggregate?: AggregatorName
  /** Looks at each new step; one that it refutes is not followed. */
  veto?: StepTool
  /** The answer that steps state, or null. A search never learns whether an answer is right. */
  answerOf(steps: readonly Step[]): string | null
  /** Is nothing to be added to these steps? */
  ended(steps: readonly Step[]): boolean
  /** Do two answers say the same? */
  same(a: string, b: string): boolean
  /** What steps have come to, in words of the problem; lines of the same state are worth the same. */
  stateOf?(steps: readonly Step[]): string
  /** Rewrites a step that the reward model doubts, the last of the line; text null = it does not know better. */
  correct?(line: Line, signal?: AbortSignal): Promise<{ text: string | null; usage: Usage }>
  budget: SearchBudget
  /** Names every random choice. */
  seed: string
  /** Whole samples of the policy with their scores, shared by every search on the same problem. */
  pool: CandidatePool
  /** Steps of a line at most. */
  maxSteps: number
  signal?: AbortSignal
}

/** What a search tells while it works. */
export type SearchEvent =
  | { kind: 'candidate'; candidate: Candidate }
  /** A step was added to the tree. `score` of the step by the reward model. */
  | { kind: 'step'; depth: number; step: Step; score: number | null; kept: boolean }

/**
 * What did not go as asked.
 * - `dead-end`: no line that was kept states an answer; the best one that was not kept is taken instead
 * - `plain-sampling`: no line at all states an answer; whole samples were drawn instead
 * - `all-refuted`: the veto refutes every candidate, so that it decided nothing
 * - `unscored`: no candidate has a score, so that scores decided nothing
 */
export type SearchFlag = 'dead-end' | 'plain-sampling' | 'all-refuted' | 'unscored'

export interface Solution {
  /** null = no candidate states one. */
  answer: string | null
  /** Number of the chosen one among `candidates`; null = none. */
  chosen: number | null
  /** In the order in which they were finished. */
  candidates: Candidate[]
  /**
   * What was explored, where the method explores a tree. `visits` = how often a step was written, `trials` and
   * `successes` = how many scores it has and their sum, so that their quotient is the mean score.
   */
  tree: TreeJson | null
  /** Of the policy and the reward model, as if nothing had been cached or shared: searches are compared at equal usage. */
  usage: Usage
  /** Did the budget end it? */
  outOfBudget: boolean
  flags: SearchFlag[]
}

/** A way to spend samples and scores on a better answer. */
export interface Search extends Method {
  needs: readonly ('reward' | 'veto')[]
  /**
   * Yields what it does, returns what it found.
   * @param options as `options` has them, defaults where left out
   * @throws GradusError GRD-SEARCH-* for settings that cannot be, GRD-CALL-* and alike where nothing at all came back;
   * what was found before a budget ended is returned
   */
  solve(context: SearchContext, options?: unknown): AsyncGenerator<SearchEvent, Solution, void>
}

/** The solution without the events. */
export async function solveWith(search: Search, context: SearchContext, options?: unknown): Promise<Solution> {
  const steps = search.solve(context, options)
  for (;;) {
    const next = await steps.next()
    if (next.done) return next.value
  }
}

/**
 * Options of a search after defaults.
 * @throws GradusError GRD-SEARCH-001 that names the option
 */
export function settingsOf<O extends z.ZodObject>(search: string, schema: O, given: unknown): z.output<O> {
  const read = schema.safeParse(given ?? {})
  if (read.success) return read.data
  const issue = read.error.issues[0]
  const option = String(issue?.path[0] ?? '')
  const value =
    given !== null && typeof given === 'object' ? Object.entries(given).find(([key]) => key === option) : null
  throw refused(search, option, JSON.stringify(value?.[1]) ?? 'nothing', issue?.message ?? 'another value')
}

/** For settings that cannot be. */
export function refused(search: string, option: string, found: string, expected: string): GradusError {
  return new GradusError('GRD-SEARCH-001', {
    where: { field: `${search}:${option}` },
    found,
    expected,
    try: [`gradus methods ${search}`],
  })
}

/** @throws GradusError GRD-SEARCH-001 where there is none */
export function rewardOf(search: string, { reward }: SearchContext): RewardModel {
  if (reward) return reward
  throw refused(search, 'reward', 'no reward model', 'a reward model to compare by')
}

/** How many samples a method that compares needs at least. */
export const comparing = (fallback: number, says: string) =>
  z.number().int().min(2, 'at least 2: one alone cannot be compared').default(fallback).describe(says)
