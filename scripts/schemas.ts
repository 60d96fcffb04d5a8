import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { SCHEMAS } from '../src/core/words.ts'

/** Publishes the words as JSON Schema, one file a word. */
export async function writeSchemas(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`)
  }
}
