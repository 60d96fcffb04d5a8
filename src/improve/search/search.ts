import type { Method } from '../../core/method.ts'
import type { TreeJson } from '../../core/tree.ts'
import type { Problem, Step, Trace, Usage } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import type { StepTool } from '../../label/annotators/annotator.ts'
import type { AggregatorName } from '../../models/rewards/aggregators.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import type { CandidatePool } from './candidates.ts'

/** One finished attempt at the problem, with what its scores are. */
export interface Candidate {
  /** Steps, answer and usage; `source.generator` is the policy. */
  trace: Trace
  /** One a step; empty where no reward model looked. */
  scores: (number | null)[]
  /** The aggregate; null = cannot say, which never wins against a number. */
  score: number | null
}

/** What a search may spend; the first limit that is reached ends it with what it has. */
export interface SearchBudget {
  /** Prompt and completion tokens of the policy and of the reward model together. */
  tokens?: number
  /** Calls of the policy. */
  calls?: number
}

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
  /** Do two answers say the same? */
  same(a: string, b: string): boolean
  budget: SearchBudget
  /** Names every random choice. */
  seed: string
  /** Whole samples of the policy with their scores, shared by every search on the same problem. */
  pool: CandidatePool
  signal?: AbortSignal
}

/** What a search tells while it works. */
export type SearchEvent =
  | { kind: 'candidate'; candidate: Candidate }
  /** A step was added to the tree. `score` of the step by the reward model. */
  | { kind: 'step'; depth: number; step: Step; score: number | null; kept: boolean }

export interface Solution {
  /** null = no candidate states one. */
  answer: string | null
  /** Number of the chosen one among `candidates`; null = none. */
  chosen: number | null
  /** In the order in which they were finished. */
  candidates: Candidate[]
  /** What was explored, where the method explores a tree. */
  tree: TreeJson | null
  /** Of the policy and the reward model, as if nothing had been cached or shared: searches are compared at equal usage. */
  usage: Usage
  /** Did the budget end it? */
  outOfBudget: boolean
}

/** A way to spend samples and scores on a better answer. */
export interface Search extends Method {
  needs: readonly ('reward' | 'veto')[]
  /**
   * Yields what it does, returns what it found.
   * @param options as `options` has them, defaults where left out
   * @throws GradusError GRD-SEARCH-* for settings that cannot be; what was found before a budget ended is returned
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
