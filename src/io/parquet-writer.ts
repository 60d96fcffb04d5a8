import { writeFile } from 'node:fs/promises'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { Format } from './formats/format.ts'
import { recordsOf } from './formats/write.ts'
import { cannotWrite, targetOf } from './target.ts'
import type { TraceWriter } from './write.ts'

/**
 * One column for each field of the format's records; text stays text, everything else is JSON text, which the reader
 * turns back into values. Rows are held in memory until `close`.
 */
export async function parquetWriter(path: string, format: Format): Promise<TraceWriter> {
  const target = await targetOf(path)
  const rows: Record<string, unknown>[] = []
  return {
    async write(traces) {
      for (const record of recordsOf(format, traces)) rows.push(record as Record<string, unknown>)
    },
    async close() {
      const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
      const columnData = names.map((name) => ({ name, ...column(rows.map((row) => row[name])) }))
      try {
        await writeFile(target.name, Buffer.from(parquetWriteBuffer({ columnData })))
      } catch (cause) {
        await target.discard()
        throw cause instanceof Error && 'code' in cause ? cannotWrite(path, cause) : cause
      }
      await target.commit()
    },
    async abandon() {
      rows.length = 0
      await target.discard()
    },
  }
}

function column(values: readonly unknown[]): {
  data: unknown[]
  type: 'STRING' | 'DOUBLE' | 'BOOLEAN' | 'INT32'
  nullable: boolean
} {
  const nullable = values.some((v) => v === undefined || v === null)
  const present = values.filter((v) => v !== undefined && v !== null)
  const all = (test: (v: unknown) => boolean): boolean => present.length > 0 && present.every(test)
  const data = values.map((v) => v ?? null)
  if (all((v) => typeof v === 'boolean')) return { data, type: 'BOOLEAN', nullable }
  if (all((v) => Number.isInteger(v) && Math.abs(v as number) < 2 ** 31)) return { data, type: 'INT32', nullable }
  if (all((v) => typeof v === 'number')) return { data, type: 'DOUBLE', nullable }
  const text = values.map((v) => (v === undefined || v === null ? null : typeof v === 'string' ? v : JSON.stringify(v)))
  return { data: text, type: 'STRING', nullable }
}
