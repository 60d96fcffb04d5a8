import { z } from 'zod'
import { describePlace } from '../../core/errors.ts'
import { leftOut, openTraces, untilDamaged } from '../../io/read.ts'
import { addTrace, emptyContents } from '../pipeline/contents.ts'
import { fileUnder } from './files.ts'
import { shortened, shownId, tool } from './tool.ts'

/** Of each list in an answer. */
const SHOWN = 20
const CHARACTERS = 200

const Counts = z.record(z.string(), z.number())
const Output = z.object({
  format: z.string(),
  container: z.string().describe('how the records stand in the file: jsonl, json, parquet, text'),
  records: z.number().int(),
  runs: z.number().int(),
  steps: z.number().int(),
  labels: z.number().int(),
  ids: z.array(z.string()).describe('of the first runs; find_first_error takes one'),
  firstErrors: z.object({ wrong: z.number(), clean: z.number(), unlabelled: z.number() }).describe('runs by label'),
  stepLabels: Counts.describe('step labels by class'),
  generators: Counts.describe('who wrote the runs'),
  oddities: z.array(z.object({ name: z.string(), count: z.number().int(), example: z.string() })),
  leftOut: z.number().int().describe('records, or parts of them, that cannot be read'),
  problems: z
    .array(z.object({ code: z.string(), where: z.string(), found: z.string() }))
    .describe('the first of these, with the reason'),
})
type Output = z.output<typeof Output>

export const inspectTraces = tool({
  name: 'inspect_traces',
  title: 'What is in a file of runs?',
  description:
    'What a file of runs or labels holds: its format, how many runs and steps, the ids of the first runs, labels and their balance, oddities, and records that break an invariant. Look here first where a file is unknown.',
  input: z.strictObject({
    path: z.string().describe('file, relative to the folder of the server; plain, gzip or Parquet'),
    format: z.string().optional().describe('format, where it is not recognised'),
  }),
  output: Output,
  asksModels: false,
  async run({ path, format }, { services, signal }) {
    const file = await fileUnder(services.root, path)
    const { report, batches } = await openTraces(file, format === undefined ? {} : { format })
    const contents = emptyContents()
    const ids: string[] = []
    for await (const batch of untilDamaged(batches, report, false)) {
      signal.throwIfAborted()
      for (const trace of batch) {
        addTrace(contents, trace)
        if (ids.length < SHOWN) ids.push(shownId(trace.id))
      }
    }
    const data: Output = {
      format: report.format,
      container: report.container,
      records: report.records,
      runs: report.traces,
      steps: contents.steps,
      labels: contents.labels,
      ids,
      firstErrors: contents.firstErrors,
      stepLabels: most(contents.balance),
      generators: most(contents.generators),
      oddities: Object.entries(report.oddities)
        .slice(0, SHOWN)
        .map(([name, { count, example }]) => ({ name, count, example: shortened(example, CHARACTERS) })),
      leftOut: leftOut(report),
      problems: report.rejected.slice(0, SHOWN).map(({ code, where, found, message }) => ({
        code,
        where: describePlace(where),
        found: shortened(found ?? message, CHARACTERS),
      })),
    }
    return { data, text: inWords(data) }
  },
})

/** The most frequent ones; a file may name a generator a run. */
function most(counts: Record<string, number>): Record<string, number> {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1])
  return Object.fromEntries(entries.slice(0, SHOWN).map(([name, n]) => [shortened(name, CHARACTERS), n]))
}

function inWords({
  format,
  container,
  runs,
  steps,
  labels,
  ids,
  leftOut: lost,
  problems,
  firstErrors,
}: Output): string {
  return [
    `${format} (${container}): ${runs} runs, ${steps} steps, ${labels} labels; ${firstErrors.wrong} with a labelled first error, ${firstErrors.clean} labelled clean, ${firstErrors.unlabelled} not labelled.`,
    `Ids: ${ids.join(', ')}${runs > ids.length ? ', ...' : ''}`,
    lost === 0 ? 'Everything could be read.' : `${lost} left out:`,
    ...problems.map((p) => `  ${p.where}: ${p.code} ${p.found}`),
  ].join('\n')
}
