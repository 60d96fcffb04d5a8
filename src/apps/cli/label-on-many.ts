import { resolve } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { besideOf, linesOf } from '../../engine/distributed/catalogue.ts'
import type { Database } from '../../engine/distributed/database.ts'
import { SharedLedger } from '../../engine/distributed/shared-ledger.ts'
import { Engine } from '../../engine/engine.ts'
import { leftOut, openTraces, type ReadReport, untilDamaged } from '../../io/read.ts'
import { resplit, splitterNamed } from '../../io/steps/resplit.ts'
import { describeCapabilities } from '../../models/endpoints/probe.ts'
import { auditText } from '../../prove/report/audit-report.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { type LabelBeside, type LabelConfig, recoveryOnce, rewardDigest } from '../pipeline/jobs/label-job.ts'
import { openPolicy } from '../pipeline/open-policy.ts'
import { openRewards } from '../pipeline/open-rewards.ts'
import { taskNamed } from '../pipeline/rollout-check.ts'
import { LabelOutputs } from './label-outputs.ts'
import { costOf, type LabelRequest, readOptions } from './label-request.ts'
import { inputDigests, runMany } from './many.ts'
import { budgetOf, policySettings, ROLLOUTS_A_CALL } from './policy-flags.ts'
import { rewardSettings } from './reward-flags.ts'
import { labelCostText } from './show/label-cost.ts'
import { LabelSummary } from './show/label-summary.ts'
import { leftOutLines } from './show/left-out.ts'
import type { ExitCode, Terminal } from './verb.ts'

/** `gradus label` as shards, for workers here or elsewhere. */
export async function labelOnMany(request: LabelRequest, terminal: Terminal): Promise<ExitCode> {
  const { files, options, plan, spec, relabel: again } = request
  const rewards = again ? [] : request.rewards
  if (request.problems) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--engine' },
      found: `${options.engine}, and problems that are explored`,
      expected: '--engine local for problems',
    })
  }
  const inputs = await inputDigests(files)
  const policySpec = again ? null : spec
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
    ...(rewards.length > 0 && { rewards: await rewardConfig(request) }),
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
      // Endpoints are probed, and the recovery rate measured, before anything is planned.
      async prepare(database, job) {
        if (!policySpec && rewards.length === 0) return
        const cost = await costOf(request)
        if (!options.json && (cost.host !== null || cost.rewards)) terminal.err(labelCostText(cost, options.policy))
        const engine = new Engine({ ledger: new SharedLedger(database, job), concurrency: options.jobs })
        const { signal } = new AbortController()
        try {
          if (config.rewards) await openRewards(rewards, engine, config.rewards.settings, signal)
          if (!policySpec) return
          const all = { ...settings, ...(task !== undefined && { task: taskNamed(task) }) }
          const { policy: writer, probe } = await openPolicy(policySpec, engine, all, signal)
          if (probe && !options.json) terminal.err(`${describeCapabilities(probe)}\n\n`)
          await recoveryOnce(engine, () => plan.prepare(first, writer, () => undefined))
        } finally {
          await engine.close()
        }
      },
      ...([options.report, options.trees, options.audit].some((name) => name !== undefined) && {
        collect: (database: Database, job: string) => collected(database, job, request, reports),
      }),
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

/** As workers open them: a file by its place, which is the same on all machines, and with its checksum. */
async function rewardConfig({ options, rewards }: LabelRequest): Promise<NonNullable<LabelConfig['rewards']>> {
  const { judge, reward } = options
  const sha256 = await rewardDigest(rewards)
  return {
    ...(judge !== undefined && { judge }),
    ...(reward !== undefined && { reward: sha256 === undefined ? reward : resolve(reward) }),
    settings: rewardSettings(options, { seed: String(options.seed ?? 0), by: 'gradus label' }),
    ...(sha256 !== undefined && { sha256 }),
  }
}

/** Report, audit and trees from what the workers wrote, a trace after the other. */
async function collected(
  database: Database,
  job: string,
  request: LabelRequest,
  reports: readonly ReadReport[],
): Promise<{ json: Record<string, unknown>; text: string }> {
  const { plan, relabel, options } = request
  const summary = new LabelSummary(relabel ? [] : plan.annotators.map((a) => a.name))
  for (const report of reports) summary.addReport(report)
  const outputs = await LabelOutputs.open(request)
  try {
    for await (const line of besideOf(database, job)) {
      const { spent, trees } = JSON.parse(line) as LabelBeside
      for (const [annotator, usage] of Object.entries(spent)) summary.spend(usage, annotator)
      for (const tree of trees) outputs.trees?.grown(tree)
      for (const id of new Set(trees.map((tree) => tree.id))) await outputs.trees?.write(id)
    }
    for await (const line of linesOf(database, job)) {
      const trace = JSON.parse(line) as Trace
      summary.add(trace)
      await outputs.add(trace)
    }
    const known = await outputs.close(summary, true)
    const written = options.report === undefined ? '' : `  ${options.report}\n`
    return { json: known ? { audit: known } : {}, text: (known ? auditText(known) : '') + written }
  } catch (error) {
    await outputs.abandon()
    throw error
  }
}

/** Those that a run on one machine measures the policy on. */
async function firstTraces({ files, options }: LabelRequest): Promise<Trace[]> {
  const splitter = splitterNamed(options.split)
  const { batches } = await openTraces(files[0] ?? '-', readOptions(options))
  for await (const batch of batches) return await Promise.all(batch.map((trace) => resplit(trace, splitter)))
  return []
}
