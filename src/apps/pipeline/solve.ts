import { GradusError } from '../../core/errors.ts'
import type { Problem } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import { type SolveOptions, searchContext } from '../../improve/search/context.ts'
import { type Search, type Solution, solveWith } from '../../improve/search/search.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { judged } from './outcome.ts'

export interface SolveProblemsOptions extends Omit<SolveOptions, 'problem' | 'pool'> {
  engine: Engine
  search: Search
  /** Options of the search. */
  settings?: unknown
  /** May code of answers be run against tests? */
  code?: boolean
}

/** A problem with what a search found, or why it found nothing. */
export type Solved =
  | {
      ok: true
      problem: Problem
      solution: Solution
      /** Is the answer right? null = nothing here can tell. The search did not know. */
      right: boolean | null
    }
  | { ok: false; problem: Problem; error: GradusError }

/**
 * A search on each problem, several at a time, in order. Once the engine stops no problem is begun; what a search has
 * found when the budget of the run ends is kept as its solution, when the run is interrupted it is not.
 */
export function solveProblems(
  problems: Iterable<Problem>,
  { engine, search, settings, code = false, ...options }: SolveProblemsOptions,
): AsyncGenerator<Solved, void, void> {
  return engine.each(problems, async (problem): Promise<Solved> => {
    try {
      const solution = await solveWith(search, searchContext({ ...options, problem }), settings)
      const { stopped } = engine
      if (stopped?.code === 'GRD-RUN-002') return { ok: false, problem, error: stopped }
      const found = stopped ? { ...solution, outOfBudget: true } : solution
      return { ok: true, problem, solution: found, right: await isRight(problem, found, code) }
    } catch (error) {
      if (error instanceof GradusError && error.code !== 'GRD-SEARCH-001') return { ok: false, problem, error }
      throw error
    }
  })
}

async function isRight(
  problem: Problem,
  { answer, chosen, candidates }: Solution,
  code: boolean,
): Promise<boolean | null> {
  const task = taskOf(problem)
  if (task) return answer !== null && task.check(problem, answer)
  const trace = candidates[chosen ?? -1]?.trace
  const outcome = trace ? (await judged(trace, code)).outcome : problem.answer === undefined ? undefined : 0
  return outcome === undefined ? null : outcome >= 0.5
}
