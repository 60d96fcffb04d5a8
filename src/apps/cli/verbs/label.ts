import { z } from 'zod'
import { explain, GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import { questionOf } from '../../../core/split.ts'
import { addUsage, NO_USAGE, type Trace, type Usage } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import { leftOut, openTraces, type ReadReport, readTraces, untilDamaged } from '../../../io/read.ts'
import { resplit, splitterNamed } from '../../../io/steps/resplit.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { openText, type TextOut, type TraceWriter, traceWriter } from '../../../io/write.ts'
import type { AnnotateContext } from '../../../label/annotators/annotator.ts'
import { describeCapabilities } from '../../../models/endpoints/probe.ts'
import { type AuditItem, type AuditReport, audit } from '../../../prove/audit.ts'
import { auditReport, auditText } from '../../../prove/report/audit-report.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { type BoundRule, exploreEach, labelEach, relabelEach } from '../../pipeline/label.ts'
import { type LabelCost, labelCost } from '../../pipeline/label-cost.ts'
import { boundRuleNamed, type LabelPlan, labelPlan, refusalsOf } from '../../pipeline/label-plan.ts'
import { labelModelNamed, mergeFiles, type VoterFile } from '../../pipeline/merge.ts'
import { openPolicy, POLICY_FORMS, type PolicySpec, readPolicySpec } from '../../pipeline/open-policy.ts'
import { type RewardSpec, rewardName, rewardSpecs } from '../../pipeline/open-reward.ts'
import { openRewards } from '../../pipeline/open-rewards.ts'
import { type RolloutCheck, rolloutCheck, taskNamed } from '../../pipeline/rollout-check.ts'
import { readTaskSpec } from '../../pipeline/task-problems.ts'
import { type TreeWriter, treeWriter } from '../../pipeline/tree-writer.ts'
import { checkManyFlags, MANY_FLAGS } from '../many-flags.ts'
import {
  checkPolicyFlags,
  engineOf,
  leaveOnInterrupt,
  POLICY_FLAGS,
  policySettings,
  priceOf,
  ROLLOUTS_A_CALL,
  showProgress,
} from '../policy-flags.ts'
import { type ProblemSource, problemsToExplore, stubOf } from '../problem-source.ts'
import { REWARD_FLAGS, rewardSettings } from '../reward-flags.ts'
import { labelCostText } from '../show/label-cost.ts'
import { LabelSummary } from '../show/label-summary.ts'
import { leftOutLines } from '../show/left-out.ts'
import { mergeJson, mergeText } from '../show/merge-summary.ts'
import { showTrace } from '../show/trace.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const { seed, ...policyFlags } = POLICY_FLAGS
const Options = z.object({
  with: z
    .array(z.string())
    .optional()
    .describe('annotators, by name, with options as in omegaprm:k=16; all that apply offline where not given'),
  policy: z.string().optional().describe(`who continues traces: ${POLICY_FORMS}`),
  ...REWARD_FLAGS,
  task: z
    .string()
    .optional()
    .describe('built-in task of the problems where their domain does not say; without a file, name[:level] to explore'),
  problems: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('problems to explore at most: 100 of a task, all of a file'),
  samples: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('traces of each problem that is explored, at most; 8 where not given'),
  rule: z
    .string()
    .optional()
    .describe('label rule, with options as in hard:threshold=.5; fits the annotators where not given'),
  relabel: z.string().optional().describe('label rule over the evidence that the traces carry; looks at nothing anew'),
  dryRun: z.boolean().default(false).describe('say what would be sent where and spent, and stop'),
  merge: z
    .string()
    .optional()
    .describe('label model that merges the labels of several files instead of looking at steps'),
  gold: z.string().optional().describe('file with some labels of people, for label models that use them'),
  output: z.string().optional().describe('native traces with evidence, labels and verdict, one a line'),
  report: z.string().optional().describe('write a self-contained HTML report'),
  audit: z
    .string()
    .optional()
    .describe('compare annotators and rules with the exact oracle of the built-in task: report.html or .json'),
  trees: z
    .string()
    .optional()
    .describe('folder for the trees that annotators grow: trees.jsonl, one a line (omegaprm, mcts, alphamath)'),
  dot: z.boolean().default(false).describe('with --trees, a Graphviz file for each tree too'),
  format: z.string().optional().describe('format of the input where detection is wrong'),
  split: z.string().default('existing').describe('where a step ends; cuts the steps of traces without labels'),
  strict: z.boolean().default(false).describe('stop at the first bad record'),
  allowLocalExec: z.boolean().default(false).describe('run code of traces even where no isolating sandbox is there'),
  code: z.boolean().default(true).describe('do not run code of traces at all'),
  seed: seed.describe('of every random choice; an endpoint gets one only where given'),
  ...policyFlags,
  ...MANY_FLAGS,
  show: z.number().int().min(0).default(3).describe('traces with a first wrong step to print'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})
export type LabelOptions = z.output<typeof Options>

export const label = verb({
  name: 'label',
  summary: 'risk, evidence and first wrong step for every trace',
  arguments: '[file...]',
  options: Options,
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

/** A labelling run as it was asked for. */
export interface LabelRequest {
  files: readonly string[]
  options: LabelOptions
  plan: LabelPlan
  /** The rule of a run that looks at nothing anew. */
  relabel: BoundRule | null
  spec: PolicySpec | null
  check: RolloutCheck | undefined
  rewards: readonly RewardSpec[]
  /** What is explored, where the run does not begin with traces. */
  problems: ProblemSource | null
}

const rewardIdentity = (spec: RewardSpec): unknown => [rewardName(spec), 'url' in spec ? [spec.url, spec.model] : null]

/** Who makes evidence in a run. */
const namesOf = ({ explorer, annotators }: LabelPlan): string[] =>
  [...(explorer ? [explorer] : []), ...annotators].map((a) => a.name)

/** Traces of a problem where nobody says: four wrong and four right ones (papers/alphamath.md). */
const SAMPLES = 8

/** Traces are written so many at a time. */
const WRITTEN_TOGETHER = 64

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
  const { writer, report, audited: auditOut, trees, abandon } = await openOutputs(options)
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

  const audited: AuditItem[] = []
  let shown = 0
  let waiting: Trace[] = []
  try {
    for await (const one of done()) {
      if (one === null) {
        summary.unfinished++
        continue
      }
      await trees?.write(one.tree)
      for (const trace of one.traces) {
        summary.add(trace)
        if (options.audit !== undefined) audited.push(...auditItem(trace, options.task))
        const wrong = (trace.verdict?.firstError ?? -1) >= 0
        if (wrong && shown < options.show && options.output !== '-' && !options.json) {
          terminal.out(showTrace(trace, terminal))
          shown++
        }
        waiting.push(trace)
      }
      if (waiting.length < WRITTEN_TOGETHER) continue
      await writer?.write(waiting)
      waiting = []
    }
    await writer?.write(waiting)
  } catch (error) {
    await abandon()
    // What was asked before the first trace was labelled: the probe, the recovery rate.
    if (!engine?.stopped) throw error
    terminal.err(`${explain(engine.stopped)}\n  nothing was labelled\n`)
    return engine.stopped.code === 'GRD-RUN-002' ? EXIT.interrupted : EXIT.lost
  } finally {
    stopProgress()
  }
  if (summary.traces > 0 || !engine?.stopped) await writer?.close()
  else await writer?.abandon()
  await trees?.close()
  if (report) await writeReport(report, problems ? [problems.name] : files, summary)
  const known = auditOut && (await writeAudit(auditOut, audited, request, summary))
  if (engine) summary.ended(engine.counts, engine.stopped, engine.budget.spent)
  if (options.json) terminal.out(`${JSON.stringify({ ...summary.toJSON(), ...(known && { audit: known }) })}\n`)
  else if (options.output !== '-') terminal.out(summary.text({ shown, output: options.output, report: options.report }))
  if (known && !options.json && options.output !== '-') terminal.out(auditText(known))
  for (const error of summary.errors()) terminal.err(`${error}\n`)
  if (engine?.stopped?.code === 'GRD-RUN-002') return EXIT.interrupted
  return summary.lost > 0 || summary.failedCalls > 0 || summary.failed > 0 || engine?.stopped ? EXIT.lost : EXIT.done
}

function readOptions({ strict, format }: LabelOptions): { strict: boolean; format?: string } {
  return { strict, ...(format !== undefined && { format }) }
}

async function costOf({ files, options, plan, spec, check, rewards, problems }: LabelRequest): Promise<LabelCost> {
  async function* batches(): AsyncGenerator<Trace[]> {
    if (problems) yield problems.problems.map(stubOf)
    for (const file of problems ? [] : files) {
      const { report: reading, batches: read } = await openTraces(file, readOptions(options))
      yield* untilDamaged(read, reading, options.strict)
    }
  }
  const prices = { policy: priceOf(options), rewards: rewardSettings(options, {}).price ?? null }
  return await labelCost(batches(), plan, { spec, check, rewards }, prices)
}

/** All outputs are opened before the work, so that a wrong name costs nothing. */
async function openOutputs(options: LabelOptions) {
  const texts: TextOut[] = []
  let writer: TraceWriter | null = null
  let trees: TreeWriter | null = null
  const abandon = async (): Promise<void> => {
    await writer?.abandon()
    await trees?.abandon()
    for (const text of texts) await text.abandon()
  }
  const text = async (path: string | undefined): Promise<TextOut | null> => {
    if (path === undefined) return null
    const opened = await openText(path)
    texts.push(opened)
    return opened
  }
  try {
    const report = await text(options.report)
    const audited = await text(options.audit)
    writer = options.output === undefined ? null : await traceWriter(options.output, undefined, { index: true })
    trees = options.trees === undefined ? null : await treeWriter(options.trees, options.dot)
    return { writer, report, audited, trees, abandon }
  } catch (error) {
    await abandon()
    throw error
  }
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

/** What the audit sees of a trace of a built-in task; nothing of others. */
function auditItem(trace: Trace, task: string | undefined): AuditItem[] {
  const own = task === undefined ? taskOf(trace.problem) : taskNamed(task)
  if (!own || trace.steps.length === 0) return []
  const texts = trace.steps.map((step) => step.text)
  const truths = own.oracle(trace.problem, texts)
  return [{ question: questionOf(trace.problem), truths, evidence: trace.evidence ?? [] }]
}

/** @throws GradusError GRD-EVAL-001 where no trace is of a built-in task */
async function writeAudit(
  out: TextOut,
  items: readonly AuditItem[],
  { files, options, plan, relabel, problems }: LabelRequest,
  summary: LabelSummary,
): Promise<AuditReport> {
  if (items.length === 0) {
    await out.abandon()
    throw new GradusError('GRD-EVAL-001', {
      found: 'no trace of a built-in task',
      expected: 'traces whose steps an oracle knows',
      try: ['gradus sample --task arithmetic-chain:1 --policy inject -o traces.jsonl'],
    })
  }
  const seen = new Set(items.flatMap((item) => item.evidence.map((e) => e.source)))
  const names = relabel ? [...seen].sort() : namesOf(plan).filter((name) => seen.has(name))
  const known = audit(
    items,
    names.map((annotator) => ({
      annotator,
      usage: relabel ? storedUsage(items, annotator) : summary.spentBy(annotator),
    })),
    relabel ?? plan.rule,
  )
  const title = `Audit of ${problems?.name ?? files.join(', ')}`
  await out.write(options.audit?.endsWith('.json') ? `${JSON.stringify(known)}\n` : await auditReport(title, known))
  await out.close()
  return known
}

/** What evidence that was stored earlier cost, as far as it says. */
function storedUsage(items: readonly AuditItem[], annotator: string): Usage {
  const own = items.flatMap((item) => item.evidence.filter((e) => e.source === annotator))
  return own.reduce((sum, e) => addUsage(sum, ('usage' in e && e.usage) || NO_USAGE), NO_USAGE)
}

async function writeReport(out: TextOut, files: readonly string[], summary: LabelSummary): Promise<void> {
  const { labelReport } = await import('../../../prove/report/label-report.ts')
  await out.write(await labelReport({ title: `Labels of ${files.join(', ')}`, files, ...summary.forReport() }))
  await out.close()
}
