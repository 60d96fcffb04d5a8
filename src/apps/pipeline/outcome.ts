import { GradusError } from '../../core/errors.ts'
import type { Problem, Trace } from '../../core/words.ts'
import type { OutcomeCheck } from '../../engine/rollout.ts'
import { equal, extractAnswer } from '../../worlds/answers/equal.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import { cellsOf } from '../../worlds/verifiers/code-cells.ts'
import { runPythonCells } from '../../worlds/verifiers/python-cells.ts'

/** The built-in task that the problem belongs to, by its `domain` and by being readable as a problem of it. */
export function taskOf(problem: Problem): OutcomeCheck | undefined {
  const task = TASKS.find(({ name }) => name === problem.domain)
  try {
    task?.check(problem, '')
    return task
  } catch (error) {
    if (error instanceof GradusError) return undefined
    throw error
  }
}

/**
 * The trace with what can be said of its end: by the task's own check (already done), else by unit tests, else by
 * equality with the problem's answer. Where neither decides, there is no outcome.
 * @param code may the code of the trace be run? Only an isolating sandbox is used.
 */
export async function judged(trace: Trace, code: boolean): Promise<Trace> {
  if (trace.outcome !== undefined) return trace
  const tests = (trace.problem.context ?? []).flatMap((c) => (c.kind === 'tests' && c.language === 'python' ? [c] : []))
  if (tests.length > 0) {
    const outcome = code ? await passes(trace, tests.map((t) => t.code).join('\n')) : undefined
    return outcome === undefined ? trace : { ...trace, outcome }
  }
  const answer = trace.answer ?? extractAnswer(trace.steps.map((step) => step.text).join('\n\n')) ?? undefined
  const stated = answer === undefined ? trace : { ...trace, answer }
  if (trace.problem.answer === undefined) return stated
  if (answer === undefined) return { ...stated, outcome: 0 }
  const { verdict } = equal(answer, trace.problem.answer)
  return verdict === 'unknown' ? stated : { ...stated, outcome: verdict === 'equal' ? 1 : 0 }
}

/** 1 where the code of the trace passes the tests, 0 where it does not, undefined where nothing here can tell. */
async function passes(trace: Trace, tests: string): Promise<number | undefined> {
  const cells = cellsOf(trace, 'python', true).map((cell) => cell.code)
  if (cells.length === 0) return 0
  try {
    const ran = await runPythonCells(cells, tests, { allowLocal: false })
    if (ran.tests?.state === 'passed') return 1
    return ran.tests?.state === 'failed' || ran.cells.some((cell) => cell.state === 'failed') ? 0 : undefined
  } catch (error) {
    if (error instanceof GradusError && error.code.startsWith('GRD-BOX-')) return undefined
    throw error
  }
}
