import { GradusError } from '../../core/errors.ts'
import type { Problem } from '../../core/words.ts'
import { type At, place, type Sample } from '../formats/format.ts'

/** A file format of problems; one file each. */
export interface ProblemFormat {
  /** Name of the format and of the data set. */
  name: string
  summary: string
  /** Where the set is published. */
  home?: string
  /** SPDX identifier of the published set; `unknown` for formats that are no set. */
  licence: string
  /** 0 = certainly not, 1 = certainly; the highest wins. Looks at the fields that only this format has. */
  detect(sample: Sample): number
  /**
   * The problems of a record: a JSON value, or the whole text of a file that is no JSON.
   * @throws GradusError for a record that cannot be read (it is counted as rejected)
   */
  read(record: unknown, at: ProblemAt): Problem[] | Promise<Problem[]>
}

export interface ProblemAt extends At {
  /** Path as given, for what stands beside it. */
  path: string
}

/** An id for records that have none: `gsm8k/test/17`. */
export function lineId(format: string, at: At, line = at.line): string {
  return `${format}/${at.stem}/${line}`
}

/** The whole text of a file that is no JSON. @throws GradusError GRD-IO-002 */
export function textOf(record: unknown, at: At): string {
  if (typeof record === 'string') return record
  throw new GradusError('GRD-IO-002', { where: place(at), found: 'JSON', expected: 'a table as text' })
}

/** Is the first line of a text file this header? */
export function hasHeader(sample: Sample, header: string): boolean {
  return sample.container === 'text' && sample.head.replace(/^\ufeff/, '').split(/\r?\n/, 1)[0] === header
}
