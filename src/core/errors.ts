/**
 * Every failure that Gradus explains to a person or a program.
 *
 * The key is stable for ever; the docs page of each code is generated from this table.
 */
export const ERROR_CODES = {
  'GRD-CLI-001': 'unknown command or option',
  'GRD-CLI-002': 'an option has a value that it cannot have',
  'GRD-CLI-003': 'this needs something that is not installed',
  'GRD-IO-001': 'file cannot be opened',
  'GRD-IO-002': 'not readable as the format',
  'GRD-IO-003': 'labels do not match steps',
  'GRD-IO-004': 'format not recognised',
  'GRD-IO-005': 'a line is not JSON',
  'GRD-IO-006': 'a field is missing or of the wrong type',
  'GRD-IO-007': 'compressed data is damaged or cut off',
  'GRD-IO-008': 'the same id stands twice',
  'GRD-IO-009': 'the file has no records',
  'GRD-IO-010': 'larger than the limit',
  'GRD-IO-011': 'this format cannot hold the trace',
  'GRD-IO-012': 'not a trace format',
  'GRD-IO-013': 'output cannot be written',
  'GRD-IO-014': 'no space is left for the output',
  'GRD-IO-015': 'what was written does not read back the same',
  'GRD-IO-016': 'the data changed since they were read',
  'GRD-IO-017': 'outside the folder that may be read',
  'GRD-LABEL-001': 'unknown method',
  'GRD-LABEL-002': 'the method does not apply to these traces',
  'GRD-LABEL-003': 'votes cannot be merged',
  'GRD-LABEL-004': 'the method needs what is not given',
  'GRD-EVAL-001': 'no gold labels to compare with',
  'GRD-EVAL-002': 'predictions and gold labels share no trace',
  'GRD-EVAL-003': 'too few candidates to choose from',
  'GRD-MODEL-001': 'text has characters that the model does not know',
  'GRD-MODEL-002': 'text is longer than the context of the model',
  'GRD-MODEL-003': 'weights are damaged or do not fit the model',
  'GRD-MODEL-004': 'no model of this name',
  'GRD-MODEL-005': 'the model was made for another tokenizer, separator or form of text',
  'GRD-REWARD-001': 'scores are not one number in [0, 1] for each step',
  'GRD-TRAIN-001': 'the labels cannot be learnt from',
  'GRD-SEARCH-001': 'the search cannot be run with these settings',
  'GRD-DATA-001': 'unknown data set',
  'GRD-DATA-002': 'data set is not here and cannot be downloaded',
  'GRD-DATA-003': 'data set does not have the registered checksum',
  'GRD-CALL-001': 'the endpoint cannot be reached',
  'GRD-CALL-002': 'the endpoint does not accept the key',
  'GRD-CALL-003': 'the endpoint asks to slow down',
  'GRD-CALL-004': 'the endpoint failed',
  'GRD-CALL-005': 'no answer in time',
  'GRD-CALL-006': 'the answer was cut off',
  'GRD-CALL-007': 'the answer is not readable',
  'GRD-CALL-008': 'fewer completions than asked for',
  'GRD-CALL-009': 'the prompt does not fit into the context',
  'GRD-CALL-010': 'the endpoint refuses the request',
  'GRD-CALL-011': 'the endpoint cannot do what this needs',
  'GRD-CALL-012': 'the account has no quota left',
  'GRD-RUN-001': 'a budget is used up',
  'GRD-RUN-002': 'the run was interrupted',
  'GRD-RUN-003': 'the journal cannot be used',
  'GRD-RUN-004': 'the run folder belongs to other settings',
  'GRD-RUN-005': 'the job is paused',
  'GRD-RUN-006': 'no such job',
  'GRD-RUN-007': 'this work was given to another worker',
  'GRD-DB-001': 'the database cannot be reached',
  'GRD-DB-002': 'the tables in the database are of another version',
  'GRD-STORE-001': 'the store of results cannot be used',
  'GRD-STORE-002': 'an object in the store is missing or damaged',
  'GRD-BOX-001': 'no isolating sandbox on this machine',
  'GRD-BOX-002': 'the sandbox could not be started',
  'GRD-WORLD-001': 'the problem does not belong to this task',
  'GRD-WORLD-002': 'no such level of difficulty',
  'GRD-SERVE-001': 'the request cannot be read',
  'GRD-SERVE-002': 'no such model on this server',
  'GRD-SERVE-003': 'the server cannot listen',
  'GRD-SERVE-004': 'this browser was not let in',
  'GRD-SERVE-005': 'there is no such thing here',
  'GRD-SERVE-006': 'somebody else is at work on it',
  'GRD-SERVE-007': 'the model cannot say, and no number stands for that',
  'GRD-CORE-001': 'an invariant of the data model does not hold',
  'GRD-CORE-002': 'a failure that nobody foresaw',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** Where a thing stands, for a person who wants to look at it. Lines and rows count from 1. */
export interface Place {
  file?: string
  line?: number
  field?: string
}

export interface ErrorDetails {
  where?: Place
  /** What was met. */
  found?: string
  /** What would have been right. */
  expected?: string
  /** Commands or changes that help, best first. */
  try?: readonly string[]
  cause?: unknown
}

/** The one error class: a stable code, what was expected, where, and what to do. */
export class GradusError extends Error {
  readonly code: ErrorCode
  readonly where: Place | undefined
  readonly found: string | undefined
  readonly expected: string | undefined
  readonly try: readonly string[]

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(`${code} ${ERROR_CODES[code]}${details.found === undefined ? '' : `: ${details.found}`}`, {
      cause: details.cause,
    })
    this.name = 'GradusError'
    this.code = code
    this.where = details.where
    this.found = details.found
    this.expected = details.expected
    this.try = details.try ?? []
  }

  /** What `toJSON` wrote, perhaps in another process; anything else becomes an error that holds it. */
  static fromJSON(json: unknown): GradusError {
    const { code, ...details } = (typeof json === 'object' && json !== null ? json : {}) as Partial<
      { code: ErrorCode } & ErrorDetails
    >
    if (code !== undefined && Object.hasOwn(ERROR_CODES, code)) return new GradusError(code, details)
    return new GradusError('GRD-CORE-001', { found: JSON.stringify(json) })
  }

  toJSON(): { code: ErrorCode; title: string } & ErrorDetails {
    return {
      code: this.code,
      title: ERROR_CODES[this.code],
      ...(this.where && { where: this.where }),
      ...(this.found !== undefined && { found: this.found }),
      ...(this.expected !== undefined && { expected: this.expected }),
      ...(this.try.length > 0 && { try: this.try }),
    }
  }
}

/** `file, line 1,204, field label`; empty where nothing is known. */
export function describePlace(place: Place | undefined): string {
  if (!place) return ''
  const parts: string[] = []
  if (place.file !== undefined) parts.push(place.file)
  if (place.line !== undefined) parts.push(`line ${place.line.toLocaleString('en-US')}`)
  if (place.field !== undefined) parts.push(`field ${place.field}`)
  return parts.join(', ')
}

/** The error as a person reads it; one block, no stack. */
export function explain(error: GradusError): string {
  const rows: [string, string][] = []
  const place = describePlace(error.where)
  if (place !== '') rows.push(['where', place])
  if (error.found !== undefined) rows.push(['found', error.found])
  if (error.expected !== undefined) rows.push(['expected', error.expected])
  error.try.forEach((hint, i) => {
    rows.push([i === 0 ? 'try' : '', hint])
  })
  return [
    `error ${error.code}  ${ERROR_CODES[error.code]}`,
    ...rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}`),
  ].join('\n')
}
