import { GradusError } from '../core/errors.ts'
import { LIMITS } from '../core/limits.ts'
import type { Trace } from '../core/words.ts'
import type { At, Container, Format, Sample } from './formats/format.ts'
import { FORMATS } from './formats/index.ts'
import { type JsonLine, readJsonLines } from './jsonl.ts'
import { type Opened, openBytes, openedText, stem } from './open.ts'

export interface ReadOptions {
  /** Name of the format; detected where not given. */
  format?: string
  /** Stop at the first bad record instead of leaving it out. */
  strict?: boolean
}

/** What a reading has met so far; complete when the traces have all been read. */
export interface ReadReport {
  file: string
  format: string
  container: Container
  /** Source records met, the rejected ones included. */
  records: number
  traces: number
  /** Records or parts of records that were left out, with their errors; the first `LIMIT_REJECTED` whole. */
  rejected: GradusError[]
  rejectedByCode: Record<string, number>
  /** Warts by name: how many, and one example. */
  oddities: Record<string, { count: number; example: string }>
}

/** Records and parts of records that were left out. */
export function leftOut(report: Pick<ReadReport, 'rejectedByCode'>): number {
  return Object.values(report.rejectedByCode).reduce((a, b) => a + b, 0)
}

export interface TraceFile {
  report: ReadReport
  /** Batches of traces in file order; can be read once. */
  batches: AsyncIterable<Trace[]>
}

/** A trace and the line that it came from, so that it can be read again alone. */
export interface Placed {
  trace: Trace
  /** Byte at which the line begins, and its length; -1 where the trace cannot be read again alone. */
  start: number
  bytes: number
  /** Number of the line, from 1: some formats make ids of it. */
  line: number
  /** Which of the traces of the line, from 0. */
  part: number
}

/** More rejected records than this are only counted. */
const LIMIT_REJECTED = 100

/**
 * Opens a file of traces in any known format: plain, gzip or Parquet; `-` is standard input.
 * @throws GradusError GRD-IO-001/009 where it cannot be opened, GRD-IO-004 where no format fits, GRD-IO-012 for data
 *   that are no traces
 */
export async function openTraces(path: string, options: ReadOptions = {}): Promise<TraceFile> {
  const { report, batches } = await openPlacedTraces(path, options, false)
  return { report, batches: tracesOnly(batches) }
}

/**
 * The same for a text that is here already.
 * @param name stands for the file in messages
 */
export async function tracesInText(text: string, name: string, options: ReadOptions = {}): Promise<TraceFile> {
  const { report, batches } = await placedTraces(openedText(text, name), name, options, false)
  return { report, batches: tracesOnly(batches) }
}

async function* tracesOnly(batches: AsyncIterable<Placed[]>): AsyncGenerator<Trace[]> {
  for await (const batch of batches) yield batch.map((placed) => placed.trace)
}

/** The same with the place of each trace. @param places without them `start` is -1 everywhere */
export async function openPlacedTraces(
  path: string,
  options: ReadOptions = {},
  places = true,
): Promise<{ report: ReadReport; batches: AsyncIterable<Placed[]> }> {
  return await placedTraces(await openBytes(path), path, options, places)
}

async function placedTraces(
  opened: Opened,
  path: string,
  options: ReadOptions,
  places: boolean,
): Promise<{ report: ReadReport; batches: AsyncIterable<Placed[]> }> {
  const records = await openRecords(opened, path, places)
  const format = await chooseFormat(records.sample, opened, options.format)
  const report: ReadReport = {
    file: opened.file,
    format: format.name,
    container: records.sample.container,
    records: 0,
    traces: 0,
    rejected: [],
    rejectedByCode: {},
    oddities: {},
  }
  const again = !opened.zipped && path !== '-'
  return { report, batches: readBatches(records, format, report, options.strict ?? false, again) }
}

/**
 * The trace of a line, read again.
 * @throws GradusError where the line is no longer what it was
 */
export function readAgain(text: string, line: number, part: number, format: string, path: string): Trace {
  const at: At = { file: path, stem: stem(path), line, odd() {}, reject() {} }
  const value = parseDocument(text.replace(/^\ufeff/, ''), path)
  const trace = formatNamed(format).read(value, at)[part]
  if (trace) return trace
  throw new GradusError('GRD-IO-016', { where: { file: path }, expected: `trace ${part + 1} of a line` })
}

/** Closes the file where no format fits. */
async function chooseFormat(sample: Sample, opened: Opened, name: string | undefined): Promise<Format> {
  try {
    return name === undefined ? detectFormat(sample, opened.file) : formatNamed(name)
  } catch (error) {
    await opened.bytes[Symbol.asyncIterator]().return?.()
    throw error
  }
}

/** What a file looks like to the formats: container and first records. */
export async function sampleOf(path: string): Promise<Sample> {
  const opened = await openBytes(path)
  const { sample } = await openRecords(opened, path)
  await opened.bytes[Symbol.asyncIterator]().return?.()
  return sample
}

/** All traces of a file at once; of a damaged one those before the damage, unless strict. */
export async function readTraces(
  path: string,
  options: ReadOptions = {},
): Promise<{ traces: Trace[]; report: ReadReport }> {
  const { report, batches } = await openTraces(path, options)
  const traces: Trace[] = []
  for await (const batch of untilDamaged(batches, report, options.strict ?? false)) traces.push(...batch)
  return { traces, report }
}

/**
 * The batches up to where a file turns out to be damaged (cut gzip, a record beyond the limits): what was read before
 * is kept and the damage stands in the report. Without any trace before it, or when strict, the error is thrown.
 */
export async function* untilDamaged<T>(
  batches: AsyncIterable<T>,
  report: ReadReport,
  strict: boolean,
): AsyncGenerator<T> {
  try {
    yield* batches
  } catch (error) {
    if (!(error instanceof GradusError) || strict || report.traces === 0) throw error
    report.rejected.unshift(error)
    report.rejectedByCode[error.code] = (report.rejectedByCode[error.code] ?? 0) + 1
  }
}

/** @throws GradusError GRD-IO-004 */
export function formatNamed(name: string): Format {
  const format = FORMATS.find((f) => f.name === name)
  if (format) return format
  throw new GradusError('GRD-IO-004', {
    found: name,
    expected: `one of ${FORMATS.map((f) => f.name).join(', ')}`,
    try: ['gradus methods formats'],
  })
}

/** @throws GradusError GRD-IO-004 where no format recognises the sample */
export function detectFormat(sample: Sample, file: string): Format {
  let best: Format | null = null
  let score = 0.5
  for (const format of FORMATS) {
    const seen = format.detect(sample)
    if (seen > score) {
      best = format
      score = seen
    }
  }
  if (best) return best
  const first = sample.records[0]
  const fields =
    typeof first === 'object' && first !== null ? Object.keys(first).slice(0, 8).join(', ') : String(first).slice(0, 80)
  throw new GradusError('GRD-IO-012', {
    where: { file },
    found: `${sample.container} with ${fields === '' ? 'empty records' : fields}`,
    expected: `one of ${FORMATS.map((f) => f.name).join(', ')}`,
    try: ['--format NAME   (if you know it is one of these)'],
  })
}

const NAMED_JSONL = /\.(jsonl|ndjson)(\.gz)?$/

export interface Records {
  sample: Sample
  batches: AsyncIterable<JsonLine[]>
}

/** The records of a file, whatever they are: the one place that knows containers. */
export async function openRecords(opened: Opened, path: string, places = false): Promise<Records> {
  const { head, file } = opened
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') {
    // Only here, since loading it takes a fifth of the time to start.
    const { readParquetRows } = await import('./parquet.ts')
    const rows = await readParquetRows(opened)
    return together(rows, { path, container: 'parquet', head: '' })
  }
  const text = head.toString('utf8')
  const start = text.replace(/^\ufeff/, '').trimStart()[0]
  if (start === undefined) throw new GradusError('GRD-IO-009', { where: { file }, found: 'only white space' })
  if (start !== '{' && start !== '[' && !NAMED_JSONL.test(path)) {
    const whole = await readWhole(opened)
    return together([whole], { path, container: 'text', head: text })
  }
  if (isJsonLines(text, head.length, path)) {
    const lines = readJsonLines(opened.bytes, file, places)
    const first: JsonLine[] = []
    const seen: unknown[] = []
    let rest: AsyncIterable<JsonLine[]> = lines
    while (seen.length < 5) {
      const next = await lines.next().catch((error: unknown) => {
        if (first.length === 0) throw error
        rest = failing(error)
        return null
      })
      if (next === null || next.done) break
      first.push(...next.value)
      for (const l of next.value) if ('value' in l && seen.length < 5) seen.push(l.value)
    }
    if (first.length === 0) throw new GradusError('GRD-IO-009', { where: { file }, found: 'only empty lines' })
    return { sample: { path, container: 'jsonl', records: seen, head: text }, batches: chain([first], rest) }
  }
  const whole = await readWhole(opened)
  const document = parseDocument(whole, file)
  return together(Array.isArray(document) ? document : [document], { path, container: 'json', head: text, document })
}

/** JSON Lines: the first line that is not empty is a whole value and another follows, or the name says so. */
function isJsonLines(head: string, bytes: number, path: string): boolean {
  if (NAMED_JSONL.test(path)) return true
  const text = head.replace(/^\ufeff/, '').trimStart()
  const end = text.indexOf('\n')
  if (end < 0) return bytes > 0 && path === '-' && isJson(text)
  return isJson(text.slice(0, end)) && text.slice(end).trim() !== ''
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function together(values: unknown[], head: Omit<Sample, 'records'>): Records {
  const lines = values.map((value, i): JsonLine => ({ line: i + 1, value }))
  return { sample: { ...head, records: values.slice(0, 5) }, batches: chain([lines]) }
}

async function* chain(first: JsonLine[][], rest?: AsyncIterable<JsonLine[]>): AsyncGenerator<JsonLine[]> {
  yield* first
  if (rest) yield* rest
}

/** A file that breaks off among its first lines still gives what stands before. */
async function* failing(error: unknown): AsyncGenerator<JsonLine[]> {
  yield* []
  throw error
}

async function readWhole(opened: Opened): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of opened.bytes) {
    bytes += piece.length
    if (bytes > LIMITS.documentBytes) {
      throw new GradusError('GRD-IO-010', {
        where: { file: opened.file },
        found: `a document of more than ${LIMITS.documentBytes.toLocaleString('en-US')} bytes`,
        try: ['convert it to JSON Lines, which is read as a stream'],
      })
    }
    pieces.push(Buffer.from(piece))
  }
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/^\ufeff/, '')
}

function parseDocument(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const position = /position (\d+)/.exec(message)
    const line = position ? text.slice(0, Number(position[1])).split('\n').length : text.split('\n').length
    throw new GradusError('GRD-IO-002', {
      where: { file, line },
      found: message,
      expected: 'a whole JSON document, or JSON Lines',
      cause,
    })
  }
}

async function* readBatches(
  records: Records,
  format: Format,
  report: ReadReport,
  strict: boolean,
  again: boolean,
): AsyncGenerator<Placed[]> {
  const reject = (error: GradusError): void => {
    if (strict) throw error
    if (report.rejected.length < LIMIT_REJECTED) report.rejected.push(error)
    report.rejectedByCode[error.code] = (report.rejectedByCode[error.code] ?? 0) + 1
  }
  const at = (line: number): At => ({
    file: report.file,
    stem: stem(records.sample.path === '-' ? 'stdin' : records.sample.path),
    line,
    odd(name, example = '') {
      const seen = (report.oddities[name] ??= { count: 0, example })
      seen.count++
    },
    reject,
  })
  const ids = new Set<string>()
  const keep = (traces: Trace[], line: number, start: number, bytes: number): Placed[] =>
    traces.flatMap((trace, part) => (fits(trace, line) ? [{ trace, start, bytes, line, part }] : []))
  const fits = (trace: Trace, line: number): boolean => {
    if (trace.steps.length > LIMITS.stepsPerTrace) {
      reject(
        new GradusError('GRD-IO-010', { where: { file: report.file, line }, found: `${trace.steps.length} steps` }),
      )
      return false
    }
    if (ids.has(trace.id)) {
      reject(
        new GradusError('GRD-IO-008', {
          where: { file: report.file, line, field: 'id' },
          found: trace.id,
          expected: 'an id of its own',
          try: ['gradus inspect FILE   (lists them)'],
        }),
      )
      return false
    }
    ids.add(trace.id)
    report.traces++
    return true
  }
  const readOne = (value: unknown, line: number, start = -1, bytes = 0): Placed[] => {
    try {
      return keep(format.read(value, at(line)), line, start, bytes)
    } catch (error) {
      if (error instanceof RangeError) reject(tooDeep(report.file, line, error))
      else if (error instanceof GradusError) reject(error)
      else throw error
      return []
    }
  }

  if (format.unit === 'document') {
    const all: unknown[] = []
    for await (const batch of records.batches) {
      for (const line of batch) {
        if ('error' in line) reject(line.error)
        else all.push(line.value)
      }
    }
    report.records += all.length
    yield readOne(all, 1)
    return
  }
  const { container, document } = records.sample
  const rows = container === 'json' ? unrolled(format, document) : undefined
  if (rows) {
    report.records += rows.length
    yield rows.flatMap((row, i) => readOne(row, i + 1))
    return
  }
  for await (const batch of records.batches) {
    const out: Placed[] = []
    for (const line of batch) {
      report.records++
      if ('error' in line) reject(line.error)
      else if (again) out.push(...readOne(line.value, line.line, line.start, line.bytes))
      else out.push(...readOne(line.value, line.line))
    }
    yield out
  }
}

/** Records of a JSON document that are not simply the elements of its array; undefined for the usual case. */
function unrolled(format: Format, document: unknown): unknown[] | undefined {
  if (Array.isArray(document)) return format.oneRecord?.(document) === true ? [document] : undefined
  return format.unroll?.(document)
}

/** Parsing takes any depth, walking does not: the stack ends first. */
function tooDeep(file: string, line: number, cause: RangeError): GradusError {
  return new GradusError('GRD-IO-010', {
    where: { file, line },
    found: 'values nested too deeply to be walked',
    expected: `at most ${LIMITS.jsonDepth} levels`,
    cause,
  })
}
