import { explain, GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Trace } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import { leftOut, openTraces, type ReadReport, readTraces, untilDamaged } from '../../../io/read.ts'
import { resplit, splitterNamed } from '../../../io/steps/resplit.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { traceWriter } from '../../../io/write.ts'
import type { AnnotateContext } from '../../../label/annotators/annotator.ts'
import { describeCapabilities } from '../../../models/endpoints/probe.ts'
import { auditText } from '../../../prove/report/audit-report.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { exploreEach, labelEach, relabelEach } from '../../pipeline/label.ts'
import { boundRuleNamed, labelPlan, refusalsOf } from '../../pipeline/label-plan.ts'
import { labelModelNamed, mergeFiles, type VoterFile } from '../../pipeline/merge.ts'
import { openPolicy, type PolicySpec, readPolicySpec } from '../../pipeline/open-policy.ts'
import { type RewardSpec, rewardName, rewardSpecs } from '../../pipeline/open-reward.ts'
import { openRewards } from '../../pipeline/open-rewards.ts'
import { rolloutCheck, taskNamed } from '../../pipeline/rollout-check.ts'
import { readTaskSpec } from '../../pipeline/task-problems.ts'
import { LabelOutputs } from '../label-outputs.ts'
import { costOf, LABEL_OPTIONS, type LabelOptions, type LabelRequest, namesOf, readOptions } from '../label-request.ts'
import { checkManyFlags } from '../many-flags.ts'
import {
  checkPolicyFlags,
  engineOf,
  leaveOnInterrupt,
  policySettings,
  ROLLOUTS_A_CALL,
  showProgress,
} from '../policy-flags.ts'
import { problemsToExplore, stubOf } from '../problem-source.ts'
import { rewardSettings } from '../reward-flags.ts'
import { labelCostText } from '../show/label-cost.ts'
import { LabelSummary } from '../show/label-summary.ts'
import { leftOutLines } from '../show/left-out.ts'
import { mergeJson, mergeText } from '../show/merge-summary.ts'
import { showTrace } from '../show/trace.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

export const label = verb({
  name: 'label',
  summary: 'risk, evidence and first wrong step for every trace',
  arguments: '[file...]',
  options: LABEL_OPTIONS,
  examples: [
    'gradus label runs.jsonl -o labelled.jsonl',
    'gradus label runs.jsonl --with arithmetic',
    'gradus label chains.jsonl --with monte-carlo:k=16 --policy task:slip=.06 -o rolled.jsonl',
    'gradus label solved.jsonl --with omegaprm --policy http://127.0.0.1:8000/v1#NAME --dry-run',
    'gradus label runs.jsonl --with reward:judge --judge https://api.example.com/v1#model --key API_KEY --dry-run',
    'gradus label --task self-repairing-chain:1 --with omegaprm --policy embedded -o explored.jsonl',
    'gradus label rolled.jsonl --relabel relative-progress',
    'gradus label --merge dawid-skene judges/*.jsonl -o merged.jsonl',
  ],
  async run(files, given, terminal) {
    if (files.length === 0 && (given.task === undefined || given.merge !== undefined || given.relabel !== undefined))
      throw new GradusError('GRD-CLI-001', {
        found: 'no file',
        expected: 'files with traces, or -; or --task, whose problems are explored',
        try: ['gradus label --help'],
      })
    if (given.merge !== undefined && given.engine !== 'local') {
      throw new GradusError('GRD-CLI-002', {
        where: { field: '--engine' },
        found: `${given.engine}, and labels to merge`,
        expected: '--engine local: a label model looks at all votes at once, and at no model',
      })
    }
    if (given.merge !== undefined) return await merge(files, { ...given, merge: given.merge }, terminal)
    const problems = await problemsToExplore(files, given)
    for (const name of ['problems', 'samples'] as const) {
      if (problems !== null || given[name] === undefined) continue
      throw new GradusError('GRD-CLI-002', {
        where: { field: `--${name}` },
        found: 'traces',
        expected: 'problems, which are explored',
      })
    }
    const options =
      problems && given.task !== undefined ? { ...given, task: readTaskSpec(given.task).task.name } : given
    const spec = options.policy === undefined ? null : readPolicySpec(options.policy)
    const rewards = rewardSpecs(options)
    checkPolicyFlags(spec, options, rewards.length > 0)
    checkManyFlags(options)
    const check = spec ? rolloutCheck(spec, String(options.seed ?? 0), options.task) : undefined
    const plan = labelPlan({
      with: options.with,
      rule: options.rule,
      check,
      rewards: rewards.map(rewardName),
      problems: problems !== null,
    })
    const relabel = options.relabel === undefined ? null : boundRuleNamed(options.relabel)
    const request: LabelRequest = { files, options, plan, relabel, spec, check, rewards, problems }
    if (options.trees !== undefined && (relabel || !(plan.explorer ?? plan.annotators.find((a) => a.growsTree)))) {
      throw new GradusError('GRD-CLI-002', {
        where: { field: '--trees' },
        found: 'no annotator that grows trees',
        expected: '--with omegaprm, mcts or alphamath',
      })
    }
    if (options.dryRun) {
      const cost = await costOf(request)
      terminal.out(
        options.json
          ? `${JSON.stringify({ dryRun: true, ...cost })}\n`
          : `${labelCostText(cost, options.policy)}  nothing was spent\n`,
      )
      return EXIT.done
    }
    if (options.engine !== 'local') {
      const { labelOnMany } = await import('../label-on-many.ts')
      return await labelOnMany(request, terminal)
    }
    await refuseInputAsOutput(files, options.output)
    if ((!spec && rewards.length === 0) || relabel)
      return await labelled(request, null, new AbortController().signal, terminal)
    const engine = engineOf(
      spec,
      options,
      `label ${contentHash([spec, rewards.map(rewardIdentity), problems?.name ?? files, options.with, options.seed ?? null]).slice(0, 16)}`,
    )
    const { signal, forget } = leaveOnInterrupt(engine, terminal)
    try {
      return await labelled(request, engine, signal, terminal)
    } finally {
      forget()
      await engine.close()
    }
  },
})

const rewardIdentity = (spec: RewardSpec): unknown => [rewardName(spec), 'url' in spec ? [spec.url, spec.model] : null]

/** Traces of a problem where nobody says: four wrong and four right ones (papers/alphamath.md). */
const SAMPLES = 8

/** @param engine who pays for what a policy writes; null where there is none */
async function labelled(
  request: LabelRequest,
  engine: Engine | null,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<ExitCode> {
  const { files, options, plan, relabel, spec, rewards, problems } = request
  const splitter = splitterNamed(options.split)
  const summary = new LabelSummary(relabel ? [] : namesOf(plan), problems !== null)
  const context: AnnotateContext = {
    allowCode: options.code,
    allowLocalExec: options.allowLocalExec,
    seed: String(options.seed ?? 0),
    spend: (usage, by) => summary.spend(usage, by),
    failed: (error) => summary.fail(error),
    signal,
  }
  const outputs = await LabelOutputs.open(request)
  const { trees } = outputs
  if (trees) context.grown = (tree) => trees.grown(tree)
  let stopProgress = (): void => undefined

  /** What goes where is said first; then the models are opened, by what the first traces are. */
  async function begin(first: readonly Trace[], engineOfRun: Engine): Promise<void> {
    const free = rewards.length === 0 && spec?.kind === 'task'
    const known = free || files.includes('-') ? null : await costOf(request)
    if (known && (known.host !== null || known.rewards) && !options.json) {
      terminal.err(labelCostText(known, options.policy))
    }
    if (rewards.length > 0) {
      const settings = rewardSettings(options, { seed: context.seed, by: 'gradus label' })
      context.rewards = await openRewards(rewards, engineOfRun, settings, signal)
    }
    const total = known && known.rollouts + known.texts + (known.rewards?.calls ?? 0)
    if (spec) await beginPolicy(first, engineOfRun, spec)
    stopProgress = showProgress(engineOfRun, total, terminal)
  }

  /** The first traces say what the policy reads, and how often it recovers. */
  async function beginPolicy(first: readonly Trace[], engineOfRun: Engine, policySpec: PolicySpec): Promise<void> {
    const settings = policySettings(options, {
      builtIn: first.every((trace) => taskOf(trace.problem) !== undefined),
      samples: ROLLOUTS_A_CALL,
      by: 'gradus label',
      needsLogprobs: plan.needs.logprobs,
      ...(options.task !== undefined && { task: taskNamed(options.task) }),
    })
    const { policy, probe } = await openPolicy(policySpec, engineOfRun, settings, signal)
    if (probe && !options.json) terminal.err(`${describeCapabilities(probe)}\n\n`)
    context.policy = policy
    const rate = await plan.prepare(first, policy, context.spend)
    if (rate) summary.recovery(rate, plan.warning(rate))
  }

  let begun = false
  async function* traces(): AsyncGenerator<Trace> {
    for (const file of files) {
      const { report: reading, batches } = await openTraces(file, readOptions(options))
      for await (const batch of untilDamaged(batches, reading, options.strict)) {
        const cut = await Promise.all(batch.map((trace) => resplit(trace, splitter)))
        if (engine && !begun) await begin(cut, engine)
        begun = true
        if (!relabel) for (const refused of cut.flatMap((trace) => refusalsOf(plan, trace))) summary.refused(refused)
        yield* cut
      }
      summary.addReport(reading)
    }
  }

  /** Each time what belongs together: a trace, or those of one tree; null for what the end of the run has left out. */
  async function* done(): AsyncGenerator<{ tree: string; traces: Trace[] } | null> {
    if (problems && plan.explorer && engine) {
      const stubs = problems.problems.map(stubOf)
      await begin(stubs, engine)
      for (const refused of stubs.flatMap((stub) => refusalsOf(plan, stub))) summary.refused(refused)
      for (const error of problems.rejected) summary.reject(error)
      const able = stubs.filter((stub) => refusalsOf(plan, stub).length === 0).map((stub) => stub.problem)
      const { explorer, annotators, rule } = plan
      const exploring = {
        explorer,
        annotators,
        context,
        rule,
        engine,
        most: options.samples ?? SAMPLES,
        source: problems,
      }
      for await (const one of exploreEach(able, exploring)) {
        if (one.ok) summary.explored(one.traces.length, one.skipped)
        yield one.ok ? { tree: one.problem.id, traces: one.traces } : null
      }
      return
    }
    for await (const one of relabel
      ? relabelEach(traces(), relabel)
      : labelEach(traces(), { annotators: plan.annotators, context, rule: plan.rule, engine })) {
      yield one.ok ? { tree: one.trace.id, traces: [one.trace] } : null
    }
  }

  let shown = 0
  try {
    for await (const one of done()) {
      if (one === null) {
        summary.unfinished++
        continue
      }
      await trees?.write(one.tree)
      for (const trace of one.traces) {
        summary.add(trace)
        const wrong = (trace.verdict?.firstError ?? -1) >= 0
        if (wrong && shown < options.show && options.output !== '-' && !options.json) {
          terminal.out(showTrace(trace, terminal))
          shown++
        }
        await outputs.add(trace)
      }
    }
  } catch (error) {
    await outputs.abandon()
    // What was asked before the first trace was labelled: the probe, the recovery rate.
    if (!engine?.stopped) throw error
    terminal.err(`${explain(engine.stopped)}\n  nothing was labelled\n`)
    return engine.stopped.code === 'GRD-RUN-002' ? EXIT.interrupted : EXIT.lost
  } finally {
    stopProgress()
  }
  const known = await outputs.close(summary, summary.traces > 0 || !engine?.stopped)
  if (engine) summary.ended(engine.counts, engine.stopped, engine.budget.spent)
  if (options.json) terminal.out(`${JSON.stringify({ ...summary.toJSON(), ...(known && { audit: known }) })}\n`)
  else if (options.output !== '-') terminal.out(summary.text({ shown, output: options.output, report: options.report }))
  if (known && !options.json && options.output !== '-') terminal.out(auditText(known))
  for (const error of summary.errors()) terminal.err(`${error}\n`)
  if (engine?.stopped?.code === 'GRD-RUN-002') return EXIT.interrupted
  return summary.lost > 0 || summary.failedCalls > 0 || summary.failed > 0 || engine?.stopped ? EXIT.lost : EXIT.done
}

/** Labels of several files, merged: `gradus label --merge dawid-skene judges/*.jsonl -o merged.jsonl`. */
async function merge(
  files: readonly string[],
  options: LabelOptions & { merge: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const model = labelModelNamed(options.merge)
  await refuseInputAsOutput(files, options.output)
  const reports: ReadReport[] = []
  const read = async (file: string): Promise<VoterFile> => {
    const { traces, report } = await readTraces(file, { strict: options.strict })
    reports.push(report)
    return { file, traces }
  }
  const voters: VoterFile[] = []
  for (const file of files) voters.push(await read(file))
  const gold = options.gold === undefined ? [] : (await read(options.gold)).traces
  const merged = mergeFiles(voters, model, gold)
  if (options.output !== undefined) {
    const writer = await traceWriter(options.output, undefined, { index: true })
    await writer.write(merged.traces)
    await writer.close()
  }
  if (options.json) terminal.out(`${JSON.stringify(mergeJson(model.name, merged, reports))}\n`)
  else if (options.output !== '-') terminal.out(mergeText(model.name, merged, options.output))
  for (const line of leftOutLines(reports)) terminal.err(`${line}\n`)
  return reports.some((report) => leftOut(report) > 0) ? EXIT.lost : EXIT.done
}
