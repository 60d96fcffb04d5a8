import type { GradusError } from '../../../core/errors.ts'
import type { Problem, Trace } from '../../../core/words.ts'
import type { JobKind } from '../../../engine/distributed/job.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { openPolicy, type PolicySettings, readPolicySpec } from '../open-policy.ts'
import { sampledTrace } from '../outcome.ts'
import { sampleTraces } from '../sample.ts'

/** Everything beside the problems that decides the traces of `gradus sample`. */
export interface SampleConfig {
  /** As on the command line. */
  policy: string
  settings: PolicySettings
  /** Traces of each problem. */
  n: number
  source: Pick<Trace['source'], 'dataset' | 'licence'>
  /** May code be run against tests? */
  code: boolean
  /** Will a later part of the run ask for the same samples? */
  keepsCompletions?: true
}

/** An item is a problem; its lines are its traces. */
export const sampleJob: JobKind = {
  name: 'sample',
  async open(config, engine) {
    const { policy: name, settings, n, source, code, keepsCompletions = false } = config as SampleConfig
    // What is probed was probed by the planner.
    const { policy } = await openPolicy(readPolicySpec(name), engine, settings, new AbortController().signal)
    return {
      window: 4 * engine.concurrency,
      keepsCompletions,
      async run(item) {
        const lines: string[] = []
        const lost: GradusError[] = []
        const counts = { traces: 0, right: 0, wrong: 0 }
        for await (const one of sampleTraces([item as Problem], { engine, policy, n, verifier: taskOf, source })) {
          if (!one.ok) {
            lost.push(one.error)
            continue
          }
          const trace = await sampledTrace(one.trace, policy, code)
          lines.push(JSON.stringify(trace))
          counts.traces++
          if (trace.outcome !== undefined) counts[trace.outcome >= 0.5 ? 'right' : 'wrong']++
        }
        // An engine that has stopped takes no problem at all.
        if (engine.stopped && lines.length + lost.length < n) lost.push(engine.stopped)
        return { lines, counts, lost }
      },
    }
  },
}
