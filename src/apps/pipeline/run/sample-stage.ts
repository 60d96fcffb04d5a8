import type { GradusError } from '../../../core/errors.ts'
import type { Problem, Trace } from '../../../core/words.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { judged } from '../outcome.ts'
import { sampleTraces } from '../sample.ts'
import { type RunContext, type RunPolicies, writeTraces } from './context.ts'
import type { RunProblems } from './problems.ts'

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
    { name: 'sample for training', file: 'traces.jsonl', problems: train, n: size.trainSamples, draw: 0 },
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
      let done = 0
      async function* counted(): AsyncGenerator<Trace> {
        for await (const trace of sampled(context, policies, problems, n, draw, { dataset, licence })) {
          tick(++done, problems.length * n)
          yield trace
        }
      }
      await writeTraces(folder.file(file), counted())
    })
  }
}

async function* sampled(
  { engine, signal, folder }: RunContext,
  policies: RunPolicies,
  problems: readonly Problem[],
  n: number,
  draw: number,
  source: { dataset: string; licence: string },
): AsyncGenerator<Trace> {
  const policy = await policies.of(draw)
  let last: GradusError | null = null
  let lost = 0
  for await (const one of sampleTraces(problems, { engine, policy, n, verifier: taskOf, source, signal })) {
    if (one.ok) yield await judged(one.trace, true)
    else {
      last = one.error
      lost++
    }
  }
  // A stage whose run has ended is no whole stage: it is done again, from the cache, when the run is resumed.
  if (engine.stopped) throw engine.stopped
  if (last && lost === problems.length * n) throw last
  if (lost > 0) folder.state.facts['lost samples'] = Number(folder.state.facts['lost samples'] ?? 0) + lost
}
