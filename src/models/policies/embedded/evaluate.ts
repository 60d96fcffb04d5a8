import { GradusError } from '../../../core/errors.ts'
import type { Task } from '../../../worlds/tasks/task.ts'
import type { EmbeddedModel } from './model.ts'
import { heldOutProblems, renderPrompt } from './recipes.ts'

/** How often a policy solves unseen problems of a level. */
export interface PassRates {
  task: string
  level: number
  problems: number
  /** Samples a problem. */
  samples: number
  /** Share of right samples, and its standard error over problems. */
  passAt1: number
  standardError: number
  /** Share of problems with a right sample among `samples`. */
  passAtN: number
  /** Share of samples without an answer. */
  noAnswer: number
}

/** Samples whole solutions of held-out problems at temperature 1 and checks their answers. */
export async function passRates(
  model: Pick<EmbeddedModel, 'generate'>,
  task: Task,
  level: number,
  options: { seed: string; problems: number; samples: number; maxTokens: number; mark?: string | undefined },
): Promise<PassRates> {
  const { seed, samples, maxTokens, mark } = options
  const problems = heldOutProblems(task, level, seed, options.problems)
  if (problems.length === 0) throw new GradusError('GRD-CORE-001', { found: 'no problems to evaluate on' })
  const prompts = problems.map((problem) => `${renderPrompt(mark, problem)}\n`)
  const seeds = problems.flatMap((problem) => Array.from({ length: samples }, (_, i) => `${seed}/${problem.id}/${i}`))
  const written = await model.generate({ prompts, n: samples, maxTokens, seeds })
  let noAnswer = 0
  const rates = problems.map((problem, p) => {
    const right = written.slice(p * samples, (p + 1) * samples).filter(({ text }) => {
      const answer = task.answerOf(text.split('\n'))
      if (answer === null) noAnswer++
      return answer !== null && task.check(problem, answer)
    })
    return right.length / samples
  })
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / Math.max(1, rates.length - 1)
  return {
    task: task.name,
    level,
    problems: problems.length,
    samples,
    passAt1: mean,
    standardError: Math.sqrt(variance / rates.length),
    passAtN: rates.filter((rate) => rate > 0).length / rates.length,
    noAnswer: noAnswer / written.length,
  }
}
