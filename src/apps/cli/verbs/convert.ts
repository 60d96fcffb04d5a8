import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import type { Trace } from '../../../core/words.ts'
import { formatNamed, leftOut as leftOutOf, openTraces, untilDamaged } from '../../../io/read.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { traceWriter } from '../../../io/write.ts'
import { count } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  from: z.string().optional().describe('format of the input; detected where not given'),
  to: z.string().default('gradus').describe('format of the output'),
  output: z.string().default('-').describe('file to write; .gz and .parquet understood'),
  strict: z.boolean().default(false).describe('stop at the first bad record'),
  json: z.boolean().default(false).describe('what was done, as JSON on standard error'),
})

export const convert = verb({
  name: 'convert',
  summary: 'between trace formats',
  arguments: '<file...>',
  options: Options,
  examples: [
    'gradus convert processbench.json.gz -o traces.jsonl',
    'gradus convert traces.jsonl --to processbench -o traces.json',
  ],
  async run(files, options, terminal) {
    if (files.length === 0)
      throw new GradusError('GRD-CLI-001', { found: 'no file', expected: 'files with traces, or -' })
    const format = formatNamed(options.to)
    await refuseInputAsOutput(files, options.output)
    const writer = await traceWriter(options.output, format)
    let written = 0
    let lost = 0
    const leftOut: GradusError[] = []
    try {
      for (const file of files) {
        const { report, batches } = await openTraces(file, {
          strict: options.strict,
          ...(options.from !== undefined && { format: options.from }),
        })
        for await (const batch of untilDamaged(batches, report, options.strict)) {
          const kept = batch.filter((trace) => {
            const error = holds(format.write, trace)
            if (error) leftOut.push(error)
            return error === null
          })
          await writer.write(kept)
          written += kept.length
        }
        lost += leftOutOf(report)
      }
      if (leftOut[0] && (options.strict || written === 0)) throw leftOut[0]
    } catch (error) {
      await writer.abandon()
      throw error
    }
    await writer.close()
    lost += leftOut.length
    const done = { written, leftOut: lost, to: options.to, output: options.output, errors: leftOut.slice(0, 10) }
    terminal.err(
      options.json
        ? `${JSON.stringify(done)}\n`
        : `${count(written)} traces written as ${options.to}${lost > 0 ? `, ${count(lost)} left out${leftOut[0] ? ` (${leftOut[0].found})` : ''}` : ''}\n`,
    )
    return lost > 0 ? EXIT.lost : EXIT.done
  },
})

/** Can the format hold this trace? The error if not. */
function holds(write: ((traces: readonly Trace[]) => unknown[]) | undefined, trace: Trace): GradusError | null {
  try {
    write?.([trace])
    return null
  } catch (error) {
    if (error instanceof GradusError && error.code === 'GRD-IO-011') return error
    throw error
  }
}
