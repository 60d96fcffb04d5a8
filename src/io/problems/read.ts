import { statSync } from 'node:fs'
import { GradusError } from '../../core/errors.ts'
import type { Problem } from '../../core/words.ts'
import type { Sample } from '../formats/format.ts'
import { FORMATS } from '../formats/index.ts'
import { type Opened, openBytes, stem } from '../open.ts'
import { openRecords, type Records, sampleOf } from '../read.ts'
import { PROBLEM_FORMATS } from './index.ts'
import type { ProblemAt, ProblemFormat } from './problem-format.ts'

export interface ProblemFile {
  format: ProblemFormat
  problems: Problem[]
  /** Records or parts of records that were left out. */
  rejected: GradusError[]
}

export interface ReadProblemsOptions {
  /** Name of the format; detected where not given. */
  format?: string
  /** The first so many problems only; the rest of a file of records is not parsed. */
  most?: number
}

/**
 * Problems of a file in any known format: plain, gzip or Parquet; `-` is standard input.
 * @throws GradusError GRD-IO-001/009 where it cannot be opened, GRD-IO-004 where no format fits
 */
export async function readProblems(path: string, options: ReadProblemsOptions = {}): Promise<ProblemFile> {
  const opened = await openBytes(path)
  const records = await openRecords(opened, path)
  const format = await chosen(records, opened, options.format)
  const file: ProblemFile = { format, problems: [], rejected: [] }
  const most = options.most ?? Number.POSITIVE_INFINITY
  const ids = new Set<string>()
  for await (const batch of records.batches) {
    for (const record of batch) {
      if (file.problems.length >= most) return file
      if ('error' in record) file.rejected.push(record.error)
      else await readOne(record.value, record.line)
    }
  }
  return file

  async function readOne(value: unknown, line: number): Promise<void> {
    const at: ProblemAt = {
      file: opened.file,
      path,
      stem: stem(path === '-' ? 'stdin' : path),
      line,
      odd: () => undefined,
      reject: (error) => file.rejected.push(error),
    }
    try {
      for (const problem of await format.read(value, at)) {
        if (file.problems.length >= most) return
        if (ids.has(problem.id)) {
          const where = { file: opened.file, line, field: 'id' }
          at.reject(new GradusError('GRD-IO-008', { where, found: problem.id, expected: 'an id of its own' }))
          continue
        }
        ids.add(problem.id)
        file.problems.push(problem)
      }
    } catch (error) {
      if (!(error instanceof GradusError)) throw error
      at.reject(error)
    }
  }
}

/**
 * Does a file hold problems, and no traces? What can be read once only (standard input, a pipe) is taken for traces,
 * unless a format says otherwise.
 * @throws GradusError GRD-IO-001/009 where it cannot be opened
 */
export async function holdsProblems(path: string, format?: string): Promise<boolean> {
  const fits = (formats: readonly { name: string; detect(sample: Sample): number }[], sample: Sample | null): boolean =>
    formats.some((one) => (sample === null ? one.name === format : one.detect(sample) > 0.5))
  const again = path !== '-' && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)
  if (format === undefined && !again) return false
  const sample = format === undefined ? await sampleOf(path) : null
  return !fits(FORMATS, sample) && fits(PROBLEM_FORMATS, sample)
}

/** Closes the file where no format fits. */
async function chosen({ sample }: Records, opened: Opened, name: string | undefined): Promise<ProblemFormat> {
  let best: ProblemFormat | undefined
  let score = 0.5
  for (const format of PROBLEM_FORMATS) {
    const seen = name === undefined ? format.detect(sample) : Number(format.name === name)
    if (seen > score) [best, score] = [format, seen]
  }
  if (best) return best
  await opened.bytes[Symbol.asyncIterator]().return?.()
  const first = sample.records[0]
  const fields = typeof first === 'object' && first !== null ? Object.keys(first).slice(0, 8).join(', ') : undefined
  throw new GradusError('GRD-IO-004', {
    where: { file: opened.file },
    found: name ?? `${sample.container}${fields === undefined ? '' : ` with ${fields}`}`,
    expected: `problems as one of ${PROBLEM_FORMATS.map((f) => f.name).join(', ')}`,
    try: ['one {"id": ..., "prompt": ..., "answer": ...} a line is read as it stands'],
  })
}
