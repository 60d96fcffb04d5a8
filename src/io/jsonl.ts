import { GradusError } from '../core/errors.ts'
import { LIMITS } from '../core/limits.ts'

/**
 * A parsed line, or why it could not be parsed. Lines count from 1; empty lines are passed over. `start` and `bytes` say
 * where the line stands in the stream, without its line feed; absent where nobody asked and where the value comes from another container.
 * `open` = no line feed ends it: the last line, perhaps still being written.
 */
export type JsonLine = { line: number; start?: number; bytes?: number; open?: true } & (
  | { value: unknown }
  | { error: GradusError }
)

/**
 * Parses a stream of bytes as JSON Lines, a batch a piece: the one JSONL reader.
 *
 * Parsing line by line costs what `JSON.parse` costs; what is saved against `readline` is everything else
 * (docs/decisions/jsonl-reading.md).
 * @param bytes a piece may be reused for the next one once that is asked for
 * @param file for messages only
 * @param places also say where each line stands, which takes a fifth more time
 */
export async function* readJsonLines(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
  places = false,
): AsyncGenerator<JsonLine[]> {
  let rest: Buffer[] = []
  let restBytes = 0
  let line = 0
  let start = 0
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const end = chunk.lastIndexOf(10)
    if (end < 0) {
      rest.push(Buffer.from(chunk))
      restBytes += chunk.length
      if (restBytes > LIMITS.lineBytes) throw tooLong(file, line + 1)
      continue
    }
    const whole = restBytes === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)])
    const lines = whole.toString('utf8').split('\n')
    rest = end + 1 < chunk.length ? [Buffer.from(chunk.subarray(end + 1))] : []
    restBytes = chunk.length - end - 1
    yield parseEach(lines, line, file, places ? ends(whole, start) : null)
    line += lines.length
    start += whole.length + 1
  }
  if (restBytes > 0) {
    const whole = Buffer.concat(rest)
    const last = parseEach([whole.toString('utf8')], line, file, places ? ends(whole, start) : null)
    yield last.map((l) => ({ ...l, open: true as const }))
  }
}

/** Where the lines begin, and one past the line feed of the last. Told by bytes, since a text may be mended UTF-8. */
function ends(whole: Buffer, start: number): number[] {
  const at = [start]
  for (let next = whole.indexOf(10); next >= 0; next = whole.indexOf(10, next + 1)) at.push(start + next + 1)
  at.push(start + whole.length + 1)
  return at
}

function parseEach(lines: string[], before: number, file: string, at: readonly number[] | null): JsonLine[] {
  if (before === 0 && lines[0]?.charCodeAt(0) === 0xfeff) lines[0] = lines[0].slice(1)
  const out: JsonLine[] = []
  let line = before
  for (const text of lines) {
    line++
    try {
      out.push({ line, value: JSON.parse(text) })
    } catch (cause) {
      if (text.trim() !== '') out.push({ line, error: notJson(file, line, text, cause) })
    }
  }
  if (!at) return out
  return out.map((one) => {
    const start = at[one.line - before - 1]!
    return { ...one, start, bytes: at[one.line - before]! - start - 1 }
  })
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
