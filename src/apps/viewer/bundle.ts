import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { packageRoot } from '../package-root.ts'

/** A file of the page: already packed, as it goes over the wire. */
export interface Asset {
  type: string
  gzip: Buffer
}

/** By address: `/` and `/assets/...`. */
export type Assets = ReadonlyMap<string, Asset>

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Everything that is part of the page, by folder of the package. */
const CLIENT = join('src', 'apps', 'viewer', 'client')
/** Bundles of other sources that are kept. */
const KEPT = 3

/**
 * The page: prebuilt in the package, bundled from the sources in a checkout and kept in the user's cache folder until a
 * source changes.
 */
export async function loadAssets(): Promise<Assets> {
  if (!import.meta.url.endsWith('.ts')) return readFolder(join(packageRoot(), 'dist', 'viewer'))
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gradus', 'viewer')
  const folder = join(cache, sourceHash())
  if (!existsSync(folder)) {
    removeOld(cache)
    const unfinished = `${folder}.${process.pid}`
    await bundleAside(unfinished).catch((error: unknown) => {
      rmSync(unfinished, { recursive: true, force: true })
      throw error
    })
    // Another process may have been faster; its bundle is the same.
    if (existsSync(folder)) rmSync(unfinished, { recursive: true })
    else renameSync(unfinished, folder)
  }
  return readFolder(folder)
}

/** In a process of its own: the bundler's memory is not the server's. */
async function bundleAside(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [import.meta.filename, folder])
}

/** Writes the page with its scripts to a folder: what the package's build does too. */
export async function bundleClient(folder: string): Promise<void> {
  const { rolldown } = await import('rolldown')
  const client = join(packageRoot(), CLIENT)
  const bundle = await rolldown({
    input: { main: join(client, 'main.tsx') },
    cwd: packageRoot(),
    platform: 'browser',
    tsconfig: join(packageRoot(), 'tsconfig.json'),
  })
  try {
    mkdirSync(join(folder, 'assets'), { recursive: true })
    await bundle.write({
      dir: join(folder, 'assets'),
      format: 'esm',
      minify: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    })
  } finally {
    await bundle.close()
  }
  writeFileSync(join(folder, 'index.html'), readFileSync(join(client, 'index.html')))
  for (const name of readdirSync(client)) {
    if (['.css', '.svg', '.woff2'].includes(extname(name))) {
      writeFileSync(join(folder, 'assets', name), readFileSync(join(client, name)))
    }
  }
}

/** Files of a folder, packed. Only what is there when the server starts can ever be asked for. */
function readFolder(folder: string): Assets {
  const assets = new Map<string, Asset>()
  const add = (address: string, file: string): void => {
    const type = TYPES[extname(file)]
    if (type !== undefined) assets.set(address, { type, gzip: gzipSync(readFileSync(file)) })
  }
  add('/', join(folder, 'index.html'))
  for (const name of readdirSync(join(folder, 'assets'))) add(`/assets/${name}`, join(folder, 'assets', name))
  return assets
}

/** Changes with every source that may be part of the page, and with the libraries. */
function sourceHash(): string {
  const hash = createHash('sha256')
  for (const place of [CLIENT, join('src', 'core'), join('src', 'io', 'trace-index'), join('src', 'apps', 'viewer')]) {
    const folder = join(packageRoot(), place)
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      const info = statSync(join(folder, name))
      if (info.isFile()) hash.update(`${place}/${name} ${info.size} ${info.mtimeMs}\n`)
    }
  }
  hash.update(readFileSync(join(packageRoot(), 'package-lock.json')))
  return hash.digest('hex').slice(0, 32)
}

function removeOld(cache: string): void {
  if (!existsSync(cache)) return
  const old = readdirSync(cache)
    .map((name) => ({ name, time: statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time)
    .slice(KEPT)
  for (const { name } of old) rmSync(join(cache, name), { recursive: true, force: true })
}

// Never in the package, where this file is part of another.
if (import.meta.main && import.meta.url.endsWith('.ts')) await bundleClient(process.argv[2]!)
