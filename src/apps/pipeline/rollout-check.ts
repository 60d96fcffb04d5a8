import { GradusError } from '../../core/errors.ts'
import type { Problem, Trace, Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter } from '../../engine/rollout.ts'
import { injectedPrefixes, PER_PREFIX, pooledRate, type RecoveryRate, recoveryRate } from '../../label/recovery-rate.ts'
import { shippedCards, weightsByTask } from '../../models/policies/embedded/cards.ts'
import { lessonsOf } from '../../models/policies/embedded/lessons.ts'
import { RECIPES } from '../../models/policies/embedded/recipes.ts'
import { game24 } from '../../worlds/tasks/game24.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { Task } from '../../worlds/tasks/task.ts'
import { isOf } from '../../worlds/tasks/task-of.ts'
import { POLICY_FORMS, type PolicySpec } from './open-policy.ts'
import { byAnswer } from './outcome.ts'

/** Which traces a policy can continue, and how the ends of its runs are checked. */
export interface RolloutCheck {
  /** An error is why the trace is not continued. */
  of(trace: Pick<Trace, 'problem'>): OutcomeCheck | GradusError
  /** How often wrong prefixes of the problems of these traces still end right, for those of built-in tasks. */
  recovery(traces: readonly Trace[], policy: StepWriter, spend: (usage: Usage) => void): Promise<RecoveryRate>
  /** Rollouts that `recovery` makes at most. */
  recoveryRollouts(traces: readonly Trace[]): number
}

/** Problems that the recovery rate is measured on: 4 rollouts each give an interval of 2 points at 3 %. */
const RECOVERY_PROBLEMS = 60

/**
 * What can be known before the policy is opened: nothing is asked and nothing loaded.
 *
 * A problem of a built-in task is checked by the task, any other by equality with its answer.
 * @param taskName for problems whose domain does not name their task
 * @throws GradusError GRD-CLI-002 for a task that there is not, or a policy that continues nothing
 */
export function rolloutCheck(spec: PolicySpec, seed: string, taskName?: string): RolloutCheck {
  const forced = taskName === undefined ? undefined : taskNamed(taskName)
  if (spec.kind === 'inject') {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--policy' },
      found: 'inject, which only writes whole traces',
      expected: POLICY_FORMS,
    })
  }
  const known = tasksOf(spec)
  const taskOf = ({ problem }: Pick<Trace, 'problem'>): Task | null => {
    const task = forced ?? TASKS.find((one) => one.name === problem.domain)
    return task && isOf(task, problem) ? task : null
  }
  /** By task, with the problems that are drawn on. */
  const measured = (traces: readonly Trace[]): Map<Task, Problem[]> => {
    const byTask = new Map<Task, Map<string, Problem>>()
    for (const trace of traces) {
      const task = taskOf(trace)
      if (!task || (known && !known.includes(task))) continue
      const own = byTask.get(task) ?? new Map<string, Problem>()
      if (own.size < RECOVERY_PROBLEMS) own.set(trace.problem.prompt, trace.problem)
      byTask.set(task, own)
    }
    return new Map([...byTask].map(([task, problems]) => [task, [...problems.values()]]))
  }
  return {
    of(trace) {
      const task = taskOf(trace)
      if (known && !(task && known.includes(task))) {
        return new GradusError('GRD-WORLD-001', {
          found: trace.problem.domain ?? 'a problem of no built-in task',
          expected: `a problem of ${known.map(({ name }) => name).join(', ')}`,
          try: ['--task NAME, where the domain does not say it'],
        })
      }
      if (task) return task
      if (forced) return new GradusError('GRD-WORLD-001', { expected: `a problem of ${forced.name}` })
      if ((trace.problem.answer ?? '').trim() !== '') return byAnswer
      return new GradusError('GRD-LABEL-004', {
        found: 'a problem without an answer',
        expected: 'an answer, by which the ends of rollouts are checked',
      })
    },
    async recovery(traces, policy, spend) {
      const rates: RecoveryRate[] = []
      for (const [task, problems] of measured(traces)) {
        rates.push(await recoveryRate(policy, task, injectedPrefixes(task, problems, seed), { spend }))
      }
      return pooledRate(rates)
    },
    recoveryRollouts(traces) {
      return [...measured(traces).values()].reduce((n, problems) => n + PER_PREFIX * problems.length, 0)
    },
  }
}

/** The tasks that a policy can write at all; null = it can try any problem. */
function tasksOf(spec: Exclude<PolicySpec, { kind: 'inject' }>): readonly Task[] | null {
  if (spec.kind === 'http' || spec.kind === 'gguf') return null
  if (spec.kind === 'task') return TASKS
  if (spec.kind === 'game24-random') return [game24]
  if (spec.name === undefined) {
    const learnt = weightsByTask(shippedCards())
    return TASKS.filter((task) => learnt.has(task.name))
  }
  const recipe = RECIPES.find(({ name }) => name === spec.name)
  return recipe ? lessonsOf(recipe).map(({ task }) => task) : []
}

/** @throws GradusError GRD-CLI-002 */
export function taskNamed(name: string): Task {
  const task = TASKS.find((one) => one.name === name)
  if (task) return task
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--task' },
    found: name,
    expected: `one of ${TASKS.map((one) => one.name).join(', ')}`,
  })
}
