import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { SharedLedger } from '../../engine/distributed/shared-ledger.ts'
import { Engine } from '../../engine/engine.ts'
import { leftOut, openTraces, type ReadReport, untilDamaged } from '../../io/read.ts'
import { resplit, splitterNamed } from '../../io/steps/resplit.ts'
import { describeCapabilities } from '../../models/endpoints/probe.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { type LabelConfig, recoveryOnce } from '../pipeline/jobs/label-job.ts'
import { openPolicy } from '../pipeline/open-policy.ts'
import { taskNamed } from '../pipeline/rollout-check.ts'
import { inputDigests, runMany } from './many.ts'
import { budgetOf, policySettings, ROLLOUTS_A_CALL } from './policy-flags.ts'
import { leftOutLines } from './show/left-out.ts'
import type { ExitCode, Terminal } from './verb.ts'
import type { LabelOptions, LabelRequest } from './verbs/label.ts'

/** `gradus label` as shards, for workers here or elsewhere. */
export async function labelOnMany(request: LabelRequest, terminal: Terminal): Promise<ExitCode> {
  const { files, options, plan, spec } = request
  for (const name of ['report', 'trees', 'audit'] as const) {
    if (options[name] === undefined) continue
    throw new GradusError('GRD-CLI-002', {
      where: { field: `--${name}` },
      found: `--engine ${options.engine}`,
      expected: 'an output of traces alone',
      try: name === 'report' ? ['gradus label OUTPUT --relabel RULE --report report.html'] : ['--engine local'],
    })
  }
  if (request.problems) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--engine' },
      found: `${options.engine}, and problems that are explored`,
      expected: '--engine local for problems',
    })
  }
  if (request.rewards.length > 0) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--engine' },
      found: `${options.engine}, and a reward model among the annotators`,
      expected: '--engine local for reward models',
    })
  }
  const inputs = await inputDigests(files)
  const policySpec = request.relabel ? null : spec
  const first = policySpec ? await firstTraces(request) : []
  const settings = policySettings(options, {
    builtIn: first.every((trace) => taskOf(trace.problem) !== undefined),
    samples: ROLLOUTS_A_CALL,
    by: 'gradus label',
    needsLogprobs: plan.needs.logprobs,
  })
  const { with: names, rule, relabel, policy, task, split, code, allowLocalExec } = options
  const config: LabelConfig = {
    ...(names && { with: names }),
    ...(rule !== undefined && { rule }),
    ...(relabel !== undefined && { relabel }),
    ...(policy !== undefined && { policy, settings }),
    ...(task !== undefined && { task }),
    seed: String(options.seed ?? 0),
    split,
    code,
    allowLocalExec,
  }
  const reports: ReadReport[] = []
  async function* traces(): AsyncGenerator<Trace> {
    for (const file of files) {
      const { report, batches } = await openTraces(file, readOptions(options))
      for await (const batch of untilDamaged(batches, report, options.strict)) yield* batch
      reports.push(report)
    }
  }
  const { seconds, ...budget } = budgetOf(options)
  const ended = await runMany(
    options,
    {
      spec: { kind: 'label', config, inputs: [...inputs, options.format ?? ''] },
      settings: { budget },
      ...(seconds !== undefined && { seconds }),
      concurrency: options.jobs,
      items: traces,
      // The endpoint is probed, and the recovery rate measured, before anything is planned.
      async prepare(database, job) {
        if (!policySpec) return
        const engine = new Engine({ ledger: new SharedLedger(database, job), concurrency: options.jobs })
        try {
          const { signal } = new AbortController()
          const all = { ...settings, ...(task !== undefined && { task: taskNamed(task) }) }
          const { policy: writer, probe } = await openPolicy(policySpec, engine, all, signal)
          if (probe && !options.json) terminal.err(`${describeCapabilities(probe)}\n\n`)
          await recoveryOnce(engine, () => plan.prepare(first, writer, () => undefined))
        } finally {
          await engine.close()
        }
      },
      inputs: files,
      output: options.output,
      json: options.json,
      leftOut: () => reports.reduce((sum, report) => sum + leftOut(report), 0),
    },
    terminal,
  )
  for (const line of leftOutLines(reports)) terminal.err(`${line}\n`)
  return ended
}

function readOptions({ strict, format }: LabelOptions): { strict: boolean; format?: string } {
  return { strict, ...(format !== undefined && { format }) }
}

/** Those that a run on one machine measures the policy on. */
async function firstTraces({ files, options }: LabelRequest): Promise<Trace[]> {
  const splitter = splitterNamed(options.split)
  const { batches } = await openTraces(files[0] ?? '-', readOptions(options))
  for await (const batch of batches) return await Promise.all(batch.map((trace) => resplit(trace, splitter)))
  return []
}
