import type { Method } from '../../core/method.ts'
import type { Problem } from '../../core/words.ts'

/** What is exactly true of one step, given the steps before it. */
export interface StepTruth {
  /** Is this step right in itself, given what stands before it (a consistent continuation of a wrong line is right)? */
  correct: boolean
  /**
   * Chance in [0, 1] that a run continued from here by the task's reference completer ends right; null where it cannot
   * be enumerated.
   */
  value: number | null
}

/** An error put into a right solution on purpose. */
export interface Injected {
  /** The steps up to and with the wrong one, then the consequences as a careful writer would go on. */
  steps: string[]
  /** Index of the wrong step, from 0. */
  firstError: number
  kind: string
}

/**
 * A family of problems with an exact answer check, an exact step oracle and error injection.
 *
 * Problems carry everything in `prompt` and `answer`, so that a problem read back from a file checks the same way:
 * `check`, `oracle` and `inject` parse the prompt and need no other state.
 */
export interface Task extends Method {
  /** Difficulty levels, easiest first; each says in a clause what makes it harder. */
  levels: readonly string[]
  /** Kinds of error that `inject` can put in. */
  errorKinds: readonly string[]
  /** n problems of a level (index into `levels`); problem i depends on seed, level and i alone. Solutions included. */
  generate(seed: string, level: number, n: number): Problem[]
  /** Is the final answer right? */
  check(problem: Problem, answer: string): boolean
  /** The answer that a list of steps states, or null. */
  answerOf(steps: readonly string[]): string | null
  /** One truth a step. */
  oracle(problem: Problem, steps: readonly string[]): StepTruth[]
  /** Puts an error of a kind at a step (from 0) of the problem's own solution; null where that is not possible. */
  inject(problem: Problem, kind: string, step: number, seed: string): Injected | null
}
