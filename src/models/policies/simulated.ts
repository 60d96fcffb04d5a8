import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { random } from '../../core/seeds.ts'
import type { Problem, Step } from '../../core/words.ts'
import { NO_USAGE } from '../../core/words.ts'
import type { StepWriter, Written } from '../../engine/rollout.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { Task } from '../../worlds/tasks/task.ts'
import { game24Random } from './game24-random.ts'
import type { Policy } from './policy.ts'
import { type TaskCompleterOptions, taskCompleter } from './task-completer.ts'

/** How a completer errs, recovers and is rescued. */
type Chances = Omit<TaskCompleterOptions, 'task' | 'seed'>

/**
 * The weak player of the Game of 24: no model, no calls, no usage.
 * @param seed name of the seed of every draw
 */
export function game24RandomPolicy(seed = '0'): Policy {
  const { name } = game24Random
  const identity = { rules: name, sampling: { seed } }
  const write = (problem: Problem, steps: readonly Step[], sample: number, single: boolean): Written => {
    const lines = steps.map((step) => step.text)
    try {
      const draws = random(`${seed}/${problem.id}/${contentHash(lines)}/${sample}`)
      const added = game24Random.complete(problem, lines, draws)
      const kept = single ? added.slice(0, 1) : added
      return {
        ok: true,
        steps: kept.map((text) => ({ text, kind: 'thought' })),
        end: single && kept.length > 0 ? 'step' : 'stop',
        usage: NO_USAGE,
      }
    } catch (error) {
      if (error instanceof GradusError) return { ok: false, error, usage: NO_USAGE }
      throw error
    }
  }
  return {
    name,
    identity,
    hash: contentHash(identity).slice(0, 12),
    next: async (problem, steps, sample) => write(problem, steps, sample, true),
    complete: async (problem, steps, sample) => write(problem, steps, sample, false),
  }
}

/**
 * The reference completer of whichever built-in task a problem belongs to (by its `domain`): errs with a known chance,
 * so that the value of every step is known exactly.
 * @param forced task of every problem, where domains do not say
 * @throws GradusError GRD-CLI-002 for chances out of range
 */
export function taskPolicy(options: Chances = {}, seed = '0', forced?: Task): Policy {
  for (const [name, chance] of Object.entries(options)) {
    if (chance >= 0 && chance <= (name === 'slip' ? 0.9 : 1)) continue
    throw new GradusError('GRD-CLI-002', {
      found: `${name} ${chance}`,
      expected: `a chance from 0 to ${name === 'slip' ? 0.9 : 1}`,
    })
  }
  const identity = { name: 'task', ...options, ...(forced && { task: forced.name }), seed }
  const writers = new Map<Task, StepWriter>()
  const writerOf = (problem: Problem): StepWriter | null => {
    const task = forced ?? TASKS.find(({ name }) => name === problem.domain)
    if (!task) return null
    const known = writers.get(task) ?? taskCompleter({ task, ...options, seed })
    writers.set(task, known)
    return known
  }
  return {
    name: 'task',
    identity,
    hash: contentHash(identity).slice(0, 12),
    next: async (problem, ...rest) => (await writerOf(problem)?.next(problem, ...rest)) ?? foreignProblem(problem),
    complete: async (problem, ...rest) =>
      (await writerOf(problem)?.complete(problem, ...rest)) ?? foreignProblem(problem),
  }
}

/** What a policy of the built-in tasks says to a problem of none of them. */
export function foreignProblem(problem: Problem): Written {
  const error = new GradusError('GRD-WORLD-001', {
    where: { field: 'problem.domain' },
    found: problem.domain ?? 'nothing',
    expected: `one of ${TASKS.map(({ name }) => name).join(', ')}`,
  })
  return { ok: false, error, usage: NO_USAGE }
}
