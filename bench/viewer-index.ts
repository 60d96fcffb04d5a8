/**
 * A run folder of 100,000 traces (1 M steps) in the viewer: what writing the index costs, and how long a browser waits
 * for its first rows, for filters, sorts and searches. The same without an index, as a foreign file.
 *
 *   node bench/viewer-index.ts [traces]          (the sources)
 *   npm run build && node bench/viewer-index.ts --built
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { traceWriter } from '../src/io/write.ts'
import { syntheticTraces } from './synthetic-traces.ts'

const built = process.argv.includes('--built')
const traces = Number(process.argv.slice(2).find((a) => /^\d+$/.test(a)) ?? 100_000)
const ROUNDS = 5
const BATCH = 200
const QUERIES = [
  'sort=-maxRisk',
  'sort=problem',
  'sort=-steps&offset=90000',
  'filter=steps:ge:8;generator:eq:agent-a&sort=-doubt',
  'filter=tags:eq:gold',
  'q=ce',
  'q=ce di mu',
  'q=ce&sort=-maxRisk',
]
const root = join(import.meta.dirname, '..')
const bin = built ? join(root, 'dist', 'apps', 'cli', 'main.mjs') : join(root, 'bin', 'gradus.mjs')

const folder = await mkdtemp(join(tmpdir(), 'gradus-bench-'))
// Indexes and bundles of this run only.
const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
const labelled = join(folder, 'labelled.jsonl')
const without = await written(false)
const withIndex = await written(true)
await writeFile(join(folder, 'run.json'), '{"version":1,"state":"done"}')
// A first start bundles the page.
await measured(folder, [])
const rounds = []
for (let i = 0; i < ROUNDS; i++) rounds.push(await measured(folder, i === ROUNDS - 1 ? QUERIES : []))
await rm(`${labelled}.index`)
const foreign = await measured(labelled, [])
const queries = rounds.at(-1)!.queries
await rm(folder, { recursive: true })

const result = {
  traces,
  built,
  writeSeconds: without.seconds,
  writeWithIndexSeconds: withIndex.seconds,
  dataMB: withIndex.bytes / 1e6,
  indexMB: withIndex.index / 1e6,
  firstRowsMs: median(rounds.map((r) => r.rows)),
  serverCpuMs: median(rounds.map((r) => r.cpu)),
  queriesMs: queries,
  serverRssMiB: rounds.at(-1)!.rss,
  foreignFirstRowsMs: foreign.rows,
  foreignRssMiB: foreign.rss,
}
console.log(JSON.stringify(result))
console.log(
  `| first rows of ${traces.toLocaleString('en-US')} traces, from the command | ${result.firstRowsMs.toFixed(0)} ms |`,
)
console.log(`| first rows of a foreign file of that size | ${foreign.rows.toFixed(0)} ms |`)
console.log(`| slowest filter, sort or search | ${Math.max(...Object.values(queries)).toFixed(0)} ms |`)
console.log(`| memory of the server after these | ${result.serverRssMiB} MiB |`)

async function written(index: boolean): Promise<{ seconds: number; bytes: number; index: number }> {
  const all = [...syntheticTraces(Math.min(traces, 5_000))]
  const start = performance.now()
  const writer = await traceWriter(labelled, undefined, { index })
  for (let i = 0; i < traces; i += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, traces - i) }, (_, k) => all[(i + k) % all.length]!)
    await writer.write(some.map((t, k) => ({ ...t, id: `bench-${i + k}` })))
  }
  await writer.close()
  const seconds = (performance.now() - start) / 1000
  const size = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size
  return { seconds, bytes: await size(labelled), index: await size(`${labelled}.index`) }
}

/** Time from the command to the first rows over HTTP, as the page asks for them; then some queries. */
async function measured(path: string, ask: readonly string[]) {
  const start = performance.now()
  const child = spawn(process.execPath, [bin, 'view', path, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => resolve((JSON.parse(data.toString()) as { url: string }).url))
    child.once('exit', () => reject(new Error('the viewer ended')))
  })
  const entered = await fetch(url, { redirect: 'manual' })
  const headers = { cookie: entered.headers.get('set-cookie')?.split(';')[0] ?? '' }
  const get = async (query: string): Promise<string> => await (await fetch(new URL(query, url), { headers })).text()
  await Promise.all([get('/'), get('/assets/main.js'), get('/assets/style.css')])
  await get('/api/session')
  await get('/api/traces?limit=100')
  const rows = performance.now() - start
  const cpu = await cpuMs(child.pid!)
  const queries: Record<string, number> = {}
  for (const query of ask) {
    const before = performance.now()
    await get(`/api/traces?limit=100&${query}`)
    queries[query] = performance.now() - before
  }
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  const rss = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
  child.kill('SIGINT')
  await new Promise((resolve) => child.once('exit', resolve))
  return { rows, cpu, queries, rss }
}

/** Processor time that a process has used, all threads. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
