import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { type JobStatus, linesOf, outputOf } from '../../engine/distributed/catalogue.ts'
import { type Database, openDatabase } from '../../engine/distributed/database.ts'
import type { JobSettings, JobSpec } from '../../engine/distributed/job.ts'
import { runJob } from '../../engine/distributed/run-job.ts'
import { refuseInputAsOutput } from '../../io/target.ts'
import { openText, traceWriter } from '../../io/write.ts'
import { JOB_KINDS, togetherIn } from '../pipeline/jobs/index.ts'
import { databaseUrlOf, type ManyFlags } from './many-flags.ts'
import { jobEnd, jobLine } from './show/job-status.ts'
import { EXIT, type ExitCode, type Terminal } from './verb.ts'

export const DEFAULT_FOLDER = '.gradus/pglite'
export const DEFAULT_RESULTS = '.gradus/results'

/** What the options of a verb say of its jobs. */
export function jobSettings({ shard, shardFormat, priority, rate }: ManyFlags): Omit<JobSettings, 'budget'> {
  return {
    ...(shard !== undefined && { shardItems: shard }),
    ...(shardFormat !== undefined && { format: shardFormat }),
    ...(priority !== undefined && { priority }),
    ...(rate !== undefined && { callsPerSecond: rate }),
  }
}

/** A digest for each input file: what makes equal commands one job. @throws GradusError GRD-CLI-002 for `-` */
export async function inputDigests(files: readonly string[]): Promise<string[]> {
  const digests: string[] = []
  for (const file of files) {
    if (file === '-') {
      throw new GradusError('GRD-CLI-002', {
        found: 'standard input',
        expected: 'a file: the same command must be able to read it again',
      })
    }
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), hash).catch((cause: unknown) => {
      const found = cause instanceof Error ? cause.message : String(cause)
      throw new GradusError('GRD-IO-001', { where: { file }, found, cause })
    })
    digests.push(hash.digest('hex'))
  }
  return digests
}

export interface ManyRun {
  spec: JobSpec
  settings: JobSettings
  seconds?: number
  concurrency?: number
  items: () => Iterable<unknown> | AsyncIterable<unknown>
  prepare?: (database: Database, job: string) => Promise<void>
  /** Files that the output must not be. */
  inputs: readonly string[]
  /** Native traces; where not given, the results stay in the store. */
  output: string | undefined
  /** Makes of the results what else was asked for, and the output with it. @returns for a program, and for a person */
  collect?: (database: Database, job: string) => Promise<{ json: Record<string, unknown>; text: string }>
  json: boolean
  /** Records of the input that could not be read, so far as is known. */
  leftOut: () => number
}

/** Gives a job to the workers, or joins it, waits for its end and writes the output. */
export async function runMany(options: ManyFlags, run: ManyRun, terminal: Terminal): Promise<ExitCode> {
  await refuseInputAsOutput(run.inputs, run.output)
  const pglite = options.engine === 'pglite'
  const database = await openDatabase(databaseUrlOf(options) ?? DEFAULT_FOLDER)
  const leave = new AbortController()
  const abort = new AbortController()
  const interrupt = (): void => {
    if (leave.signal.aborted) abort.abort()
    leave.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    const { prepare } = run
    const status = await runJob({
      database,
      spec: run.spec,
      settings: { ...run.settings, ...jobSettings(options) },
      results: options.results ?? DEFAULT_RESULTS,
      items: run.items,
      together: togetherIn(run.spec.kind),
      ...(prepare && { prepare: (job: string) => prepare(database, job) }),
      ...(pglite && {
        work: { kinds: JOB_KINDS, ...(run.concurrency !== undefined && { concurrency: run.concurrency }) },
      }),
      ...(run.seconds !== undefined && { seconds: run.seconds }),
      signal: leave.signal,
      abort: abort.signal,
      ...(terminal.interactive && {
        onStatus: (state, workers) => terminal.err(`\r\u001b[K  ${jobLine(state, workers)}`),
        onTrouble: (error) => terminal.err(`\r\u001b[K  ${error instanceof Error ? error.message : String(error)}\n`),
      }),
    })
    if (terminal.interactive) terminal.err('\r\u001b[K')
    const ended = status.state === 'done' || status.state === 'stopped'
    let more: { json: Record<string, unknown>; text: string } = { json: {}, text: '' }
    if (ended && run.collect) more = await run.collect(database, status.job)
    else if (ended && run.output !== undefined) await writeOutput(database, status.job, run.output)
    const own = run.output === '-' ? terminal.err : terminal.out
    own(
      run.json
        ? `${JSON.stringify({ ...status, leftOut: run.leftOut(), ...more.json })}\n`
        : jobEnd(status, run.output) + more.text,
    )
    return exitOf(status, run.leftOut())
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    await database.close()
  }
}

function exitOf(status: JobStatus, leftOut: number): ExitCode {
  if (status.state === 'stopped') return isBudget(status.reason) ? EXIT.lost : EXIT.failed
  if (status.state !== 'done') return EXIT.interrupted
  return Object.keys(status.lost).length > 0 || leftOut > 0 ? EXIT.lost : EXIT.done
}

function isBudget(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && 'code' in reason && reason.code === 'GRD-RUN-001'
}

/** The shards one after the other, as one machine would have written them. */
async function writeOutput(database: Database, job: string, path: string): Promise<void> {
  if (path.endsWith('.parquet')) {
    const writer = await traceWriter(path)
    try {
      for await (const line of linesOf(database, job)) await writer.write([JSON.parse(line) as Trace])
    } catch (error) {
      await writer.abandon()
      throw error
    }
    return await writer.close()
  }
  const out = await openText(path)
  try {
    for await (const bytes of outputOf(database, job)) if (bytes.length > 0) await out.write(bytes.toString())
  } catch (error) {
    await out.abandon()
    throw error
  }
  await out.close()
}
