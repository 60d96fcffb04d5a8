import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, NotHere } from './execute.ts'
import { interpreter } from './interpreters.ts'
import { CLAIMED, CLAIMS, DEFAULT_LIMITS, type Language, LEVELS, type Level, type LevelName } from './levels.ts'

const known = new Map<string, Promise<Level[]>>()

/**
 * What this machine really gives, best first; each process level starts once and is attacked before it counts.
 *
 * @param path where `bwrap` and `unshare` are looked for; the result is kept per path for the life of the process
 */
export function probeLevels(path: string = process.env['PATH'] ?? ''): Promise<Level[]> {
  const before = known.get(path)
  if (before) return before
  const levels = probeAll(path)
  known.set(path, levels)
  return levels
}

async function probeAll(path: string): Promise<Level[]> {
  const bait = await layBait()
  try {
    const levels: Level[] = []
    for (const name of LEVELS) levels.push(await probe(name, path, bait))
    return levels
  } finally {
    await bait.remove()
  }
}

interface Bait {
  /** Things on the host that an isolating level must not reach. */
  file: string
  port: number
  variable: string
  remove(): Promise<void>
}

async function layBait(): Promise<Bait> {
  const id = randomUUID()
  const file = join(tmpdir(), `gradus-bait-${id}`)
  await writeFile(file, id, { mode: 0o644 })
  const server = await listen()
  const address = server.address()
  const variable = `GRADUS_BAIT_${id.replaceAll('-', '')}`
  process.env[variable] = id
  return {
    file,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    variable,
    async remove() {
      delete process.env[variable]
      server.close()
      await rm(file, { force: true })
    },
  }
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

/** Seconds for a level to start and answer; the slowest seen is 0.3 s. */
const PROBE_SECONDS = 10

/** The probe forks until it is refused, or once more than this. */
const PROBE_PROCESSES = 8
const PROBE_LIMITS = { ...DEFAULT_LIMITS, seconds: PROBE_SECONDS, processes: PROBE_PROCESSES }

async function probe(name: LevelName, path: string, bait: Bait): Promise<Level> {
  const isolating = CLAIMED[name].length === CLAIMS.length
  const head = { name, isolating, claims: CLAIMED[name] }
  const absent = (reason: string): Level => ({ ...head, available: false, languages: [], reason })
  const language: Language = name === 'quickjs' ? 'javascript' : 'python'
  const program = { language, stdin: '', files: {}, limits: PROBE_LIMITS }
  try {
    if (name === 'quickjs') {
      const { status } = await execute(name, { ...program, code: 'print(typeof process, typeof require)' }, path)
      return status === 'ok'
        ? { ...head, available: true, languages: ['javascript'], reason: 'runs' }
        : absent(`QuickJS ended with ${status}`)
    }
    const { status, stdout, stderr } = await execute(name, { ...program, code: attack(bait) }, path)
    if (status !== 'ok') return absent(stderr.trim().split('\n').at(-1) || `ended with ${status}`)
    const broken = stdout.trim()
    if (isolating && broken !== 'held') return absent(`does not hold here: ${broken}`)
    return { ...head, available: true, languages: await languagesAt(name, path), reason: isolating ? 'probed' : 'runs' }
  } catch (error) {
    if (error instanceof NotHere) return absent(error.message)
    throw error
  }
}

/** Node is tried too: its binary may lie where the unprivileged user cannot reach it. */
async function languagesAt(name: LevelName, path: string): Promise<Language[]> {
  const languages: Language[] = ['python']
  if ((await interpreter('javascript')) === null) return languages
  const { status } = await execute(
    name,
    { language: 'javascript', code: '', stdin: '', files: {}, limits: { ...DEFAULT_LIMITS, seconds: PROBE_SECONDS } },
    path,
  )
  return status === 'ok' ? [...languages, 'javascript'] : languages
}

/** Python that prints `held`, or which claims it broke. */
function attack(bait: Bait): string {
  return `import os, socket, time
broken = []
try:
    open(${JSON.stringify(bait.file)}).read(); broken.append('files')
except OSError: pass
if ${JSON.stringify(bait.variable)} in os.environ: broken.append('environment')
try:
    socket.create_connection(('127.0.0.1', ${bait.port}), 1).close(); broken.append('network')
except OSError: pass
try:
    os.kill(${process.pid}, 0); broken.append('signals')
except OSError: pass
if os.getuid() == 0: broken.append('user')
children = []
try:
    while len(children) <= ${PROBE_PROCESSES}:
        child = os.fork()
        if child == 0:
            time.sleep(5); os._exit(0)
        children.append(child)
    broken.append('processes')
except OSError: pass
for child in children:
    os.kill(child, 9); os.wait()
print(' '.join(broken) or 'held')
`
}
