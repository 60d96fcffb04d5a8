import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { GradusError } from '../core/errors.ts'
import type { Opened } from './open.ts'

/** Files of ours say which of their columns are JSON. */
export const CREATED_BY = 'gradus'

/**
 * All rows of a Parquet file as objects. In files of others, cells that hold JSON text of an object or a list are parsed,
 * because that is how many write nested fields; in our own, text is text.
 */
export async function readParquetRows(opened: Pick<Opened, 'bytes' | 'file'>): Promise<Record<string, unknown>[]> {
  const pieces: Uint8Array[] = []
  for await (const piece of opened.bytes) pieces.push(Buffer.from(piece))
  const whole = Buffer.concat(pieces)
  const file = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength) as ArrayBuffer
  try {
    const metadata = await parquetMetadataAsync(file)
    const rows = await parquetReadObjects({ file, metadata, compressors })
    const json =
      metadata.created_by === CREATED_BY
        ? new Set(metadata.schema.flatMap((e) => (e.converted_type === 'JSON' ? [e.name] : [])))
        : null
    return rows.map((row) => plainRow(row, json))
  } catch (cause) {
    throw new GradusError('GRD-IO-002', {
      where: { file: opened.file },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a whole Parquet file',
      cause,
    })
  }
}

/** @param json columns of JSON; null = nobody says which */
function plainRow(row: Record<string, unknown>, json: ReadonlySet<string> | null): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => {
      if (typeof value !== 'string') return [key, plain(value)]
      return [key, json === null ? parsed(value) : json.has(key) ? JSON.parse(value) : value]
    }),
  )
}

/** Parquet's 64-bit integers become numbers. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function parsed(text: string): unknown {
  if (!/^[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
