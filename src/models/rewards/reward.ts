import type { GradusError } from '../../core/errors.ts'
import type { Evidence, Meaning, Problem, Step, Usage } from '../../core/words.ts'
import type { AggregatorName } from './aggregators.ts'

/** What a reward model looks at: a problem and the steps so far, finished or not. */
export interface Line {
  problem: Problem
  steps: readonly Step[]
  /** What tools and judges saw of these very steps, for models that look at it. */
  evidence?: readonly Evidence[]
}

export type Scored =
  | {
      ok: true
      /** One a step, each in [0, 1] and having seen nothing after its own step; null = cannot say. */
      scores: (number | null)[]
      /** What stands behind the scores, where the model says more than numbers (a judge's words). */
      evidence?: Evidence[]
      usage: Usage
    }
  | { ok: false; error: GradusError; usage: Usage }

/**
 * Scores the steps of lines of reasoning. It knows nothing of labels, outcomes or evidence stores.
 *
 * A model of outcomes is one too: the score of its last step is that of the whole, earlier ones are of the prefixes.
 */
export interface RewardModel {
  /** For people and for `source`. */
  name: string
  /** What decides the scores apart from the lines; JSON, part of cache keys. */
  identity: unknown
  /** What a step's score says: P(the step is right), or P(a run from here ends right). */
  meaning: Extract<Meaning, 'correctness' | 'value'>
  /** How its step scores become one score of the whole, unless somebody says otherwise. */
  aggregate: AggregatorName
  /** A step that scores below it counts as wrong, where somebody chose it on labelled traces. */
  threshold?: number
  /**
   * Scores of each line, in order; several lines are cheaper together. A line that cannot be scored says why and does
   * not stop the others.
   */
  score(lines: readonly Line[], signal?: AbortSignal): Promise<Scored[]>
  /** Frees what it holds; it cannot be used afterwards. */
  dispose?(): void
}
