import { z } from 'zod'
import type { Method } from '../../core/method.ts'
import type { Random } from '../../core/seeds.ts'
import type { Problem } from '../../core/words.ts'

/** What is exactly true of one step, given the steps before it. */
export interface StepTruth {
  /** Is this step right in itself, given what stands before it (a consistent continuation of a wrong line is right)? */
  correct: boolean
  /** Chance in [0, 1] that a run continued after this step by the reference completer ends right; null = not known. */
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

/** How the reference completer errs and repairs. */
export interface CompleterOptions {
  /** Chance in [0, 0.9] that a step is wrong. */
  slip: number
  /** Chance in [0, 1] that a wrong step is noticed right after it and restated by a `fix` line. */
  recovery: number
}

/** The options of a task: its own defaults for the reference completer. */
export function completerOptions(defaults: CompleterOptions) {
  return z.object({
    slip: z.number().min(0).max(0.9).default(defaults.slip).describe('chance that a step of the completer is wrong'),
    recovery: z.number().min(0).max(1).default(defaults.recovery).describe('chance that a wrong step is restated'),
  })
}

/**
 * A family of problems with an exact answer check, an exact step oracle, error injection and a reference completer.
 *
 * Problems carry everything in `prompt` and `context`, so that a problem read back from a file checks the same way:
 * no method needs other state, and `problem.answer` is never read. GradusError GRD-WORLD-001 for a problem that is not
 * of this task, GRD-WORLD-002 for a level that there is not, GRD-CLI-002 for options out of range; no step text,
 * however broken, makes any method throw.
 */
export interface Task extends Method {
  options: ReturnType<typeof completerOptions>
  /** Difficulty levels, easiest first; each says in a clause what makes it harder. */
  levels: readonly string[]
  /** Longest prompt + solution of each level in characters, one line break after the prompt and after each step. */
  maxLength: readonly number[]
  /** Kinds of error that `inject` can put in and the completer makes. */
  errorKinds: readonly string[]
  /** n problems of a level (index into `levels`); problem i depends on seed, level and i alone. Solutions included. */
  generate(seed: string, level: number, n: number): Problem[]
  /** Is the final answer right? */
  check(problem: Problem, answer: string): boolean
  /** The answer that a list of steps states, or null. */
  answerOf(steps: readonly string[]): string | null
  /** One truth a step; values are those of the completer with these options. */
  oracle(problem: Problem, steps: readonly string[], options?: Partial<CompleterOptions>): StepTruth[]
  /** Puts an error of a kind at a step (from 0) of the problem's own solution; null where that is not possible. */
  inject(problem: Problem, kind: string, step: number, seed: string): Injected | null
  /**
   * The reference completer, a free simulated policy: goes on from any prefix and returns the steps that it adds; the
   * first of them is a sample of the next step.
   *
   * Each step is wrong with probability `slip` (a kind of error at random); after a wrong step, its own or the
   * prefix's, it restates that step with probability `recovery`. A slip never mends an earlier error by luck and is
   * never harmless, so that the chance of success is known exactly.
   */
  complete(problem: Problem, prefix: readonly string[], random: Random, options?: Partial<CompleterOptions>): string[]
}
