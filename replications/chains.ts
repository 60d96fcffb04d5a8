import { bootstrap, type Estimate, mean } from '../src/core/stats/index.ts'
import type { Evidence, Problem, Step, Usage } from '../src/core/words.ts'
import { NO_USAGE } from '../src/core/words.ts'
import { rollout, type StepWriter } from '../src/engine/rollout.ts'
import { type TaskCompleterOptions, taskCompleter } from '../src/models/policies/task-completer.ts'
import type { Figure } from '../src/prove/benchmarks/benchmark.ts'
import type { Task } from '../src/worlds/tasks/task.ts'

/** A trace with its exact first error and rollouts from any of its prefixes, drawn once and shared by all arms. */
export interface RolledTrace {
  problem: Problem
  texts: string[]
  /** -1 = no wrong step. */
  firstError: number
  /** Does rollout number `sample` from the prefix end right? */
  succeeds(length: number, sample: number): Promise<boolean>
  /** Successes among rollouts 0 to k - 1. */
  count(length: number, k: number): Promise<number>
}

/** How a policy errs and recovers, for a setting of a replication. */
export type Completer = Omit<TaskCompleterOptions, 'task' | 'seed'>

/**
 * Traces that a completer writes, one a problem, with rollouts by the same completer.
 * @param keep which traces; problems are drawn until n are kept
 */
export async function rolledTraces(
  task: Task,
  level: number,
  n: number,
  completer: Completer,
  seed: string,
  keep: (firstError: number, texts: readonly string[]) => boolean = () => true,
): Promise<RolledTrace[]> {
  // The writer is never rescued: a trace's errors are those of its steps.
  const { rescue: _, ...writing } = completer
  const writer = taskCompleter({ task, ...writing, seed: `${seed}/trace` })
  const policy = taskCompleter({ task, ...completer, seed: `${seed}/rollout` })
  const kept: RolledTrace[] = []
  for (let block = 0; kept.length < n && block < MAX_BLOCKS; block++) {
    for (const problem of task.generate(`${seed}/${block}`, level, n)) {
      const written = await writer.complete(problem, [], 0)
      const texts = written.ok ? written.steps.map((step) => step.text) : []
      const firstError = task.oracle(problem, texts).findIndex((truth) => !truth.correct)
      if (kept.length < n && keep(firstError, texts)) kept.push(rolled(task, problem, texts, firstError, policy))
    }
  }
  return kept
}

/** Blocks of n problems that are drawn at most, where a setting hardly ever gives a trace to keep. */
const MAX_BLOCKS = 50

function rolled(task: Task, problem: Problem, texts: string[], firstError: number, policy: StepWriter): RolledTrace {
  const steps = texts.map((text): Step => ({ text, kind: 'thought' }))
  const known = new Map<string, boolean>()
  async function succeeds(length: number, sample: number): Promise<boolean> {
    const key = `${length}/${sample}`
    const before = known.get(key)
    if (before !== undefined) return before
    const done = await rollout({ problem, policy, prefix: steps.slice(0, length), sample, verifier: task })
    const right = done.ok && done.trace.outcome === 1
    known.set(key, right)
    return right
  }
  return {
    problem,
    texts,
    firstError,
    succeeds,
    async count(length, k) {
      let successes = 0
      for (let i = 0; i < k; i++) if (await succeeds(length, i)) successes++
      return successes
    },
  }
}

/** k of n after every step and at the start, as evidence; a step that states the answer is checked once. */
export async function rolloutEvidenceOf(trace: RolledTrace, k: number): Promise<Evidence[]> {
  const evidence: Evidence[] = []
  for (let length = 0; length <= trace.texts.length; length++) {
    const trials = length === trace.texts.length ? 1 : k
    const successes = await trace.count(length, trials)
    evidence.push({ kind: 'rollouts', source: 'monte-carlo', step: length - 1, successes, trials })
  }
  return evidence
}

/** Mean over items with a bootstrap by item. */
export function meanFigure(name: string, values: readonly number[], seed: string): Figure {
  const estimate = bootstrap(
    values.map((_, i) => i),
    (items) => mean(items.map((i) => values[i]!)),
    { seed },
  )
  return { name, estimate, n: values.length }
}

/** Difference of two means over the same items, paired. */
export function pairedDifference(a: readonly number[], b: readonly number[], seed: string): Estimate {
  return bootstrap(
    a.map((_, i) => i),
    (items) => mean(items.map((i) => a[i]! - b[i]!)),
    { seed },
  )
}

/** Rollouts as usage: a call each; tokens are not counted, since all arms of a setting roll out the same traces. */
export function rolloutUsage(rollouts: number): Usage {
  return { ...NO_USAGE, calls: rollouts }
}
