import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import type { Usage } from '../../../core/words.ts'
import { leftOut, openTraces, type ReadReport, readTraces, untilDamaged } from '../../../io/read.ts'
import { resplit, splitterNamed } from '../../../io/steps/resplit.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { openText, type TextOut, type TraceWriter, traceWriter } from '../../../io/write.ts'
import { labelTraces, relabelTrace } from '../../pipeline/label.ts'
import { boundRuleNamed, type LabelPlan, labelPlan } from '../../pipeline/label-plan.ts'
import { labelModelNamed, mergeFiles, type VoterFile } from '../../pipeline/merge.ts'
import { rolloutPolicyNamed } from '../../pipeline/rollout-policy.ts'
import { LabelSummary } from '../show/label-summary.ts'
import { leftOutLines } from '../show/left-out.ts'
import { mergeJson, mergeText } from '../show/merge-summary.ts'
import { count } from '../show/style.ts'
import { showTrace } from '../show/trace.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  with: z
    .array(z.string())
    .optional()
    .describe('annotators, by name, with options as in omegaprm:k=16; all that apply offline where not given'),
  policy: z
    .string()
    .optional()
    .describe('who continues traces: task[:slip=.06,recovery=0,rescue=0], the completer of the built-in task'),
  task: z.string().optional().describe('built-in task of the problems where their domain does not say'),
  rule: z
    .string()
    .optional()
    .describe('label rule, with options as in hard:threshold=.5; fits the annotators where not given'),
  relabel: z.string().optional().describe('label rule over the evidence that the traces carry; looks at nothing anew'),
  dryRun: z.boolean().default(false).describe('say what would be spent, and spend nothing'),
  merge: z
    .string()
    .optional()
    .describe('label model that merges the labels of several files instead of looking at steps'),
  gold: z.string().optional().describe('file with some labels of people, for label models that use them'),
  output: z.string().optional().describe('native traces with evidence, labels and verdict, one a line'),
  report: z.string().optional().describe('write a self-contained HTML report'),
  format: z.string().optional().describe('format of the input where detection is wrong'),
  split: z.string().default('existing').describe('where a step ends; cuts the steps of traces without labels'),
  strict: z.boolean().default(false).describe('stop at the first bad record'),
  allowLocalExec: z.boolean().default(false).describe('run code of traces even where no isolating sandbox is there'),
  code: z.boolean().default(true).describe('do not run code of traces at all'),
  seed: z.string().default('0').describe('name of the seed of every random choice'),
  show: z.number().int().min(0).default(3).describe('traces with a first wrong step to print'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})

export const label = verb({
  name: 'label',
  summary: 'risk, evidence and first wrong step for every trace',
  arguments: '<file...>',
  options: Options,
  examples: [
    'gradus label runs.jsonl -o labelled.jsonl',
    'gradus label runs.jsonl --with arithmetic',
    'gradus label chains.jsonl --with monte-carlo:k=16 --policy task:slip=.06 -o rolled.jsonl',
    'gradus label rolled.jsonl --relabel relative-progress',
    'gradus label --merge dawid-skene judges/*.jsonl -o merged.jsonl',
  ],
  async run(files, options, terminal) {
    if (files.length === 0)
      throw new GradusError('GRD-CLI-001', {
        found: 'no file',
        expected: 'files with traces, or -',
        try: ['gradus label --help'],
      })
    if (options.merge !== undefined) return await merge(files, { ...options, merge: options.merge }, terminal)
    const policy =
      options.policy === undefined ? undefined : rolloutPolicyNamed(options.policy, options.seed, options.task)
    const plan = labelPlan({ with: options.with, rule: options.rule, policy })
    const relabel = options.relabel === undefined ? null : boundRuleNamed(options.relabel)
    const splitter = splitterNamed(options.split)
    const summary = new LabelSummary(relabel ? [] : plan.annotators.map((a) => a.name))
    const context = {
      allowCode: options.code,
      allowLocalExec: options.allowLocalExec,
      seed: options.seed,
      spend: (usage: Usage) => summary.spend(usage),
    }
    if (options.dryRun) return await dryRun(files, options, plan, terminal)
    await refuseInputAsOutput(files, options.output)
    const report = options.report === undefined ? null : await openText(options.report)
    const writer = await optionalWriter(options.output, report)
    let shown = 0
    let measured = false
    try {
      for (const file of files) {
        const { report: reading, batches } = await openTraces(file, {
          strict: options.strict,
          ...(options.format !== undefined && { format: options.format }),
        })
        for await (const batch of untilDamaged(batches, reading, options.strict)) {
          const cut = await Promise.all(batch.map((trace) => resplit(trace, splitter)))
          if (policy && !relabel) summary.withoutPolicy += cut.filter((trace) => policy.of(trace) === null).length
          if (!relabel && !measured) {
            measured = true
            const rate = await plan.prepare(cut, context.spend)
            if (rate) summary.recovery(rate, plan.warning(rate))
          }
          const labelled = relabel
            ? cut.map((trace) => relabelTrace(trace, relabel))
            : await labelTraces(cut, plan.annotators, context, plan.rule)
          for (const done of labelled) {
            summary.add(done)
            const wrong = (done.verdict?.firstError ?? -1) >= 0
            if (wrong && shown < options.show && options.output !== '-' && !options.json) {
              terminal.out(showTrace(done, terminal))
              shown++
            }
          }
          await writer?.write(labelled)
        }
        summary.addReport(reading)
      }
    } catch (error) {
      await writer?.abandon()
      await report?.abandon()
      throw error
    }
    await writer?.close()
    if (report) await writeReport(report, files, summary)
    if (options.json) terminal.out(`${JSON.stringify(summary.toJSON())}\n`)
    else if (options.output !== '-')
      terminal.out(summary.text({ shown, output: options.output, report: options.report }))
    for (const error of summary.errors()) terminal.err(`${error}\n`)
    return summary.lost > 0 ? EXIT.lost : EXIT.done
  },
})

/** Both outputs are opened before the work, so that a wrong name costs nothing. */
async function optionalWriter(output: string | undefined, report: TextOut | null): Promise<TraceWriter | null> {
  try {
    return output === undefined ? null : await traceWriter(output)
  } catch (error) {
    await report?.abandon()
    throw error
  }
}

/** What a run would cost at most, for a person or a program. */
async function dryRun(
  files: readonly string[],
  options: z.output<typeof Options>,
  plan: LabelPlan,
  terminal: Terminal,
): Promise<ExitCode> {
  const total = { traces: 0, covered: 0, rollouts: 0, characters: 0 }
  for (const file of files) {
    const format = options.format === undefined ? {} : { format: options.format }
    for (const trace of (await readTraces(file, { strict: options.strict, ...format })).traces) {
      const rolling = plan.annotators.filter((a) => a.expect && a.applies(trace))
      const rollouts = rolling.reduce((n, a) => n + (a.expect?.(trace).rollouts ?? 0), 0)
      total.traces++
      if (rolling.length > 0) total.covered++
      total.rollouts += rollouts
      // A rollout from the middle writes half a trace.
      total.characters += (rollouts * trace.steps.reduce((n, step) => n + step.text.length + 1, 0)) / 2
    }
  }
  const tokens = Math.round(total.characters)
  terminal.out(
    options.json
      ? `${JSON.stringify({ dryRun: true, ...total, characters: tokens })}\n`
      : [
          `  ${count(total.traces)} traces, of which ${count(total.covered)} can be continued`,
          `  at most ${count(total.rollouts)} rollouts, some ${count(tokens)} characters of new steps   ${options.policy ?? 'no policy'}`,
          '  nothing was spent',
          '',
        ].join('\n'),
  )
  return EXIT.done
}

/** Labels of several files, merged: `gradus label --merge dawid-skene judges/*.jsonl -o merged.jsonl`. */
async function merge(
  files: readonly string[],
  options: z.output<typeof Options> & { merge: string },
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
    const writer = await traceWriter(options.output)
    await writer.write(merged.traces)
    await writer.close()
  }
  if (options.json) terminal.out(`${JSON.stringify(mergeJson(model.name, merged, reports))}\n`)
  else if (options.output !== '-') terminal.out(mergeText(model.name, merged, options.output))
  for (const line of leftOutLines(reports)) terminal.err(`${line}\n`)
  return reports.some((report) => leftOut(report) > 0) ? EXIT.lost : EXIT.done
}

async function writeReport(out: TextOut, files: readonly string[], summary: LabelSummary): Promise<void> {
  const { labelReport } = await import('../../../prove/report/label-report.ts')
  await out.write(await labelReport({ title: `Labels of ${files.join(', ')}`, files, ...summary.forReport() }))
  await out.close()
}
