import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { openTraces, type ReadReport, readTraces, untilDamaged } from '../../../io/read.ts'
import { resplit, splitterNamed } from '../../../io/steps/resplit.ts'
import { openText, traceWriter } from '../../../io/write.ts'
import { OFFLINE_ANNOTATORS } from '../../../label/annotators/index.ts'
import { annotatorsNamed, labelTraces } from '../../pipeline/label.ts'
import { labelModelNamed, mergeFiles, type VoterFile } from '../../pipeline/merge.ts'
import { LabelSummary } from '../show/label-summary.ts'
import { mergeJson, mergeText } from '../show/merge-summary.ts'
import { showTrace } from '../show/trace.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  with: z.array(z.string()).optional().describe('annotators, by name; all that apply offline where not given'),
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
    const annotators = options.with === undefined ? OFFLINE_ANNOTATORS : annotatorsNamed(options.with)
    const context = {
      allowCode: options.code,
      allowLocalExec: options.allowLocalExec,
      seed: options.seed,
      spend: () => {},
    }
    const splitter = splitterNamed(options.split)
    const writer = options.output === undefined ? null : await traceWriter(options.output)
    const summary = new LabelSummary(annotators.map((a) => a.name))
    let shown = 0
    try {
      for (const file of files) {
        const { report, batches } = await openTraces(file, {
          strict: options.strict,
          ...(options.format !== undefined && { format: options.format }),
        })
        for await (const batch of untilDamaged(batches, report, options.strict)) {
          const cut = await Promise.all(batch.map((trace) => resplit(trace, splitter)))
          const labelled = await labelTraces(cut, annotators, context)
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
        summary.addReport(report)
      }
    } catch (error) {
      await writer?.abandon()
      throw error
    }
    await writer?.close()
    if (options.report !== undefined) await writeReport(options.report, files, summary)
    if (options.json) terminal.out(`${JSON.stringify(summary.toJSON())}\n`)
    else if (options.output !== '-')
      terminal.out(summary.text({ shown, output: options.output, report: options.report }))
    for (const error of summary.errors()) terminal.err(`${error}\n`)
    return summary.lost > 0 ? EXIT.lost : EXIT.done
  },
})

/** Labels of several files, merged: `gradus label --merge dawid-skene judges/*.jsonl -o merged.jsonl`. */
async function merge(
  files: readonly string[],
  options: z.output<typeof Options> & { merge: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const model = labelModelNamed(options.merge)
  const voters: VoterFile[] = []
  const reports: ReadReport[] = []
  for (const file of files) {
    const { traces, report } = await readTraces(file, { strict: options.strict })
    voters.push({ file, traces })
    reports.push(report)
  }
  const gold = options.gold === undefined ? [] : (await readTraces(options.gold)).traces
  const merged = mergeFiles(voters, model, gold)
  if (options.output !== undefined) {
    const writer = await traceWriter(options.output)
    await writer.write(merged.traces)
    await writer.close()
  }
  if (options.json) terminal.out(`${JSON.stringify(mergeJson(model.name, merged, reports))}\n`)
  else if (options.output !== '-') terminal.out(mergeText(model.name, merged, options.output))
  return reports.some((r) => r.rejected.length > 0) ? EXIT.lost : EXIT.done
}

async function writeReport(path: string, files: readonly string[], summary: LabelSummary): Promise<void> {
  const { labelReport } = await import('../../../prove/report/label-report.ts')
  const out = await openText(path)
  await out.write(await labelReport({ title: `Labels of ${files.join(', ')}`, files, ...summary.forReport() }))
  await out.close()
}
