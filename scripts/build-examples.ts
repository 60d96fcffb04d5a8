import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AGENTS } from './examples/agents.ts'
import { CODE } from './examples/code.ts'
import { type Example, traceOf } from './examples/example.ts'
import { MATHEMATICS } from './examples/mathematics.ts'

/** The traces that come with Gradus, by the name of their file. */
export const AREAS: Readonly<Record<string, readonly Example[]>> = {
  mathematics: MATHEMATICS,
  code: CODE,
  agents: AGENTS,
}

/** The text of one area's file: native traces, one a line. */
export function linesOf(examples: readonly Example[]): string {
  return examples.map((e) => `${JSON.stringify(traceOf(e))}\n`).join('')
}

/** Writes `examples/traces/<area>.jsonl`: `node scripts/build-examples.ts`. */
if (import.meta.main) {
  const folder = join(import.meta.dirname, '..', 'examples', 'traces')
  await mkdir(folder, { recursive: true })
  for (const [area, examples] of Object.entries(AREAS)) {
    await writeFile(join(folder, `${area}.jsonl`), linesOf(examples))
  }
}
