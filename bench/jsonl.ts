/**
 * Reading one million step records of JSON Lines, against a `readline` + `JSON.parse` loop in the same run.
 *
 *   node bench/jsonl.ts [records]
 */

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { random } from '../src/core/seeds.ts'
import { readJsonLines } from '../src/io/jsonl.ts'
import { openBytes } from '../src/io/open.ts'

const records = Number(process.argv[2] ?? 1_000_000)
const ROUNDS = 3

const folder = await mkdtemp(join(tmpdir(), 'gradus-bench-'))
const file = join(folder, 'steps.jsonl')
await writeRecords(file)

interface Took {
  wall: number
  /** Processor time, which other work on the machine leaves alone. */
  cpu: number
}

const ours: Took[] = []
const theirs: Took[] = []
let peak = 0
let expected: number | null = null
for (let round = 0; round < ROUNDS; round++) {
  theirs.push(await timed(withReadline))
  ours.push(await timed(withGradus))
}
await rm(folder, { recursive: true })

const [gradus, readline] = [median(ours, 'wall'), median(theirs, 'wall')]
const [gradusCpu, readlineCpu] = [median(ours, 'cpu'), median(theirs, 'cpu')]
const result = {
  records,
  gradusSeconds: gradus,
  readlineSeconds: readline,
  ratio: readline / gradus,
  gradusCpuSeconds: gradusCpu,
  readlineCpuSeconds: readlineCpu,
  cpuRatio: readlineCpu / gradusCpu,
  peakRssMiB: Math.round(peak / 2 ** 20),
}
console.log(JSON.stringify(result))
console.log(
  `| JSONL, ${records.toLocaleString('en-US')} step records | ${gradus.toFixed(2)} s | readline ${readline.toFixed(2)} s | ${result.ratio.toFixed(2)} times faster, ${result.cpuRatio.toFixed(2)} times by processor time | ${result.peakRssMiB} MiB |`,
)

async function writeRecords(path: string): Promise<void> {
  const draw = random('bench/jsonl')
  const out = createWriteStream(path)
  for (let i = 0; i < records; i++) {
    const words = Array.from({ length: 12 + draw.below(30) }, () => draw.below(36 ** 5).toString(36))
    const record = {
      trace: `trace-${i >> 3}`,
      step: i & 7,
      text: words.join(' '),
      label: draw.below(2),
      risk: draw.next(),
      source: 'bench',
    }
    if (!out.write(`${JSON.stringify(record)}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}

async function withReadline(): Promise<number> {
  let sum = 0
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const record: { step: number } = JSON.parse(line)
    sum += record.step
  }
  return sum
}

async function withGradus(): Promise<number> {
  let sum = 0
  for await (const batch of readJsonLines((await openBytes(file)).bytes, file)) {
    for (const line of batch) if ('value' in line) sum += (line.value as { step: number }).step
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  return sum
}

async function timed(read: () => Promise<number>): Promise<Took> {
  const start = performance.now()
  const before = process.cpuUsage()
  const sum = await read()
  if (expected !== null && sum !== expected) throw new Error(`the two readers disagree: ${sum} and ${expected}`)
  expected = sum
  const { user, system } = process.cpuUsage(before)
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

function median(values: readonly Took[], time: keyof Took): number {
  return values.map((took) => took[time]).sort((a, b) => a - b)[values.length >> 1]!
}
