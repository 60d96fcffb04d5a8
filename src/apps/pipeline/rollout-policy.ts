import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Trace, Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter } from '../../engine/rollout.ts'
import { injectedPrefixes, pooledRate, type RecoveryRate, recoveryRate } from '../../label/recovery-rate.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { Task } from '../../worlds/tasks/task.ts'
import { parseSpec, specOptions } from './spec.ts'

/** Who continues the traces of a file, by the trace. */
export interface RolloutPolicy {
  /** null = nobody here can continue such a trace. */
  of(trace: Trace): { policy: StepWriter; check: OutcomeCheck } | null
  /** How often wrong prefixes of the problems of these traces still end right. */
  recovery(traces: readonly Trace[], spend: (usage: Usage) => void): Promise<RecoveryRate>
}

const TaskPolicy = z.object({
  slip: z.number().min(0).max(0.9).optional().describe('chance that a step is wrong'),
  recovery: z.number().min(0).max(1).optional().describe('chance that a wrong step is restated right after it'),
  rescue: z.number().min(0).max(1).default(0).describe('chance that a run from a lost prefix still ends right'),
})

/** Problems that the recovery rate is measured on: 4 rollouts each give an interval of 2 points at 3 %. */
const RECOVERY_PROBLEMS = 60

/**
 * `task[:slip=.06,recovery=0,rescue=0]`: the completer of the built-in task that a problem belongs to.
 * @param taskName for problems whose domain does not name their task
 * @throws GradusError GRD-CLI-002
 */
export function rolloutPolicyNamed(text: string, seed: string, taskName?: string): RolloutPolicy {
  const spec = parseSpec(text)
  if (spec.name !== 'task') {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--policy' },
      found: text,
      expected: 'task, with options such as task:slip=.06,recovery=0',
    })
  }
  const { slip, recovery, rescue } = TaskPolicy.parse(specOptions(spec, TaskPolicy))
  const forced = taskName === undefined ? undefined : taskNamed(taskName)
  const writers = new Map<Task, StepWriter>()

  const taskOf = (trace: Trace): Task | null => {
    const task = forced ?? TASKS.find((one) => one.name === trace.problem.domain)
    return task && belongs(task, trace) ? task : null
  }
  const writerOf = (task: Task): StepWriter => {
    const known = writers.get(task)
    if (known) return known
    const given = { ...(slip !== undefined && { slip }), ...(recovery !== undefined && { recovery }) }
    const made = taskCompleter({ task, ...given, rescue, seed })
    writers.set(task, made)
    return made
  }

  return {
    of(trace) {
      const task = taskOf(trace)
      return task && { policy: writerOf(task), check: task }
    },
    async recovery(traces, spend) {
      const byTask = Map.groupBy(traces, taskOf)
      byTask.delete(null)
      const rates: RecoveryRate[] = []
      for (const [task, own] of byTask) {
        if (task === null) continue
        const problems = new Map(own.map((trace) => [trace.problem.prompt, trace.problem]))
        const wrong = injectedPrefixes(task, [...problems.values()].slice(0, RECOVERY_PROBLEMS), seed)
        rates.push(await recoveryRate(writerOf(task), task, wrong, { spend }))
      }
      return pooledRate(rates)
    },
  }
}

function taskNamed(name: string): Task {
  const task = TASKS.find((one) => one.name === name)
  if (task) return task
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--task' },
    found: name,
    expected: `one of ${TASKS.map((one) => one.name).join(', ')}`,
  })
}

function belongs(task: Task, trace: Trace): boolean {
  try {
    task.check(trace.problem, '')
    return true
  } catch (error) {
    if (error instanceof GradusError && error.code === 'GRD-WORLD-001') return false
    throw error
  }
}
