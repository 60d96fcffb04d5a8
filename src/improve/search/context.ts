import type { Problem, Step } from '../../core/words.ts'
import { equal, extractAnswer, statesAnswer } from '../../worlds/answers/equal.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { CandidatePool } from './candidates.ts'
import type { Search, SearchContext, SearchEvent, Solution } from './search.ts'

/**
 * What a search is given; what is left out follows from the problem: answers are read by the built-in task that it
 * belongs to and are the same where their text is, or as the text marks them and where they are shown to be equal. No
 * budget is no limit, the seed is `0`, a line has 200 steps at most.
 */
export type SolveOptions = Partial<SearchContext> & Pick<SearchContext, 'problem' | 'policy'>

/** Longer than any run of the built-in tasks and most agent benchmarks. */
const MAX_STEPS = 200

/** Everything that a search needs. Pass the same `pool` to several searches and they share their whole samples. */
export function searchContext(options: SolveOptions): SearchContext {
  const { budget = {}, seed = '0', maxSteps = MAX_STEPS, pool, ...rest } = options
  const shared = { ...answersOf(options.problem), ...endedBy(options), ...rest, maxSteps }
  return { ...shared, budget, seed, pool: pool ?? new CandidatePool(shared) }
}

/** Who says how an answer is read says when a line ends, too. */
function endedBy({ answerOf }: SolveOptions): Partial<SearchContext> {
  return answerOf ? { ended: (steps) => answerOf(steps) !== null } : {}
}

/** A search as an async iterator: what it does, and at last what it found. */
export async function* solve(
  search: Search,
  options: SolveOptions,
  settings?: unknown,
): AsyncGenerator<SearchEvent | { kind: 'solution'; solution: Solution }, void, void> {
  const solution = yield* search.solve(searchContext(options), settings)
  yield { kind: 'solution', solution }
}

/** How answers of a problem are read and compared where nobody says. */
export function answersOf(problem: Problem): Pick<SearchContext, 'answerOf' | 'ended' | 'same'> {
  const task = taskOf(problem)
  if (task) {
    const answerOf = (steps: readonly Step[]): string | null => task.answerOf(textsOf(steps))
    return { answerOf, ended: (steps) => answerOf(steps) !== null, same: (a, b) => a.trim() === b.trim() }
  }
  return {
    answerOf: (steps) => extractAnswer(textsOf(steps).join('\n\n')),
    ended: (steps) => statesAnswer(steps.at(-1)?.text ?? ''),
    same: (a, b) => equal(a, b).verdict === 'equal',
  }
}

const textsOf = (steps: readonly Step[]): string[] => steps.map((step) => step.text)
