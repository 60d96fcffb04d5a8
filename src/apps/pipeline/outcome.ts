import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import type { OutcomeCheck } from '../../engine/rollout.ts'
import { equal, extractAnswer, statesAnswer } from '../../worlds/answers/equal.ts'
import { cellsOf } from '../../worlds/verifiers/code-cells.ts'
import { runPythonCells } from '../../worlds/verifiers/python-cells.ts'

/** The end of a run of any problem with an answer: does it state an equal one? */
export const byAnswer: OutcomeCheck = {
  answerOf: (steps) => extractAnswer(steps.join('\n\n')),
  ended: (steps) => statesAnswer(steps.at(-1) ?? ''),
  check(problem, answer) {
    const verdict = problem.answer === undefined ? 'unknown' : equal(answer, problem.answer).verdict
    return verdict === 'unknown' ? null : verdict === 'equal'
  },
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
  const answer = trace.answer ?? byAnswer.answerOf(trace.steps.map((step) => step.text))
  const stated = answer === null ? trace : { ...trace, answer }
  if (trace.problem.answer === undefined) return stated
  const right = answer !== null && byAnswer.check(trace.problem, answer)
  return right === null ? stated : { ...stated, outcome: Number(right) }
}

/** A trace as its policy's file holds it: judged, and with the policy that wrote it. */
export async function sampledTrace(trace: Trace, policy: { identity: unknown }, code: boolean): Promise<Trace> {
  const { extra, ...known } = await judged(trace, code)
  return { ...known, extra: { ...extra, policy: policy.identity } }
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
