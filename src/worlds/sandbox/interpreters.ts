import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { Language } from './levels.ts'

/** How a language is started, and what the jail must show of the host for it. */
export interface Interpreter {
  /** Path on the host. */
  program: string
  /** Host folders or files to show read-only at the path given, beside /usr. */
  binds: readonly { from: string; to: string }[]
  /** Path in the jail. */
  inside: string
  args(memoryBytes: number): readonly string[]
  /** Name of the program's text in the working folder. */
  file: string
  /** Which limit bounds its memory: V8 reserves far more address space than it ever writes. */
  memory: 'as' | 'data'
  /** Added to that limit, bytes: counted by the kernel, never filled with data. */
  reserved: number
}

/** Where programs of the system are looked for, whatever PATH says. */
export const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

const DEBIAN_PYTHON = '/usr/bin/python3'
const pythonArgs = (): readonly string[] => ['-s', '-B']

/** V8's reservation for machine code counts as private writable memory: Node 24 starts with 600 MB, not with 580. */
const V8_CODE_RANGE = 512 * 1024 * 1024

/** Share of the memory limit for objects; the rest is for buffers, stacks and V8 itself. */
const V8_HEAP_SHARE = 0.75
const MIB = 1024 * 1024
const ASK_TIMEOUT_MS = 5_000

/** First executable of that name on the path; null where there is none. */
export function which(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue
    const candidate = join(folder, name)
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      // not here
    }
  }
  return null
}

const found = new Map<Language, Promise<Interpreter | null>>()

/** The interpreter of a language on this machine, looked for once; null where there is none. */
export function interpreter(language: Language): Promise<Interpreter | null> {
  const known = found.get(language)
  if (known) return known
  const search = language === 'python' ? python() : Promise.resolve(node())
  found.set(language, search)
  return search
}

/** Python of the system, else the one on PATH with its whole prefix shown. */
async function python(): Promise<Interpreter | null> {
  if (which('python3', '/usr/bin') !== null) {
    return {
      program: DEBIAN_PYTHON,
      binds: [],
      inside: DEBIAN_PYTHON,
      args: pythonArgs,
      file: 'main.py',
      memory: 'as',
      reserved: 0,
    }
  }
  const other = which('python3', process.env['PATH'] ?? '')
  if (other === null) return null
  try {
    const ask = 'import os, sys; print(os.path.realpath(sys.executable)); print(sys.base_prefix)'
    const { stdout } = await promisify(execFile)(other, ['-I', '-c', ask], { timeout: ASK_TIMEOUT_MS })
    const [program, prefix] = stdout.split('\n')
    if (!program || !prefix) return null
    const binds = prefix.startsWith('/usr') ? [] : [{ from: prefix, to: prefix }]
    return { program, binds, inside: program, args: pythonArgs, file: 'main.py', memory: 'as', reserved: 0 }
  } catch {
    return null
  }
}

/** The Node that runs Gradus. */
function node(): Interpreter {
  const program = realpathSync(process.execPath)
  return {
    program,
    binds: [{ from: program, to: '/opt/node' }],
    inside: '/opt/node',
    args: (memoryBytes) => [`--max-old-space-size=${Math.max(16, Math.floor((memoryBytes * V8_HEAP_SHARE) / MIB))}`],
    file: 'main.js',
    memory: 'data',
    reserved: V8_CODE_RANGE,
  }
}
