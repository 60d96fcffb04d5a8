import { GradusError } from '../core/errors.ts'
import { contentHash } from '../core/hash.ts'
import type { Trace } from '../core/words.ts'
import type { Format } from './formats/format.ts'
import { recordsOf } from './formats/write.ts'
import { readTraces } from './read.ts'

/** Does a file say what was written to it? */
export interface SelfCheck {
  /** Notes what is written. */
  wrote(traces: readonly Trace[]): void
  /**
   * Reads the file and writes each trace again, in memory: the records must be the same.
   * @returns how many traces were compared
   * @throws GradusError GRD-IO-015 that names the first trace that differs
   */
  verify(file: string): Promise<number>
}

/** Only for formats of which each record stands alone; others have a part of the file in every record. */
export function selfCheck(format: Format): SelfCheck | null {
  if (format.unit !== 'record' || format.single || !format.write) return null
  const noted: { id: string; hash: string }[] = []
  return {
    wrote(traces) {
      for (const trace of traces) noted.push({ id: trace.id, hash: hashOf(format, trace) })
    },
    async verify(file) {
      const { traces, report } = await readTraces(file, { format: format.name })
      const differs = (id: string, found: string, cause?: unknown): GradusError =>
        new GradusError('GRD-IO-015', {
          where: { file, field: `trace ${id}` },
          found,
          expected: 'the trace that was written',
          try: ['write the native format instead: -o OUT.jsonl'],
          cause,
        })
      if (report.rejected[0]) throw differs('?', report.rejected[0].message, report.rejected[0])
      for (const [i, { id, hash }] of noted.entries()) {
        const again = traces[i]
        if (!again) throw differs(id, `${traces.length} of ${noted.length} traces`)
        if (hashOf(format, again) !== hash) throw differs(id, 'another record')
      }
      if (traces.length > noted.length) throw differs('?', `${traces.length} traces of ${noted.length}`)
      return noted.length
    },
  }
}

/** What the format says of a trace; columns of a Parquet file that other rows have come back as null. */
function hashOf(format: Format, trace: Trace): string {
  return contentHash(withoutNulls(JSON.parse(JSON.stringify(recordsOf(format, [trace])))))
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  )
}
