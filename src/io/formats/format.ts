import type { z } from 'zod'
import { GradusError, type Place } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'

/** How the records stand in the file: one a line, one JSON document, rows of a Parquet file, or plain text. */
export type Container = 'jsonl' | 'json' | 'parquet' | 'text'

/** What a format sees to recognise its files. */
export interface Sample {
  /** Path as given. */
  path: string
  container: Container
  /** The first records, at most 5; for `unit: 'document'` formats in a JSON file, see `document`. */
  records: readonly unknown[]
  /** The whole parsed document where the container is `json` (otherwise undefined). */
  document?: unknown
  /** The first characters of the file. */
  head: string
}

/** Where a record stands, and where to say what is odd about it. */
export interface At {
  file: string
  /** File name without folder and endings; readers use it as name of the data set where the records give none. */
  stem: string
  /** Line of JSONL, element of a JSON array, row of a Parquet file: from 1. */
  line: number
  /** Counts a wart that does not stop the reading: a short stable name, and one example. */
  odd(name: string, example?: string): void
  /** Leaves out a part of the record (the record itself is left out by throwing). */
  reject(error: GradusError): void
}

/** A file format of traces; one file and its test each. */
export interface Format {
  name: string
  summary: string
  /** Where the format or data set is published. */
  home?: string
  /** Container that `write` makes; `read` gets records whatever the container was. */
  container: 'jsonl' | 'json' | 'text'
  /** `record`: each record stands alone. `document`: all records of the file are given at once, as an array. */
  unit: 'record' | 'document'
  /** 0 = certainly not, 1 = certainly; the highest wins. Looks at the fields that only this format has. */
  detect(sample: Sample): number
  /** Where the records stand in a JSON document that is not an array; default: the document is one record. */
  unroll?(document: unknown): unknown[]
  /** Is this JSON array one record (a list of messages or of events) rather than a list of records? */
  oneRecord?(document: readonly unknown[]): boolean
  /**
   * @throws GradusError for a record that cannot be read (it is counted as rejected, by code)
   */
  read(record: unknown, at: At): Trace[]
  /**
   * Records for the traces; reading them back gives the same traces.
   * @throws GradusError GRD-IO-011 where the format cannot hold a trace
   */
  write?(traces: readonly Trace[]): unknown[]
  /** A file holds one trace: the records that `write` makes are the parts of it. */
  single?: true
}

/**
 * The record as its schema says.
 * @throws GradusError GRD-IO-006 that names the field
 */
export function parseRecord<S extends z.ZodType>(schema: S, record: unknown, at: At): z.output<S> {
  const result = schema.safeParse(record)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new GradusError('GRD-IO-006', {
    where: place(at, issue ? issue.path.map(String).join('.') : undefined),
    found: describe(issue ? valueAt(record, issue.path) : record),
    expected: issue?.message ?? 'another shape',
  })
}

export function place(at: At, field?: string): Place {
  return { file: at.file, line: at.line, ...(field !== undefined && field !== '' && { field }) }
}

/** Has the record (an object) all of these fields? For `detect`. */
export function hasFields(record: unknown, ...fields: string[]): boolean {
  return typeof record === 'object' && record !== null && fields.every((field) => Object.hasOwn(record, field))
}

/** Share of the sample's records for which the test holds; 0 for no records. */
export function share(sample: Sample, test: (record: unknown) => boolean): number {
  if (sample.records.length === 0) return 0
  return sample.records.filter(test).length / sample.records.length
}

/** The members of an object that are not named; undefined where none is left. For `Trace.extra`. */
export function others(record: object, ...named: string[]): Record<string, unknown> | undefined {
  const rest = Object.entries(record).filter(([key]) => !named.includes(key))
  return rest.length === 0 ? undefined : Object.fromEntries(rest)
}

function valueAt(record: unknown, path: readonly PropertyKey[]): unknown {
  let value = record
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
