import { createWriteStream, type WriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGzip } from 'node:zlib'
import { GradusError } from '../core/errors.ts'
import type { Trace } from '../core/words.ts'
import type { Format } from './formats/format.ts'
import { native } from './formats/native.ts'
import { cannotHold, recordsOf } from './formats/write.ts'
import { cannotWrite, targetOf } from './target.ts'
import type { IndexBeside } from './trace-index/beside.ts'
import type { RecordWriter, TraceWriter } from './trace-writer.ts'

/**
 * Writes traces to a file (`.gz` and `.parquet` understood by name) or to standard output (`-`).
 * @param options `index`: put an index beside a large native file (`IndexBeside`), so that it is looked at without reading it
 * @throws GradusError GRD-IO-011 where the format has no writer or cannot hold a trace, GRD-IO-013/014 on a write error
 */
export async function traceWriter(
  path: string,
  format: Format = native,
  options: { index?: boolean } = {},
): Promise<TraceWriter> {
  if (!format.write) {
    throw new GradusError('GRD-IO-011', {
      found: `format ${format.name} can be read but not written`,
      try: ['gradus methods formats'],
    })
  }
  if (path.endsWith('.parquet')) return (await import('./parquet-writer.ts')).parquetWriter(path, format)
  const out = await openText(path)
  const json = format.container === 'json'
  const beside = options.index === true && format === native ? await indexFor(path) : null
  let first = true
  let held = 0
  return {
    async write(traces) {
      held += traces.length
      const [trace] = traces
      if (format.single && held > 1 && trace) throw onlyOne(trace, format.name)
      const records = recordsOf(format, traces)
      const bodies = records.map((record) => (format.container === 'text' ? String(record) : JSON.stringify(record)))
      beside?.add(traces, bodies)
      let text = ''
      for (const body of bodies) {
        text += json ? `${first ? '[\n' : ',\n'}${body}` : `${body}\n`
        first = false
      }
      if (text !== '') await out.write(text)
    },
    async close() {
      if (json) await out.write(first ? '[]\n' : '\n]\n')
      await out.close()
      await beside?.close()
    },
    async abandon() {
      await beside?.abandon()
      await out.abandon()
    },
  }
}

/**
 * Writes objects, one JSON a line, to a file (`.gz` and `.parquet` understood by name) or to standard output (`-`). In Parquet
 * each field is a column; lists and structs that are alike in all rows are written as such.
 * @throws GradusError GRD-IO-013/014 on a write error
 */
export async function recordWriter<T extends object>(path: string): Promise<RecordWriter<T>> {
  if (path.endsWith('.parquet')) {
    const rows = await (await import('./parquet-writer.ts')).parquetRecords(path, false)
    return { ...rows, write: (records) => rows.write(records as readonly Record<string, unknown>[]) }
  }
  const out = await openText(path)
  return {
    write: async (records) => {
      for (const record of records) await out.write(`${JSON.stringify(record)}\n`)
    },
    close: () => out.close(),
    abandon: () => out.abandon(),
  }
}

/** Nothing is put beside streams, devices and packed files. */
async function indexFor(path: string): Promise<IndexBeside | null> {
  const info = await stat(path).catch(() => null)
  if (path === '-' || path.endsWith('.gz') || (info && !info.isFile())) return null
  return await (await import('./trace-index/beside.ts')).IndexBeside.open(path)
}

const onlyOne = (trace: Trace, format: string): GradusError =>
  cannotHold(trace, format, 'more than one trace', 'one trace a file', 'convert each trace to a file of its own')

/** Text that waits to be written, at most. */
const BUFFER_BYTES = 1 << 18

/** Text in order; nothing stands under the final name before `close`. */
export interface TextOut {
  write(text: string): Promise<void>
  close(): Promise<void>
  abandon(): Promise<void>
}

/** Writes text to a file whose final name appears at `close`, or to standard output (`-`). */
export async function openText(path: string): Promise<TextOut> {
  if (path === '-') {
    const nothing = async (): Promise<void> => {}
    return { write: (text) => writeTo(process.stdout, text, 'standard output'), close: nothing, abandon: nothing }
  }
  const target = await targetOf(path)
  const file = createWriteStream(target.name, { highWaterMark: BUFFER_BYTES })
  const abandon = async (): Promise<void> => {
    file.destroy()
    await target.discard()
  }
  /** A failure leaves nothing behind. */
  const orAbandon = async (done: Promise<void>): Promise<void> => {
    try {
      await done
    } catch (error) {
      await abandon()
      throw error
    }
  }
  await orAbandon(opened(file, path))
  const zip = path.endsWith('.gz') ? createGzip() : null
  zip?.on('error', () => {})
  zip?.pipe(file)
  const finished = new Promise<void>((resolve, reject) => {
    file.once('finish', resolve)
    file.once('error', (cause) => {
      // A pipe does not pass errors on: the writer would wait for ever.
      zip?.destroy(cause)
      reject(cannotWrite(path, cause))
    })
  })
  let failure: unknown
  finished.catch((error: unknown) => {
    failure = error
  })
  /** Waits only for a full buffer: a turn of the event loop for each text is long where a policy computes in this process. */
  const put = async (text: string): Promise<void> => {
    if (failure !== undefined) throw failure
    const stream = zip ?? file
    if (stream.write(text)) return
    await Promise.race([new Promise<void>((resolve) => stream.once('drain', resolve)), finished])
  }
  return {
    write: (text) => orAbandon(put(text)),
    async close() {
      ;(zip ?? file).end()
      await orAbandon(finished.then(() => target.commit()))
    },
    abandon,
  }
}

function opened(file: WriteStream, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    file.once('open', () => resolve())
    file.once('error', (cause) => reject(cannotWrite(path, cause)))
  })
}

function writeTo(stream: NodeJS.WriteStream, text: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(cannotWrite(path, error)) : resolve()))
  })
}
