import { GradusError } from '../core/errors.ts'
import { LIMITS } from '../core/limits.ts'

/** A parsed line, or why it could not be parsed. Lines count from 1; empty lines are passed over. */
export type JsonLine = { line: number; value: unknown } | { line: number; error: GradusError }

/**
 * Parses a stream of bytes as JSON Lines, a batch a chunk: the one JSONL reader.
 *
 * A chunk's lines are parsed as one array, which V8 does faster than line by line; where that fails, or where the
 * count does not fit, the chunk is parsed again by line so that each broken line is named.
 * @param file for messages only
 */
export async function* readJsonLines(bytes: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<JsonLine[]> {
  let rest: Buffer[] = []
  let restBytes = 0
  let line = 0
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const end = chunk.lastIndexOf(10)
    if (end < 0) {
      rest.push(chunk)
      restBytes += chunk.length
      if (restBytes > LIMITS.lineBytes) throw tooLong(file, line + 1)
      continue
    }
    const text = Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8')
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    restBytes = chunk.length - end - 1
    const lines = text.split('\n')
    yield parseLines(lines, line, file)
    line += lines.length
  }
  if (restBytes > 0) yield parseLines([Buffer.concat(rest).toString('utf8')], line, file)
}

function parseLines(lines: string[], before: number, file: string): JsonLine[] {
  if (before === 0 && lines[0]?.charCodeAt(0) === 0xfeff) lines[0] = lines[0].slice(1)
  return parseTogether(lines, before) ?? parseEach(lines, before, file)
}

function parseTogether(lines: string[], before: number): JsonLine[] | null {
  for (const text of lines) {
    if (text.charCodeAt(0) !== 123 || !(text.endsWith('}') || text.endsWith('}\r'))) return null
  }
  try {
    const values: unknown[] = JSON.parse(`[${lines.join(',')}]`)
    if (values.length !== lines.length) return null
    return values.map((value, i) => ({ line: before + i + 1, value }))
  } catch {
    return null
  }
}

function parseEach(lines: string[], before: number, file: string): JsonLine[] {
  const out: JsonLine[] = []
  lines.forEach((text, i) => {
    if (text.trim() === '') return
    const line = before + i + 1
    try {
      out.push({ line, value: JSON.parse(text) })
    } catch (cause) {
      out.push({ line, error: notJson(file, line, text, cause) })
    }
  })
  return out
}

function notJson(file: string, line: number, text: string, cause: unknown): GradusError {
  const start = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return new GradusError('GRD-IO-005', {
    where: { file, line },
    found: `${start}  (${cause instanceof Error ? cause.message : String(cause)})`,
    expected: 'one JSON value a line',
    try: ['mend or remove the line; the other lines are read without it'],
    cause,
  })
}

function tooLong(file: string, line: number): GradusError {
  return new GradusError('GRD-IO-010', {
    where: { file, line },
    found: `a line longer than ${LIMITS.lineBytes.toLocaleString('en-US')} bytes`,
    expected: 'one record a line',
    try: ['split the record, or give the file as a JSON document (.json)'],
  })
}
