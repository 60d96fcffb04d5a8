/**
 * The viewer's page in headless Chromium, drawn in software: `node bench/viewer.ts [traces] [steps a trace] [--built]`;
 * `--built` starts the program as it stands in the package, after `npm run build`.
 *
 * A run folder with 100,000 traces of 10 steps, one trace of 2,000 steps by three agents and a tree of 10,000 nodes.
 * Prints the time from the command to the first row (the browser already runs), script bytes of the first page, frames
 * while scrolling (after a warm-up), the time to the first tree, its frames while it is moved and zoomed, and the heap.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import {
  CHROMIUM,
  goTo,
  inFolder,
  launchChromium,
  openPage,
  PROGRAMS,
  startViewer,
} from '../src/apps/viewer/testing/viewer.ts'
import { random } from '../src/core/seeds.ts'
import { Tree } from '../src/core/tree.ts'
import type { Trace } from '../src/core/words.ts'
import { syntheticTraces } from './synthetic-traces.ts'

const [TRACES = 100_000, STEPS = 10] = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('--'))
  .map(Number)
const PROGRAM = process.argv.includes('--built') ? PROGRAMS.built : PROGRAMS.sources
const LONG = 2_000
const NODES = 10_000
/** Frames that are thrown away, and frames that count. */
const WARM_UP = 60
const FRAMES = 300

if (CHROMIUM === null) throw new Error('no Chromium: install it or set CHROME_PATH')
await inFolder(async (folder) => {
  const run = join(folder, 'run')
  mkdirSync(run)
  writeRun(run)
  const browser = await launchChromium()
  // The index is written once; `run` and `label` write it while they work.
  const first = await startViewer([run])
  // Also when something goes wrong on the way.
  process.once('exit', () => first.process.kill())
  const indexing = await openPage(browser, first)
  await indexing.page.waitForFunction(
    async () => {
      const session = (await (await fetch('/api/session')).json()) as { indexing: { finished: boolean } }
      return session.indexing.finished
    },
    null,
    { timeout: 1_800_000, polling: 500 },
  )
  // A tab that is open already goes to the address that the command prints.
  const { page, sent } = indexing
  await page.goto('about:blank')
  await first.stop()
  sent.length = 0
  const begun = performance.now()
  const viewer = await startViewer([run], undefined, PROGRAM)
  process.once('exit', () => viewer.process.kill())
  await page.goto(viewer.url)
  await page.waitForSelector('.rows .row a')
  const toFirstRow = performance.now() - begun
  // The watch of the first server takes requests to the second for foreign ones; errors of the page count.
  const troubles = indexing.troubles.filter((trouble) => !trouble.startsWith(`a request to ${viewer.origin}`))
  // Sizes are known a moment after a file has come.
  await page.waitForTimeout(1_000)
  const script = sent.filter(({ url }) => url.endsWith('.js')).reduce((n, { bytes }) => n + bytes, 0)

  const rows = await scroll(page, '.table', 330)
  const whole = await scroll(page, '.table', (TRACES * 33) / (FRAMES + WARM_UP))
  const listHeap = await heap(page)
  await goTo(page, `#/trace/${TRACES}`, '.step')
  const steps = await scroll(page, '.steps', 200)
  const traceHeap = await heap(page)

  await goTo(page, '#/trees', 'td a')
  const toTree = await page.evaluate(async () => {
    const begun = performance.now()
    document.querySelector<HTMLElement>('td a')!.click()
    while (document.querySelector('.tree-canvas') === null) await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    return performance.now() - begun
  })
  const tree = await moveAndZoom(page)
  if (troubles.length > 0) console.error(troubles)

  report('command to first row, browser running', `${Math.round(toFirstRow)} ms`, 'below 1,500 ms')
  report('JavaScript of the first page, gzipped', `${(script / 1e3).toFixed(1)} kB`, 'below 250 kB')
  report(`scrolling ${TRACES.toLocaleString('en')} rows, 10 rows a frame`, frames(rows), '95th percentile below 50 ms')
  report('the same, all of them in six seconds', frames(whole), '')
  report(`scrolling a trace of ${LONG.toLocaleString('en')} steps`, frames(steps), '95th percentile below 50 ms')
  report(
    `tree of ${NODES.toLocaleString('en')} nodes, click to first picture`,
    `${Math.round(toTree)} ms`,
    'below 1,000 ms',
  )
  report('moving and zooming it', frames(tree), 'at least 50 frames/s')
  report('heap, list and trace', `${listHeap.toFixed(0)} and ${traceHeap.toFixed(0)} MB`, 'below 150 MB')
  await browser.close()
  await viewer.stop()
})

function report(what: string, seen: string, aim: string): void {
  console.log(`| ${what} | ${seen} | ${aim} |`)
}

/** Times between frames, ms, sorted. */
type Frames = readonly number[]

function frames(times: Frames): string {
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  const mean = times.reduce((a, b) => a + b, 0) / times.length
  return `${(1000 / mean).toFixed(0)} frames/s, median ${at(0.5).toFixed(1)}, 95 % ${at(0.95).toFixed(1)}, most ${at(1).toFixed(0)} ms`
}

/** Scrolls on by so many pixels each frame; turns round at the ends. */
async function scroll(page: Page, selector: string, pixels: number): Promise<Frames> {
  return await page.evaluate(
    async ({ selector, pixels, warmUp, frames }) => {
      const at = document.querySelector(selector)!
      at.scrollTop = 0
      const times: number[] = []
      let by = pixels
      let last = performance.now()
      for (let i = 0; i < warmUp + frames; i++) {
        const before = at.scrollTop
        at.scrollTop += by
        if (at.scrollTop === before) by = -by
        await new Promise(requestAnimationFrame)
        const now = performance.now()
        if (i >= warmUp) times.push(now - last)
        last = now
      }
      return times.sort((a, b) => a - b)
    },
    { selector, pixels, warmUp: WARM_UP, frames: FRAMES },
  )
}

/** Zooms in and out about the middle and drags, an event a frame, as a hand would. */
async function moveAndZoom(page: Page): Promise<Frames> {
  return await page.evaluate(
    async ({ warmUp, frames }) => {
      const at = document.querySelector('.tree-canvas')!
      const { left, top, width, height } = at.getBoundingClientRect()
      const [x, y] = [left + width / 2, top + height / 2]
      const init = { clientX: x, clientY: y, bubbles: true, cancelable: true, pointerId: 1 }
      const times: number[] = []
      let last = performance.now()
      for (let i = 0; i < warmUp + frames; i++) {
        const turn = i % 120
        if (turn < 80) at.dispatchEvent(new WheelEvent('wheel', { ...init, deltaY: turn < 40 ? -60 : 60 }))
        else at.dispatchEvent(new WheelEvent('wheel', { ...init, deltaX: turn < 100 ? 12 : -12 }))
        await new Promise(requestAnimationFrame)
        const now = performance.now()
        if (i >= warmUp) times.push(now - last)
        last = now
      }
      return times.sort((a, b) => a - b)
    },
    { warmUp: WARM_UP, frames: FRAMES },
  )
}

/** After a collection, MB. */
async function heap(page: Page): Promise<number> {
  const debug = await page.context().newCDPSession(page)
  await debug.send('HeapProfiler.collectGarbage')
  const { usedSize } = (await debug.send('Runtime.getHeapUsage')) as { usedSize: number }
  await debug.detach()
  return usedSize / 1e6
}

function writeRun(run: string): void {
  const file = openSync(join(run, 'labelled.jsonl'), 'w')
  for (const trace of syntheticTraces(TRACES, STEPS)) writeSync(file, `${JSON.stringify(trace)}\n`)
  writeSync(file, `${JSON.stringify(longTrace())}\n`)
  closeSync(file)
  writeFileSync(join(run, 'run.json'), JSON.stringify({ version: 1, state: 'done', stages: [] }))
  writeFileSync(join(run, 'trees.jsonl'), `${JSON.stringify(searchTree())}\n`)
}

/** An agent run with formulas, code, calls and their results. */
function longTrace(): Trace {
  const [trace] = syntheticTraces(1, LONG, 'long')
  const steps = Array.from({ length: LONG }, (_, i): Trace['steps'][number] => {
    const agent = ['planner', 'coder', 'critic'][i % 3]!
    const text = trace!.steps[i % trace!.steps.length]!.text
    if (i % 4 === 1) {
      const input = { code: `for n in range(${i}):\n    print(n ** 2)` }
      return { text: '', kind: 'action', agent, action: { tool: 'python', input }, observation: `${text}\n`.repeat(3) }
    }
    return { text: `${text} so $x_{${i}} = \\frac{${i}}{${i + 1}}$ and **${agent}** goes on`, kind: 'thought', agent }
  })
  const { id: _id, verdict: _verdict, ...rest } = trace!
  return { ...rest, id: 'long', steps, labels: [], evidence: [] }
}

function searchTree() {
  const draw = random('bench/viewer/tree')
  const tree = new Tree()
  while (tree.size < NODES) {
    let node = 0
    const depth = 4 + draw.below(9)
    for (let k = 0; k < depth; k++) {
      node = tree.add(
        node,
        `Step ${k + 1}, way ${draw.below(k < 2 ? 6 : 3) + 1}: we take $x_${k}$ and go on with the sum`,
      )
    }
    tree.backUp(node, draw.below(2))
  }
  const best: number[] = []
  for (let at = 0; ; at = best.at(-1)!) {
    const children = tree.children(at)
    if (children.length === 0) break
    best.push(children.reduce((a, b) => ((tree.successRate(b) ?? 0) > (tree.successRate(a) ?? 0) ? b : a)))
  }
  return { id: 'search', problem: 'A made-up problem', tree: tree.toJSON(), best, path: best.slice(0, 3) }
}
