import { createHash } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { GradusError } from '../../core/errors.ts'
import type { DataFile, Dataset } from './registry.ts'

/** Raw files of public GitHub repositories: `<home>/<owner>/<name>/<commit>/<path>`. */
const HOME = 'https://raw.githubusercontent.com'

/** The largest registered file has 10 MB. */
const MAX_BYTES = 1024 ** 3
/** A server that sends nothing for so long is given up, milliseconds. */
const SILENCE_MS = 30_000

export interface Located {
  path: string
  from: 'GRADUS_DATA' | 'cache' | 'download'
}

/** Where files are looked for, in this order, and where downloads go. */
export interface Places {
  /** Folder of data sets that is only read; empty = none. */
  given: string
  cache: string
  /** Address in place of GitHub's, as a mirror's. */
  home?: string
}

/** `GRADUS_DATA` and the user's cache folder (XDG). */
export function places(): Places {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return { given: process.env.GRADUS_DATA ?? '', cache: join(cache, 'gradus', 'data') }
}

/** The file if it is here. */
export function locate(file: DataFile, { given, cache }: Places): Located | null {
  if (given !== '') {
    for (const path of [join(given, file.path), join(given, `${file.path}.gz`)]) {
      if (existsSync(path)) return { path, from: 'GRADUS_DATA' }
    }
  }
  const path = join(cache, file.path)
  return existsSync(path) ? { path, from: 'cache' } : null
}

/**
 * All files of a set, those that are not here downloaded.
 * @throws GradusError GRD-DATA-002 where a file cannot be downloaded, GRD-DATA-003 where it is not the registered one;
 *   files that came before stay in the cache
 */
export async function fetchDataset(
  dataset: Dataset,
  where: Places,
  onDownload: (url: string) => void = () => {},
): Promise<Located[]> {
  const located: Located[] = []
  for (const { repository, commit, files } of dataset.sources) {
    for (const file of files) {
      const here = locate(file, where)
      if (here) {
        located.push(here)
        continue
      }
      if (file.source === null) throw madeOfMany(dataset.name, repository)
      const path = file.source.split('/').map(encodeURIComponent).join('/')
      const url = `${where.home ?? HOME}/${repository}/${commit}/${path}`
      onDownload(url)
      const target = join(where.cache, file.path)
      await download(url, target, file.sha256)
      located.push({ path: target, from: 'download' })
    }
  }
  return located
}

/**
 * One file over HTTP: to a temporary name, checked, then renamed, so that the target is whole or not there.
 * @throws GradusError GRD-DATA-002, GRD-DATA-003
 */
async function download(url: string, target: string, sha256: string | undefined): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`
  try {
    await mkdir(dirname(target), { recursive: true })
    const seen = await receive(url, temporary)
    if (sha256 !== undefined && seen !== sha256) {
      throw new GradusError('GRD-DATA-003', {
        where: { file: url },
        found: `sha256 ${seen}`,
        expected: `sha256 ${sha256}`,
        try: ['run it again: a proxy may have changed the file', 'nothing was kept'],
      })
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error instanceof GradusError ? error : unreachable(url, target, error)
  }
}

/** Writes the body to a file and gives its sha256. */
async function receive(url: string, to: string): Promise<string> {
  const stalled = new AbortController()
  let timer = setTimeout(() => stalled.abort(), SILENCE_MS)
  try {
    const response = await fetch(url, { signal: stalled.signal })
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status} ${response.statusText}`.trim())
    const hash = createHash('sha256')
    let bytes = 0
    await pipeline(
      response.body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          clearTimeout(timer)
          timer = setTimeout(() => stalled.abort(), SILENCE_MS)
          bytes += chunk.length
          if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES.toLocaleString('en-US')} bytes`)
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(to),
    )
    return hash.digest('hex')
  } finally {
    clearTimeout(timer)
  }
}

function unreachable(url: string, target: string, cause: unknown): GradusError {
  const said = cause instanceof Error ? cause : new Error(String(cause))
  const reason =
    said.name === 'AbortError'
      ? `nothing came for ${SILENCE_MS / 1000} seconds`
      : said.cause instanceof Error
        ? `${said.message}: ${said.cause.message}`
        : said.message
  return new GradusError('GRD-DATA-002', {
    where: { file: url },
    found: reason,
    expected: 'the file over https',
    try: [
      'run it again with a network; files that came whole are kept',
      `or fetch it elsewhere and put it at ${target}`,
      'or set GRADUS_DATA to a folder that has the sets',
    ],
    cause,
  })
}

function madeOfMany(name: string, repository: string): GradusError {
  return new GradusError('GRD-DATA-002', {
    found: `${name} is one file a trace in its repository`,
    expected: 'a copy of the repository, or GRADUS_DATA with the set in it',
    try: [`git clone https://github.com/${repository}`, 'then name its .json files: gradus label FILES'],
  })
}
