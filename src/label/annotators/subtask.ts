import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Evidence } from '../../core/words.ts'
import { factsOf, numberText, sameValue } from '../facts.ts'
import type { Annotator } from './annotator.ts'

const Options = z.object({
  size: z.number().int().min(1).default(3).describe('reference steps of a subtask'),
})

/** Consecutive steps of a reference solution with an answer of their own. */
export interface Subtask {
  /** Reference steps `[from, to)`. */
  from: number
  to: number
  steps: string[]
  /** What the last calculation gives. */
  answer: number
}

/**
 * Cuts a reference solution into subtasks of `size` steps whose answers can be checked, in order.
 *
 * Steps that calculate nothing go with the next subtask, so a subtask may be longer; a rest without a calculation belongs
 * to none.
 */
export function subtasksOf(reference: readonly string[], size: number): Subtask[] {
  const subtasks: Subtask[] = []
  let from = 0
  let calculated = 0
  let answer: number | null = null
  reference.forEach((text, step) => {
    const value = factsOf(text).at(-1)?.value
    if (value === undefined) return
    answer = value
    calculated++
    const isLast = step === reference.length - 1
    if (calculated < size && !isLast) return
    subtasks.push({ from, to: step + 1, steps: reference.slice(from, step + 1), answer })
    from = step + 1
    calculated = 0
    answer = null
  })
  if (answer !== null) subtasks.push({ from, to: reference.length, steps: reference.slice(from), answer })
  return subtasks
}

/**
 * Outcome supervision by parts: which subtasks of the reference does a solution get right, and where does it leave them?
 *
 * Steps up to the one that states a subtask's answer are right. When the next answer is never stated, the error is
 * somewhere after: those steps are `unknown`, unless a single step is left for a subtask of one step, which is wrong. A value that is
 * stated by chance counts, so long subtasks and small numbers mislead.
 * @see papers/hard-task-supervision.md
 */
export const subtask: Annotator = {
  name: 'subtask',
  summary: "checks the answers of the reference's subtasks, in order",
  paper: 'hard-task-supervision',
  options: Options,
  needs: ['reference'],
  rule: 'alignment',
  runsCode: false,
  applies: (trace) => trace.steps.length > 0 && subtasksOf(trace.problem.solution ?? [], 1).length > 0,
  refuses({ problem }) {
    if (subtasksOf(problem.solution ?? [], 1).length > 0) return null
    return new GradusError('GRD-LABEL-004', {
      found: problem.solution ? 'a reference solution that calculates nothing' : 'no reference solution',
      expected: 'a problem with `solution`, a list of reference steps with calculations',
    })
  },
  async annotate(trace, _context, options): Promise<Evidence[]> {
    const subtasks = subtasksOf(trace.problem.solution ?? [], Options.parse(options ?? {}).size)
    const values = trace.steps.map((step) => factsOf(step.text).map((fact) => fact.value))
    const evidence: Evidence[] = []
    const say = (
      step: number,
      reference: number | null,
      verdict: 'correct' | 'incorrect' | 'unknown',
      reason: string,
    ) => evidence.push({ kind: 'alignment', source: subtask.name, step, reference, verdict, reason })
    let from = 0
    for (const { steps, to, answer } of subtasks) {
      const at = values.findIndex((said, step) => step >= from && said.some((value) => sameValue(value, answer)))
      if (at < 0) {
        const missed = `the answer ${numberText(answer)} of reference step ${to - 1} is never reached`
        const only = steps.length === 1 && from === trace.steps.length - 1
        for (let step = from; step < trace.steps.length; step++) {
          say(step, only ? to - 1 : null, only ? 'incorrect' : 'unknown', missed)
        }
        return evidence
      }
      for (let step = from; step <= at; step++)
        say(step, to - 1, 'correct', `leads to ${numberText(answer)} in step ${at}`)
      from = at + 1
    }
    return evidence
  },
}
