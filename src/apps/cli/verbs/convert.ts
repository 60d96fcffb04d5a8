import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import type { Trace } from '../../../core/words.ts'
import { datasetWriter } from '../../../io/dataset-folder.ts'
import type { Format } from '../../../io/formats/format.ts'
import { formatNamed, leftOut as leftOutOf, openTraces, untilDamaged } from '../../../io/read.ts'
import { type SelfCheck, selfCheck } from '../../../io/self-check.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { traceWriter } from '../../../io/write.ts'
import { version } from '../../package-root.ts'
import { count } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  from: z.string().optional().describe('format of the input; detected where not given'),
  to: z.string().default('gradus').describe('format of the output'),
  output: z
    .string()
    .default('-')
    .describe('file to write; .gz and .parquet understood; FOLDER/ makes a Hugging Face data set with a card'),
  check: z.boolean().default(false).describe('read the output again and compare it with what was written'),
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
    'gradus convert labelled.jsonl --to trl --check -o train.parquet',
    'gradus convert labelled.jsonl --to trl -o my-dataset/',
  ],
  async run(files, options, terminal) {
    if (files.length === 0)
      throw new GradusError('GRD-CLI-001', { found: 'no file', expected: 'files with traces, or -' })
    const format = formatNamed(options.to)
    await refuseInputAsOutput(files, options.output)
    const folder = options.output.endsWith('/')
    const check = options.check && !folder ? checkOf(format, options.output) : null
    const writer = folder
      ? await datasetWriter(options.output, format, await version())
      : await traceWriter(options.output, format)
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
          check?.wrote(kept)
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
    await check?.verify(options.output)
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

/** @throws GradusError GRD-CLI-002 where the output cannot be read again, or not record by record */
function checkOf(format: Format, output: string): SelfCheck {
  const check = output === '-' ? null : selfCheck(format)
  if (check) return check
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--check' },
    found: output === '-' ? 'standard output' : `${format.name}, whose records do not stand alone`,
    expected: 'a file with one trace a record',
  })
}

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
