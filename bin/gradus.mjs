#!/usr/bin/env node
// Plain JavaScript for any Node: runs Gradus on this Node if it is new enough, else on the pinned one beside it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const built = join(root, 'dist', 'apps', 'cli', 'main.mjs')
const source = join(root, 'src', 'apps', 'cli', 'main.ts')
const entry = existsSync(source) ? source : built

const [major, minor] = process.versions.node.split('.').map(Number)
const newEnough = major > 22 || (major === 22 && minor >= 13)
// Sources run directly from Node 22.18 and 23.6 on; the package needs 22.13 only.
const runsTypeScript = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

if (newEnough && (entry === built || runsTypeScript)) {
  await import(pathToFileURL(entry).href)
} else {
  const pinned = pinnedNode()
  if (pinned === null) {
    console.error(
      `gradus needs Node 22.13 or newer; this is ${process.version}. Install it, or run: npm install node@24`,
    )
    process.exit(2)
  }
  const child = spawn(pinned, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.kill(process.pid, signal)
  })
}

function pinnedNode() {
  try {
    const file = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
    return existsSync(file) ? file : existsSync(`${file}.exe`) ? `${file}.exe` : null
  } catch {
    return null
  }
}
