import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { Trace } from '../../core/words.ts'
import { type ReadReport, readTraces, sampleOf } from '../read.ts'
import type { At, Format } from './format.ts'
import { FORMATS } from './index.ts'

/** Real samples for tests; they are no part of the project. */
const DATA = process.env.GRADUS_DATA ?? ''

export const NO_SAMPLES = DATA === '' || !existsSync(join(DATA, 'trace-formats'))

/** Paths of the files of a folder of the data, sorted; none where the data are absent. */
export function sampleFiles(folder: string, wanted = /\.(json|jsonl)(\.gz)?$/): string[] {
  if (NO_SAMPLES) return []
  const names = readdirSync(join(DATA, folder)).filter((name) => wanted.test(name))
  return names.sort().map((name) => join(DATA, folder, name))
}

export const sampleFile = (...path: string[]): string => join(DATA, ...path)

/** The file's text, decompressed. */
export function sampleText(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

// biome-ignore lint/suspicious/noExplicitAny: oracles walk the source's own JSON freely
export type Loose = any

export const sampleJson = (path: string): Loose => JSON.parse(sampleText(path))

export const sampleLines = (path: string): Loose[] =>
  sampleText(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line))

/** Every object anywhere in the value for which the test holds; an oracle that knows nothing of the reader's ways. */
export function findAll(value: unknown, test: (object: Loose) => boolean): Loose[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap((v) => findAll(v, test))
  return !Array.isArray(value) && test(value) ? [value, ...inner] : inner
}

/** Reads a sample and checks what holds for every format: only this one recognises it, steps are whole and in order. */
export async function readSample(
  path: string,
  format: Format,
): Promise<{ traces: Trace[]; report: ReadReport; trace: Trace }> {
  const sample = await sampleOf(path)
  expect(FORMATS.filter((f) => f.detect(sample) > 0.5).map((f) => f.name)).toEqual([format.name])
  const { traces, report } = await readTraces(path)
  for (const trace of traces) {
    expect(Trace.parse(trace)).toEqual(trace)
    for (const step of trace.steps) {
      expect(step.kind === 'action').toBe(step.action !== undefined)
      if (step.observation !== undefined) expect(step.action).toBeDefined()
    }
    const origins = trace.steps.map((s) => s.origin)
    expect(new Set(origins).size).toBe(origins.length)
  }
  const [trace] = traces
  if (!trace) throw new Error(`no trace in ${path}: ${JSON.stringify(report)}`)
  return { traces, report, trace }
}

export const counts = (trace: Trace): { thoughts: number; actions: number; observed: number; others: number } => ({
  thoughts: trace.steps.filter((s) => s.kind === 'thought' || s.kind === 'answer').length,
  actions: trace.steps.filter((s) => s.action).length,
  observed: trace.steps.filter((s) => s.observation !== undefined).length,
  others: trace.steps.filter((s) => s.kind === 'observation').length,
})

/** What a record stands in when a test reads it by itself. */
export const testAt = (line = 1): At => ({ file: 'test', stem: 'test', line, odd: () => {}, reject: () => {} })

/** Sum of one field over records; a missing one counts 0. */
export const sum = (values: readonly Loose[], field: string): number =>
  values.reduce((total, v) => total + Number(v?.[field] ?? 0), 0)
