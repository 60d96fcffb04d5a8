import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { removeIndex } from './build.ts'
import { freshness } from './facts.ts'
import { IndexReader } from './reader.ts'

/** An index in the cache that is older is made anew when it is wanted, days. */
const KEPT_DAYS = 30

/** Name of the index that is written with a file. */
export function indexBeside(path: string): string {
  return `${path}.index`
}

/** Where the index of a file is, or will be, and how it stands to the data. */
export interface Located {
  file: string
  state: 'fresh' | 'grown' | 'stale' | 'absent'
}

/**
 * The index beside the file where it can be used, else the one in the user's cache folder: looking at a file leaves
 * nothing beside it.
 */
export function locateIndex(path: string, cache = cacheFolder()): Located {
  const beside = stateOf(path, indexBeside(path))
  if (beside.state === 'fresh' || (beside.state === 'grown' && isWritable(beside.file))) return beside
  const name = createHash('sha256').update(realpathSync(path)).digest('hex').slice(0, 32)
  return stateOf(path, join(cache, `${name}.index`))
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    accessSync(dirname(file), constants.W_OK)
    return true
  } catch {
    return false
  }
}

function stateOf(path: string, file: string): Located {
  if (!existsSync(file)) return { file, state: 'absent' }
  try {
    const reader = new IndexReader(path, file)
    try {
      return { file, state: freshness(reader.facts(), path) }
    } finally {
      reader.close()
    }
  } catch {
    // Of another version, damaged, or hardly begun: it holds nothing that is not in the data.
    return { file, state: 'stale' }
  }
}

/** The user's own folder for indexes; made where absent, old ones are removed. */
export function cacheFolder(): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gradus', 'index')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const oldest = Date.now() - KEPT_DAYS * 86_400_000
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    if (name.endsWith('.index') && statSync(file).mtimeMs < oldest) removeIndex(file)
  }
  return folder
}
