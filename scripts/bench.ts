/**
 * `npm run bench`: runs the programs of `bench/` that measure speed, one after the other, and writes what they print to
 * `docs/performance.md`, with the machine, the versions and the commit. `npm run bench -- equal tree` runs some of them and
 * keeps what stands there of the others. Those built are measured as they stand in `dist` (npm run build first).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'

interface Program {
  /** Of the block in the page, and of the program where `program` is not given. */
  name: string
  program?: string
  says: string
  args?: readonly string[]
  /** Seconds after which it is ended. */
  seconds: number
  /** Run only when it is named: all others together take about a quarter of an hour. */
  long?: boolean
}

const PROGRAMS: readonly Program[] = [
  { name: 'jsonl', says: 'JSON Lines of a million steps against a readline loop', seconds: 120 },
  { name: 'parquet', says: 'a label histogram over five million steps in Parquet', seconds: 60 },
  { name: 'equal', says: 'answer equality', seconds: 60 },
  { name: 'answers-sympy', says: 'answer equality against a grader on sympy', seconds: 120 },
  { name: 'dawid-skene', says: 'Dawid-Skene over a million items and eight sources', seconds: 60 },
  { name: 'label-models-numpy', says: 'label models against a numpy program', seconds: 180 },
  { name: 'tree', says: 'bookkeeping of tree search', seconds: 60 },
  { name: 'search', says: 'step expansions of searches with a free policy', seconds: 120 },
  { name: 'orchestration', says: 'what labelling costs beside a model of 100 ms', seconds: 180 },
  { name: 'client', says: 'calls under way, and samples from the cache', seconds: 180 },
  { name: 'policy', says: 'the embedded transformer', seconds: 480 },
  { name: 'transformer-torch', says: 'the embedded transformer against PyTorch', seconds: 180 },
  { name: 'label', says: 'gradus --help and gradus label, built (npm run build first)', seconds: 60 },
  { name: 'serving', says: 'scores over HTTP', seconds: 120 },
  { name: 'tree-of-thoughts', says: 'a logged run of 100 Games of 24 replayed (needs GRADUS_DATA)', seconds: 60 },
  {
    name: 'many-calls',
    program: 'many',
    args: ['calls'],
    says: 'what a job on several machines asks of its database, an item',
    seconds: 120,
  },
  {
    name: 'many-plan',
    program: 'many',
    args: ['plan'],
    says: 'a million items planned, and resumed with all but 500 finished',
    seconds: 180,
  },
  {
    name: 'many-workers',
    program: 'many',
    args: ['workers'],
    says: '1, 2, 4 and 8 workers against a server that only waits',
    seconds: 400,
    long: true,
  },
  { name: 'viewer-index', says: 'the index of the viewer, 100,000 traces', args: ['--built'], seconds: 120 },
  { name: 'viewer', says: "the viewer's page in headless Chromium, 100,000 traces", args: ['--built'], seconds: 180 },
]

const ROOT = join(import.meta.dirname, '..')
const PAGE = join(ROOT, 'docs', 'performance.md')
const asked = process.argv.slice(2)

const before = sections()
const parts = PROGRAMS.map((program): string => {
  const wanted = asked.length > 0 ? asked.includes(program.name) : program.long !== true
  if (!wanted) return before.get(program.name) ?? ''
  process.stderr.write(`${program.name}\n`)
  return section(program)
})
writeFileSync(PAGE, `${head()}\n${parts.filter((part) => part !== '').join('\n')}`)

function head(): string {
  return [
    '# Performance',
    '',
    'Written by `npm run bench`; each block is what one program printed. Machines differ and these are shared: compare',
    'ratios within a block before figures between blocks.',
    '',
  ].join('\n')
}

function section({ name, program = name, says, args = [], seconds }: Program): string {
  const command = ['node', `bench/${program}.ts`, ...args].join(' ')
  const ran = spawnSync(process.execPath, [join('bench', `${program}.ts`), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: seconds * 1_000,
    maxBuffer: 1 << 26,
  })
  const why = ran.stderr.split('\n').find((line) => /^\w*Error/.test(line)) ?? ''
  const failed = ran.status === 0 ? '' : `\nended with ${ran.status ?? ran.signal}: ${why}`
  const model = cpus()[0]?.model ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const date = new Date().toISOString().slice(0, 10)
  return [
    `## ${name}`,
    '',
    `${says}: \`${command}\``,
    '',
    '```',
    `${ran.stdout.trimEnd()}${failed}`.replace(/^\n/, ''),
    '```',
    '',
    `${date}, ${cpus().length} x ${model}, ${memory} GiB, Node ${process.versions.node}, commit ${commit}.`,
    '',
  ].join('\n')
}

/** What stands in the page already, by program. */
function sections(): Map<string, string> {
  let text = ''
  try {
    text = readFileSync(PAGE, 'utf8')
  } catch {
    return new Map()
  }
  const found = text.split(/^(?=## )/m).slice(1)
  return new Map(found.map((part) => [/^## (.+)$/m.exec(part)?.[1] ?? '', `${part.trimEnd()}\n`]))
}
