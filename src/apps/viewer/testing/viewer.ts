import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { packageRoot } from '../../package-root.ts'

/** A real browser, where there is one: `CHROME_PATH`, else Debian's Chromium. */
export const CHROMIUM = [process.env.CHROME_PATH ?? '', '/usr/bin/chromium'].find((file) => existsSync(file)) ?? null

/** Said in the title of tests that need it. */
export const WITHOUT_CHROMIUM = CHROMIUM === null ? ' [left out: no Chromium; install it or set CHROME_PATH]' : ''

/** Nothing but the page itself may use the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function launchChromium(): Promise<Browser> {
  // Loaded late: tests that are left out do not need it.
  const { chromium } = await import('playwright-core')
  return await chromium.launch({ executablePath: CHROMIUM!, headless: true, args: FLAGS })
}

export interface RunningViewer {
  /** Lets one browser in. */
  url: string
  /** As `http://127.0.0.1:1234`. */
  origin: string
  process: ChildProcess
  stop: () => Promise<void>
}

/** `gradus view` from the sources, as in a checkout, and as it stands in the package (`npm run build` first). */
export const PROGRAMS = {
  sources: join(packageRoot(), 'bin', 'gradus.mjs'),
  built: join(packageRoot(), 'dist', 'apps', 'cli', 'main.mjs'),
} as const

/** `gradus view` as a person would start it, in a process of its own. */
export async function startViewer(
  args: readonly string[],
  cwd?: string,
  program: string = PROGRAMS.sources,
): Promise<RunningViewer> {
  const started = spawn(process.execPath, [program, 'view', ...args, '--json'], {
    cwd,
    // Not the user's own cache: tests of others may clear that.
    env: { ...process.env, XDG_CACHE_HOME: join(packageRoot(), 'node_modules', '.cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  started.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const line = await Promise.race([
    once(createInterface(started.stdout), 'line').then(([text]) => String(text)),
    once(started, 'exit').then(() => null),
  ])
  if (line === null) throw new Error(`gradus view ended before it listened: ${said}`)
  const { url } = JSON.parse(line) as { url: string }
  const stop = async (): Promise<void> => {
    if (started.exitCode !== null || started.signalCode !== null) return
    started.kill('SIGTERM')
    await once(started, 'exit')
  }
  return { url, origin: new URL(url).origin, process: started, stop }
}

/** What a page did that it must not do: errors it logged, scripts that failed, requests that left this machine. */
export interface Watched {
  context: BrowserContext
  page: Page
  troubles: string[]
  /** Bytes of script and style, as sent. */
  sent: { url: string; bytes: number }[]
}

/** A page in a browser profile of its own that has come in by the viewer's address. */
export async function openPage(
  browser: Browser,
  viewer: RunningViewer,
  options: { dark?: boolean; person?: string } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    acceptDownloads: true,
  })
  const page = await context.newPage()
  const troubles: string[] = []
  const sent: Watched['sent'] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text())
  })
  page.on('pageerror', (error) => troubles.push(`${error.message}\n${error.stack ?? ''}`))
  page.on('dialog', (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol.startsWith('http') && origin !== viewer.origin) troubles.push(`a request to ${request.url()}`)
  })
  context.on('requestfinished', async (request) => {
    if (!/\.(?:js|css)$/.test(new URL(request.url()).pathname)) return
    const sizes = await request.sizes().catch(() => null)
    if (sizes !== null) sent.push({ url: request.url(), bytes: sizes.responseBodySize })
  })
  if (options.person !== undefined) {
    await page.addInitScript((name) => localStorage.setItem('gradus-person', name), options.person)
  }
  await page.goto(viewer.url)
  await page.waitForSelector('#app > .bar')
  return { context, page, troubles, sent }
}

/** Goes to a place within the page, by its address, and waits until it is drawn. */
export async function goTo(page: Page, hash: string, ready: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to
  }, hash)
  await page.waitForSelector(ready)
}

/** Numbers of the first trace of each file that is shown. */
export async function firstOfEachFile(page: Page): Promise<number[]> {
  await page.waitForFunction(async () => {
    const session = (await (await fetch('/api/session')).json()) as { indexing: { finished: boolean } }
    return session.indexing.finished
  })
  return await page.evaluate(async () => {
    const firsts = new Map<number, number>()
    for (let offset = 0, total = 1; offset < total; offset += 1_000) {
      const answer = await fetch(`/api/traces?offset=${offset}&limit=1000`)
      const { total: all, rows } = (await answer.json()) as { total: number; rows: { at: number }[] }
      for (const { at } of rows) {
        // Rows of a file are numbered from a multiple of a billion.
        const file = Math.floor(at / 1e9)
        firsts.set(file, Math.min(at, firsts.get(file) ?? at))
      }
      total = all
    }
    return [...firsts.values()]
  })
}

/** A folder for one test. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-viewer-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
