import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { RunConfig } from '../src/apps/pipeline/run/config.ts'
import { SCHEMAS } from '../src/core/words.ts'

/** What has a published schema: the words, and the settings of a run. */
export const PUBLISHED = { ...SCHEMAS, RunConfig } as const

/** JSON Schema, one file each. Settings are as people write them: what has a default may be left out. */
export async function writeSchemas(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, schema] of Object.entries(PUBLISHED)) {
    await writeFile(
      join(folder, `${name}.json`),
      `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`,
    )
  }
}
