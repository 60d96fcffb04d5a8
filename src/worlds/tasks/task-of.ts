import { GradusError } from '../../core/errors.ts'
import type { Problem } from '../../core/words.ts'
import { TASKS } from './index.ts'
import type { Task } from './task.ts'

/** The built-in task that the problem belongs to, by its `domain` and by being readable as a problem of it. */
export function taskOf(problem: Problem): Task | undefined {
  const task = TASKS.find(({ name }) => name === problem.domain)
  return task && isOf(task, problem) ? task : undefined
}

/** Can the task read the problem as one of its own? */
export function isOf(task: Task, problem: Problem): boolean {
  try {
    task.check(problem, '')
    return true
  } catch (error) {
    if (error instanceof GradusError && error.code === 'GRD-WORLD-001') return false
    throw error
  }
}
