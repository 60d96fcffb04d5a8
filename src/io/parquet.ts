import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { GradusError } from '../core/errors.ts'
import type { Opened } from './open.ts'

/**
 * All rows of a Parquet file as objects. Cells that hold JSON text of an object or a list are parsed, because that is
 * how nested fields are written here.
 */
export async function readParquetRows(opened: Opened): Promise<Record<string, unknown>[]> {
  const pieces: Uint8Array[] = []
  for await (const piece of opened.bytes) pieces.push(Buffer.from(piece))
  const whole = Buffer.concat(pieces)
  const file = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength) as ArrayBuffer
  try {
    const metadata = await parquetMetadataAsync(file)
    const rows = await parquetReadObjects({ file, metadata, compressors })
    return rows.map(plainRow)
  } catch (cause) {
    throw new GradusError('GRD-IO-002', {
      where: { file: opened.file },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a whole Parquet file',
      cause,
    })
  }
}

function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)]))
}

/** Parquet's 64-bit integers become numbers, JSON text becomes its value. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'string' && /^[[{]/.test(value)) {
    try {
      return JSON.parse(value)
    } catch {
      return value
    }
  }
  return value
}
