/**
 * Where the processor time of a path goes: `node bench/profile.ts <path> [--top 12]`; without a path it lists them.
 *
 * A program of `bench/` is the load (for starting: the built program, after `npm run build`); V8 samples its stack
 * (`node --cpu-prof`). Shares are of the samples in which the process worked, so they hold on a busy machine too; where
 * the load does more than the path, they are of the samples with a function of the path's files on the stack (`of`).
 * Prints shares by file, then by function, by what stands on top of the stack.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

interface Path {
  /** Program and arguments, from the root of the project. */
  load: readonly string[]
  of?: RegExp
}

const PATHS: Record<string, Path> = {
  'start-up': { load: ['dist/apps/cli/main.mjs', '--help'] },
  'start-up-label': { load: ['dist/apps/cli/main.mjs', 'label', '--help'] },
  jsonl: { load: ['bench/jsonl.ts', '500000'], of: /src\/io\/(jsonl|open)/ },
  parquet: { load: ['bench/parquet.ts'], of: /node_modules\/hyparquet\// },
  hashing: { load: ['bench/client.ts'], of: /src\/core\/hash/ },
  journal: { load: ['bench/client.ts'], of: /src\/engine\/(store|journal|cache)/ },
  http: { load: ['bench/client.ts'], of: /src\/engine\/http|node:_?http|node:net|node:internal\/(stream|streams)/ },
  engine: { load: ['bench/client.ts'] },
  'label-models': { load: ['bench/dawid-skene.ts'] },
  equal: { load: ['bench/equal.ts'] },
  tree: { load: ['bench/tree.ts', '500000'] },
  search: { load: ['bench/search.ts'] },
  sampling: { load: ['bench/policy.ts', 'sampling', 'small'] },
  training: { load: ['bench/policy.ts', 'training', 'small'] },
  serving: { load: ['bench/serving.ts', '--seconds', '10'] },
}

/** What V8 writes: a tree of calls; `hitCount` = samples with the node on top of the stack. */
interface CpuProfile {
  nodes: {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
    hitCount: number
    children?: number[]
  }[]
}

/** Characters of a row; regular expressions are functions too, and their text is the name. */
const WIDTH = 110
const ROOT = join(import.meta.dirname, '..')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { top: { type: 'string', default: '12' } },
})
const [name = ''] = positionals
const path = PATHS[name]
if (path) profile(path, Number(values.top))
else for (const [known, { load }] of Object.entries(PATHS)) console.log(`${known.padEnd(16)} ${load.join(' ')}`)

function profile({ load, of }: Path, top: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-profile-'))
  try {
    const flags = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', folder]
    const ran = spawnSync(process.execPath, [...flags, ...load], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
    if (ran.status !== 0) throw new Error(`${load.join(' ')} ended with ${ran.status ?? ran.signal}`)
    for (const file of readdirSync(folder).sort()) {
      // CPU.date.time.process.thread.number.cpuprofile
      const [, , , pid, thread] = file.split('.')
      const who =
        Number(pid) !== ran.pid ? 'a process that it starts' : thread === '0' ? 'the program' : 'a thread of it'
      print(who, JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, top, of)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function print(who: string, { nodes }: CpuProfile, top: number, of?: RegExp): void {
  const files = new Map<string, number>()
  const functions = new Map<string, number>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  let all = 0
  let counted = 0
  const visit = (id: number, within: boolean): void => {
    const { callFrame, hitCount, children = [] } = byId.get(id)!
    const { functionName, url, lineNumber } = callFrame
    const file = fileOf(url)
    const counts = within || (of?.test(file) ?? true)
    if (functionName !== '(idle)') {
      all += hitCount
      if (counts) {
        counted += hitCount
        add(files, url === '' ? functionName : file, hitCount)
        add(
          functions,
          url === '' ? functionName : `${functionName || '(anonymous)'}  ${file}:${lineNumber + 1}`,
          hitCount,
        )
      }
    }
    for (const child of children) visit(child, counts && of !== undefined)
  }
  visit(nodes[0]!.id, false)
  const share = of ? `, ${((100 * counted) / all).toFixed(1)} % of them with ${of.source} on the stack` : ''
  console.log(`\n${who}: ${all.toLocaleString('en-US')} samples at work${share}`)
  for (const table of [files, functions]) {
    console.log()
    for (const [row, hits] of [...table].sort((a, b) => b[1] - a[1]).slice(0, top)) {
      console.log(`  ${((100 * hits) / counted).toFixed(1).padStart(5)} %  ${row.slice(0, WIDTH)}`)
    }
  }
}

function add(counts: Map<string, number>, key: string, hits: number): void {
  counts.set(key, (counts.get(key) ?? 0) + hits)
}

/** From the root of the project, or as Node names its own; all WebAssembly is one, since each kernel is a module. */
function fileOf(url: string): string {
  if (url.startsWith('wasm:')) return 'WebAssembly'
  return url.startsWith('file:')
    ? relative(ROOT, fileURLToPath(url)).replace(/^.*node_modules\//, 'node_modules/')
    : url
}
