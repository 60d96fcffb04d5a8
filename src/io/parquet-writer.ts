import { writeFile } from 'node:fs/promises'
import type { SchemaElement } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { Trace } from '../core/words.ts'
import type { Format } from './formats/format.ts'
import { native } from './formats/native.ts'
import { recordsOf } from './formats/write.ts'
import { CREATED_BY } from './parquet.ts'
import { flatShape, nestedShape, schemaElements } from './parquet-schema.ts'
import { cannotWrite, targetOf } from './target.ts'
import type { RecordWriter, TraceWriter } from './trace-writer.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * One column for each field of the format's records. Lists and structs that are alike in all rows are written as such,
 * since training tools read nothing else; native traces, and whatever is nested in several ways, in columns of JSON. Rows
 * are held in memory until `close`.
 */
export async function parquetWriter(path: string, format: Format): Promise<TraceWriter> {
  const rows = await parquetRecords(path, format === native)
  return { ...rows, write: (traces) => rows.write(recordsOf(format, traces) as Row[]) }
}

/**
 * The same for any records.
 * @param asText are nested fields written as JSON?
 */
export async function parquetRecords(path: string, asText: boolean): Promise<RecordWriter<Row>> {
  const target = await targetOf(path)
  const rows: Row[] = []
  return {
    async write(records) {
      for (const record of records) rows.push(record)
    },
    async close() {
      const bytes = bytesOf(rows, asText)
      try {
        await writeFile(target.name, bytes)
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

/** Native traces as a whole file. */
export function parquetOf(traces: readonly Trace[]): Buffer {
  return bytesOf(recordsOf(native, traces) as Row[], true)
}

/** @param asText are nested fields written as JSON? */
function bytesOf(rows: readonly Row[], asText: boolean): Buffer {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const columns = names.map((name) =>
    columnOf(
      name,
      rows.map((row) => row[name]),
      asText,
    ),
  )
  const schema: SchemaElement[] = [
    { name: 'root', num_children: columns.length },
    ...columns.flatMap((column) => column.schema),
  ]
  const columnData = columns.map(({ name, data }) => ({ name, data: [...data] }))
  return Buffer.from(parquetWriteBuffer({ columnData, schema, createdBy: CREATED_BY }))
}

function columnOf(
  name: string,
  values: readonly unknown[],
  asText: boolean,
): { name: string; data: readonly unknown[]; schema: SchemaElement[] } {
  const data = values.map((v) => v ?? null)
  const shape = flatShape(data) ?? (asText ? null : nestedShape(data))
  if (shape) return { name, data, schema: schemaElements(name, shape) }
  const text = data.map((v) => (v === null ? null : JSON.stringify(v)))
  return {
    name,
    data: text,
    schema: [{ name, repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'JSON' }],
  }
}
