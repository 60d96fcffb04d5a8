import { z } from 'zod'
import { describePlace, GradusError } from '../../../core/errors.ts'
import { leftOut, openTraces, type ReadReport, untilDamaged } from '../../../io/read.ts'
import { addTrace, type Contents, emptyContents } from '../../pipeline/contents.ts'
import { count } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  format: z.string().optional().describe('format of the file where detection is wrong'),
  json: z.boolean().default(false).describe('one JSON object a file'),
})

export const inspect = verb({
  name: 'inspect',
  summary: 'what is in a file: records, labels, balance, oddities',
  arguments: '<file...>',
  options: Options,
  examples: ['gradus inspect runs.jsonl', 'gradus inspect data.json.gz --json'],
  async run(files, options, terminal) {
    if (files.length === 0)
      throw new GradusError('GRD-CLI-001', { found: 'no file', expected: 'files with traces, or -' })
    let lost = 0
    let unreadable = 0
    for (const file of files) {
      try {
        const { report, batches } = await openTraces(
          file,
          options.format === undefined ? {} : { format: options.format },
        )
        const contents = emptyContents()
        for await (const batch of untilDamaged(batches, report, false))
          for (const trace of batch) addTrace(contents, trace)
        lost += leftOut(report)
        terminal.out(options.json ? `${JSON.stringify({ ...report, ...contents })}\n` : text(report, contents))
      } catch (error) {
        if (!(error instanceof GradusError) || files.length === 1) throw error
        unreadable++
        terminal.out(
          options.json
            ? `${JSON.stringify({ file, error })}\n`
            : `${file}\n  ${error.code} ${error.found ?? error.message}\n\n`,
        )
      }
    }
    return unreadable === files.length ? EXIT.usage : lost + unreadable > 0 ? EXIT.lost : EXIT.done
  },
})

function text(report: ReadReport, contents: Contents): string {
  const { firstErrors } = contents
  const rows: [string, string][] = [
    ['format', `${report.format} (${report.container})`],
    ['records', count(report.records)],
    ['traces', `${count(report.traces)}   ${count(contents.steps)} steps   ${count(contents.labels)} labels`],
    [
      'first error',
      `${count(firstErrors.wrong)} with a wrong step   ${count(firstErrors.clean)} without   ${count(firstErrors.unlabelled)} not labelled`,
    ],
  ]
  if (Object.keys(contents.balance).length > 0) rows.push(['step labels', tally(contents.balance)])
  rows.push(['written by', tally(contents.generators, 5)])
  for (const [name, { count: n, example }] of Object.entries(report.oddities))
    rows.push(['odd', `${count(n)} x ${name}${example === '' ? '' : ` (as ${example})`}`])
  rows.push(['rejected', leftOut(report) === 0 ? 'none' : tally(report.rejectedByCode)])
  for (const error of report.rejected.slice(0, 3))
    rows.push(['', `${describePlace(error.where)}: ${error.found ?? ''}`])
  return `${report.file}\n${rows.map(([key, value]) => `  ${key.padEnd(12)} ${value}`).join('\n')}\n\n`
}

function tally(counts: Record<string, number>, most = 12): string {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1])
  const shown = entries.slice(0, most).map(([name, n]) => `${name} ${count(n)}`)
  return `${shown.join(', ')}${entries.length > most ? `, and ${entries.length - most} more` : ''}`
}
