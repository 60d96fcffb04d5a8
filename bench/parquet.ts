/**
 * A histogram of step labels over five million steps in Parquet, reading that column alone: `node bench/parquet.ts`.
 *
 * The file is as TRL's stepwise trainers read it: 500,000 rows with a prompt and a list of ten labels each.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { random } from '../src/core/seeds.ts'
import { schemaElements } from '../src/io/parquet-schema.ts'

const ROWS = 500_000
const STEPS = 10
const ROUNDS = 3

const folder = mkdtempSync(join(tmpdir(), 'gradus-parquet-'))
try {
  const path = join(folder, 'steps.parquet')
  const draw = random('bench/parquet')
  const labels = Array.from({ length: ROWS }, () => Array.from({ length: STEPS }, () => draw.next() < 0.7))
  const schema = [
    { name: 'root', num_children: 2 },
    ...schemaElements('prompt', { kind: 'text' }),
    ...schemaElements('labels', { kind: 'list', of: { kind: 'boolean' } }),
  ]
  const columnData = [
    { name: 'prompt', data: labels.map((_, i) => `What is ${i} plus ${i + 1}?`) },
    { name: 'labels', data: labels },
  ]
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData, schema })))
  const seconds: number[] = []
  let counts = { right: 0, wrong: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    counts = { right: 0, wrong: 0 }
    await parquetRead({
      file: await asyncBufferFromFile(path),
      columns: ['labels'],
      compressors,
      onChunk({ columnData: lists }) {
        for (const list of lists as Iterable<boolean[]>) for (const label of list) counts[label ? 'right' : 'wrong']++
      },
    })
    seconds.push((performance.now() - began) / 1000)
  }
  if (counts.right !== labels.flat().filter(Boolean).length) throw new RangeError('another count than was written')
  const median = seconds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  console.log(JSON.stringify({ steps: ROWS * STEPS, seconds: median, counts }))
  console.log(
    `| label histogram over ${(ROWS * STEPS).toLocaleString('en-US')} steps in Parquet | ${median.toFixed(2)} s |`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
