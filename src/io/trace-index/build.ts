import { rmSync } from 'node:fs'
import { GradusError } from '../../core/errors.ts'
import { LIMITS } from '../../core/limits.ts'
import { native } from '../formats/native.ts'
import { type JsonLine, readJsonLines } from '../jsonl.ts'
import { filePieces, openBytes } from '../open.ts'
import { detectFormat, openPlacedTraces, openRecords, type Placed, untilDamaged } from '../read.ts'
import { type Facts, fingerprint, tailOf } from './facts.ts'
import { IndexWriter } from './writer.ts'

/** A reader sees the first rows as soon as this many are there. */
const FIRST_COMMIT = 200
/** Later commits, traces. */
const COMMIT = 5_000

export interface Progress {
  traces: number
  /** Of the bytes, in [0, 1]; null where nobody can say. */
  share: number | null
}

/** Facts before anything is read. */
export function noFacts(path: string, format: string): Facts {
  const head = { ...fingerprint(path), format, end: 0, tail: '', finished: false }
  return { ...head, traces: 0, steps: 0, leftOut: 0, examples: [] }
}

/**
 * Indexes a file of traces in any known format, from nothing or from where an earlier index ends.
 *
 * The index can be read all the time; its first rows are there as soon as they are read.
 * @param from facts of an index that can be continued
 * @throws GradusError as `openTraces`; what was read before an error stays in the index
 */
export async function buildIndex(
  path: string,
  file: string,
  from: Facts | null,
  progress: (seen: Progress) => void,
): Promise<void> {
  if (from === null) removeIndex(file)
  if (from !== null || (await isPlainNative(path))) await indexLines(path, file, from, progress)
  else await indexTraces(path, file, progress)
}

export function removeIndex(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}

async function isPlainNative(path: string): Promise<boolean> {
  const opened = await openBytes(path)
  try {
    const { sample } = await openRecords(opened, path)
    return !opened.zipped && sample.container === 'jsonl' && detectFormat(sample, path) === native
  } finally {
    await opened.bytes[Symbol.asyncIterator]().return?.()
  }
}

/** Native JSON Lines: resumable at any line, and a last line that is still being written is left for later. */
async function indexLines(
  path: string,
  file: string,
  from: Facts | null,
  progress: (seen: Progress) => void,
): Promise<void> {
  const now = fingerprint(path)
  const facts: Facts = { ...(from ?? noFacts(path, native.name)), ...now, finished: false }
  const writer = new IndexWriter(file, facts, true)
  const begin = facts.end
  let end = begin
  let committed = writer.traces
  for await (const lines of readJsonLines(filePieces(path, begin), path, true)) {
    for (const line of lines) {
      if ('error' in line && line.open) continue
      const placed = readLine(line, begin, path)
      if (placed instanceof GradusError) writer.leaveOut(placed)
      else writer.add([placed])
      end = begin + line.start! + line.bytes! + (line.open ? 0 : 1)
    }
    if (writer.traces - committed >= (committed === 0 ? FIRST_COMMIT : COMMIT)) {
      committed = writer.traces
      writer.commit({ end, tail: tailOf(path, end) })
      progress({ traces: writer.traces, share: now.size === 0 ? 1 : Math.min(1, end / now.size) })
    }
  }
  writer.close({ end, tail: tailOf(path, end), finished: true })
  progress({ traces: writer.traces, share: 1 })
}

function readLine(line: JsonLine, begin: number, path: string): Placed | GradusError {
  if ('error' in line) return line.error
  const at = { file: path, stem: '', line: line.line, odd() {}, reject() {} }
  try {
    const trace = native.read(line.value, at)[0]!
    if (trace.steps.length > LIMITS.stepsPerTrace) {
      return new GradusError('GRD-IO-010', { where: { file: path }, found: `${trace.steps.length} steps` })
    }
    return { trace, start: begin + line.start!, bytes: line.bytes!, line: line.line, part: 0 }
  } catch (error) {
    if (error instanceof GradusError) return error
    if (error instanceof RangeError) return new GradusError('GRD-IO-010', { found: 'values nested too deeply' })
    throw error
  }
}

/** Any other format; the place of a trace is its line where it has one, else the whole trace is kept. */
async function indexTraces(path: string, file: string, progress: (seen: Progress) => void): Promise<void> {
  const { report, batches } = await openPlacedTraces(path)
  const facts = noFacts(path, report.format)
  const writer = new IndexWriter(file, facts, true)
  let committed = 0
  let rejected = 0
  let failure: unknown
  try {
    for await (const batch of untilDamaged(batches, report, false)) {
      // A document gives all of its traces at once.
      for (let from = 0; from < batch.length; from += COMMIT) {
        const some = batch.slice(from, from + COMMIT)
        writer.add(some)
        for (; rejected < report.rejected.length; rejected++) writer.leaveOut(report.rejected[rejected]!)
        if (writer.traces - committed < (committed === 0 ? FIRST_COMMIT : COMMIT)) continue
        committed = writer.traces
        writer.commit()
        const last = some.at(-1)
        progress({
          traces: writer.traces,
          share: last && last.start >= 0 ? Math.min(1, last.start / facts.size) : null,
        })
      }
    }
    for (; rejected < report.rejected.length; rejected++) writer.leaveOut(report.rejected[rejected]!)
  } catch (error) {
    failure = error
  }
  writer.close({ end: facts.size, finished: failure === undefined })
  progress({ traces: writer.traces, share: 1 })
  if (failure !== undefined) throw failure
}
