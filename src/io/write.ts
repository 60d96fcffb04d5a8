import { createWriteStream, type WriteStream } from 'node:fs'
import { rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createGzip, type Gzip } from 'node:zlib'
import { GradusError } from '../core/errors.ts'
import type { Trace } from '../core/words.ts'
import type { Format } from './formats/format.ts'
import { native } from './formats/native.ts'
import { cannotHold, recordsOf } from './formats/write.ts'

/** Takes traces in order; nothing stands under the final name before `close`. */
export interface TraceWriter {
  write(traces: readonly Trace[]): Promise<void>
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/**
 * Writes traces to a file (`.gz` and `.parquet` understood by name) or to standard output (`-`).
 * @throws GradusError GRD-IO-011 where the format has no writer or cannot hold a trace, GRD-IO-013 on a write error
 */
export async function traceWriter(path: string, format: Format = native): Promise<TraceWriter> {
  if (!format.write) {
    throw new GradusError('GRD-IO-011', {
      found: `format ${format.name} can be read but not written`,
      try: ['gradus methods formats'],
    })
  }
  if (path.endsWith('.parquet')) return (await import('./parquet-writer.ts')).parquetWriter(path, format)
  const out = await openText(path)
  const json = format.container === 'json'
  let first = true
  let held = 0
  return {
    async write(traces) {
      held += traces.length
      const [trace] = traces
      if (format.single && held > 1 && trace) throw onlyOne(trace, format.name)
      const records = recordsOf(format, traces)
      let text = ''
      for (const record of records) {
        const body = format.container === 'text' ? String(record) : JSON.stringify(record)
        text += json ? `${first ? '[\n' : ',\n'}${body}` : `${body}\n`
        first = false
      }
      if (text !== '') await out.write(text)
    },
    async close() {
      if (json) await out.write(first ? '[]\n' : '\n]\n')
      await out.close()
    },
    abandon: out.abandon,
  }
}

const onlyOne = (trace: Trace, format: string): GradusError =>
  cannotHold(trace, format, 'more than one trace', 'one trace a file', 'convert each trace to a file of its own')

interface TextOut {
  write(text: string): Promise<void>
  close(): Promise<void>
  abandon(): Promise<void>
}

/** A temporary file beside the target and a rename at the end, so that a half-written file never has the name. */
export async function openText(path: string): Promise<TextOut> {
  if (path === '-') {
    const nothing = async (): Promise<void> => {}
    return { write: (text) => writeTo(process.stdout, text, 'standard output'), close: nothing, abandon: nothing }
  }
  const temporary = `${path}.${process.pid}.tmp`
  const file = createWriteStream(temporary)
  await opened(file, path)
  const zip = path.endsWith('.gz') ? createGzip() : null
  zip?.pipe(file)
  const finished = new Promise<void>((resolve, reject) => {
    file.once('finish', resolve)
    file.once('error', (cause) => reject(cannotWrite(path, cause)))
  })
  finished.catch(() => {})
  return {
    write: (text) => writeTo(zip ?? file, text, path),
    async close() {
      ;(zip ?? file).end()
      await finished
      await rename(temporary, path)
    },
    async abandon() {
      file.destroy()
      await unlink(temporary).catch(() => {})
    },
  }
}

function opened(file: WriteStream, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    file.once('open', () => resolve())
    file.once('error', (cause) => reject(cannotWrite(path, cause)))
  })
}

function writeTo(stream: WriteStream | Gzip | NodeJS.WriteStream, text: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(cannotWrite(path, error)) : resolve()))
  })
}

function cannotWrite(path: string, cause: Error): GradusError {
  const noFolder = 'code' in cause && cause.code === 'ENOENT'
  return new GradusError('GRD-IO-013', {
    where: { file: path },
    found: noFolder ? 'no such folder' : cause.message,
    ...(noFolder && { try: [`mkdir -p ${dirname(path)}`] }),
    cause,
  })
}
