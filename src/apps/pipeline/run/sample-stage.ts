import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Problem, Trace } from '../../../core/words.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { type SampleConfig, sampleJob } from '../jobs/sample-job.ts'
import { sampledTrace } from '../outcome.ts'
import { sampleTraces } from '../sample.ts'
import { type RunContext, type RunPolicies, writeTraces } from './context.ts'
import type { RunFolder } from './folder.ts'
import type { RunProblems } from './problems.ts'
import type { StageJobs } from './stage-jobs.ts'

/** What the models learn from. */
export const TRAIN_FILE = 'traces.jsonl'
/** Files of candidates: of the problems that thresholds are chosen on, and of each draw of the report problems. */
export const TUNE_FILE = 'candidates-tune.jsonl'
export const reportFile = (draw: number): string => `candidates-${draw}.jsonl`

/** Traces of every group of problems, each a stage of its own. */
export async function sampleStages(
  context: RunContext,
  policies: RunPolicies,
  { train, tune, report, dataset, licence }: RunProblems,
): Promise<void> {
  const { size, folder } = context
  const groups = [
    { name: 'sample for training', file: TRAIN_FILE, problems: train, n: size.trainSamples, draw: 0 },
    { name: 'sample for tuning', file: TUNE_FILE, problems: tune, n: size.reportSamples, draw: 0 },
    ...Array.from({ length: size.seeds }, (_, draw) => ({
      name: size.seeds === 1 ? 'sample candidates' : `sample candidates ${draw + 1}`,
      file: reportFile(draw),
      problems: report,
      n: size.reportSamples,
      draw,
    })),
  ]
  for (const { name, file, problems, n, draw } of groups) {
    await folder.stage(name, async (tick) => {
      const group: Group = { file, problems, n, draw, source: { dataset, licence } }
      const onDone = (traces: number): void => tick(traces, problems.length * n)
      const traces = context.jobs
        ? byWorkers(context.jobs, context, policies, group, onDone)
        : here(context, policies, group, onDone)
      await writeTraces(folder.file(file), traces)
    })
  }
}

interface Group {
  file: string
  problems: readonly Problem[]
  n: number
  draw: number
  source: { dataset: string; licence: string }
}

async function* here(
  { engine, signal, folder }: RunContext,
  policies: RunPolicies,
  { problems, n, draw, source }: Group,
  onDone: (traces: number) => void,
): AsyncGenerator<Trace> {
  const policy = await policies.of(draw)
  let done = 0
  let last: GradusError | null = null
  let lost = 0
  for await (const one of sampleTraces(problems, { engine, policy, n, verifier: taskOf, source, signal })) {
    if (one.ok) {
      onDone(++done)
      yield await sampledTrace(one.trace, policy, true)
    } else {
      last = one.error
      lost++
    }
  }
  // A stage whose run has ended is no whole stage: it is done again, from the cache, when the run is resumed.
  if (engine.stopped) throw engine.stopped
  if (last && lost === problems.length * n) throw last
  countLost(folder, lost)
}

async function* byWorkers(
  jobs: StageJobs,
  { config, folder }: RunContext,
  policies: RunPolicies,
  { file, problems, n, draw, source }: Group,
  onDone: (traces: number) => void,
): AsyncGenerator<Trace> {
  // An endpoint is probed here, once for all workers.
  await policies.of(draw)
  const own: SampleConfig = {
    policy: config.policy,
    settings: policies.settings(draw),
    n,
    source,
    code: true,
    // Rollouts from the start and the search ask for the same.
    ...((file === TRAIN_FILE || file === reportFile(0)) && { keepsCompletions: true }),
  }
  const spec = { kind: sampleJob.name, config: own, inputs: [contentHash(problems)] }
  const { job, lost } = await jobs.do(file, spec, problems, (items) => onDone(items * n))
  let traces = 0
  for await (const trace of jobs.traces(job)) {
    traces++
    yield trace
  }
  const [first] = Object.values(lost)
  if (traces === 0 && first) throw GradusError.fromJSON(first.first)
  countLost(folder, problems.length * n - traces)
}

function countLost({ state }: RunFolder, lost: number): void {
  if (lost > 0) state.facts['lost samples'] = Number(state.facts['lost samples'] ?? 0) + lost
}
