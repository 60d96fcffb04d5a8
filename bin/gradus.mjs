#!/usr/bin/env node
// Plain JavaScript for any Node: runs Gradus on this Node if it is new enough, else on the pinned one beside it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const built = join(root, 'dist', 'apps', 'cli', 'main.mjs')
const source = join(root, 'src', 'apps', 'cli', 'main.ts')
const entry = existsSync(source) ? source : built

const cache = process.env.NODE_COMPILE_CACHE || cacheFolder()

const [major, minor] = process.versions.node.split('.').map(Number)
const newEnough = major > 22 || (major === 22 && minor >= 13)
// Sources run directly from Node 22.18 and 23.6 on; the package needs 22.13 only.
const runsTypeScript = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

if (newEnough && (entry === built || runsTypeScript)) {
  if (cache !== null) module.enableCompileCache?.(cache)
  await import(pathToFileURL(entry).href)
} else {
  const pinned = pinnedNode()
  if (pinned === null) {
    console.error(
      `gradus needs Node 22.13 or newer; this is ${process.version}. Install it, or run: npm install node@24`,
    )
    process.exit(2)
  }
  const child = spawn(pinned, [entry, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, ...(cache !== null && { NODE_COMPILE_CACHE: cache }) },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.kill(process.pid, signal)
  })
}

// Compiled code is kept in the user's own cache folder, never in a shared one: starting takes half the time.
function cacheFolder() {
  try {
    return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gradus', 'compiled')
  } catch {
    // A user without a home.
    return null
  }
}

function pinnedNode() {
  try {
    const file = join(dirname(module.createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
    return existsSync(file) ? file : existsSync(`${file}.exe`) ? `${file}.exe` : null
  } catch {
    return null
  }
}
