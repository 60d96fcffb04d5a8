import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Tree } from '../../core/tree.ts'
import type { Trace } from '../../core/words.ts'
import { hostileTraces, LARGEST, SEEN } from './testing/hostile.ts'
import {
  CHROMIUM,
  firstOfEachFile,
  goTo,
  inFolder,
  launchChromium,
  openPage,
  type RunningViewer,
  startViewer,
  type Watched,
  WITHOUT_CHROMIUM,
} from './testing/viewer.ts'

const DATA = process.env.GRADUS_DATA ?? ''
/** One file of each kind of trace: mathematics, several agents, tool calls, code with diffs. */
const REAL = [
  'processbench/gsm8k.json.gz',
  'who-and-when/hand-crafted.jsonl.gz',
  'agentprocessbench/trajectories_hotpotqa.jsonl.gz',
  'swe-agent-trajectories/BabyEncryption.traj.json',
].map((file) => join(DATA, file))
const hasData = DATA !== '' && REAL.every((file) => existsSync(file))
const EXAMPLES = join(import.meta.dirname, '../../../examples/traces')

/** A browser and a server start for each; machines that do much else are slow at both. */
const TIMEOUT = 120_000

describe.skipIf(CHROMIUM === null)(`the viewer in a browser${WITHOUT_CHROMIUM}`, { timeout: TIMEOUT }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
  })

  async function viewing(args: readonly string[], work: (viewer: RunningViewer) => Promise<void>): Promise<void> {
    const viewer = await startViewer(args)
    try {
      await work(viewer)
    } finally {
      await viewer.stop()
    }
  }

  it.skipIf(!hasData)(`opens real data sets of every kind${hasData ? '' : ' [left out: no GRADUS_DATA]'}`, async () => {
    await inFolder(async (folder) => {
      const files = REAL.map((file) => {
        copyFileSync(file, join(folder, basename(file)))
        return join(folder, basename(file))
      })
      await viewing(files, async (viewer) => {
        const { context, page, troubles } = await openPage(browser, viewer)
        await page.waitForSelector('.rows .row a')
        const firsts = await firstOfEachFile(page)
        expect(firsts.length).toBe(files.length)
        for (const at of firsts) {
          await goTo(page, `#/trace/${at}`, `[data-trace="${at}"] .step`)
          await page.keyboard.press('f')
        }
        expect(troubles).toEqual([])
        await context.close()
      })
    })
  })

  it('labels ten traces by keyboard, and a reload, an export and a second look give back what was typed', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'mathematics.jsonl')
      copyFileSync(join(EXAMPLES, 'mathematics.jsonl'), file)
      const traces = lines(file)
      expect(traces.length).toBeGreaterThanOrEqual(10)
      await viewing([file], async (viewer) => {
        const { context, page, troubles } = await openPage(browser, viewer, { person: 'Ada' })
        const typed = new Map<string, Typed>()
        await goTo(page, '#/queue', '.to-label')
        for (let n = 0; n < 10; n++) {
          const { id, steps } = await inHand(page, traces)
          typed.set(id, await typeLabels(page, n, steps))
          if (n === 4) {
            await page.waitForSelector('text=saved')
            await page.reload()
            await page.waitForSelector('.to-label')
            expect((await inHand(page, traces)).id).toBe(id)
          }
          await page.keyboard.press('Enter')
          await page.waitForSelector(`h2:text("${n + 1} done")`)
        }
        expect(troubles).toEqual([])
        expect(await exported(page)).toEqual(Object.fromEntries(typed))
        await context.close()
      })
      // A new server on the same file still has all of it.
      await viewing([file], async (viewer) => {
        const { context, page } = await openPage(browser, viewer, { person: 'Ada' })
        await goTo(page, '#/queue', 'h2:text("10 done")')
        await context.close()
      })
    })
  })

  it('loses nothing that was typed when the server is killed and comes back', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'mathematics.jsonl')
      copyFileSync(join(EXAMPLES, 'mathematics.jsonl'), file)
      const first = await startViewer([file])
      const { context, page } = await openPage(browser, first, { person: 'Ada' })
      await goTo(page, '#/queue', '.to-label')
      const at = await page.locator('.labelling').getAttribute('data-trace')
      await page.keyboard.press('g')
      await page.waitForSelector('text=saved')
      first.process.kill('SIGKILL')
      await once(first.process, 'exit')
      await page.keyboard.press('u')
      await page.waitForSelector('text=not saved yet')
      const second = await startViewer([file, '--port', new URL(first.origin).port])
      try {
        await page.goto(second.url)
        await goTo(page, '#/queue', `[data-trace="${at}"] .to-label`)
        await page.waitForSelector('text=2 of')
        const chosen = await page.locator('.choices [aria-pressed=true] .unseen').allInnerTexts()
        expect(chosen).toEqual(['good', 'neutral'])
        await page.keyboard.press('Enter')
        await page.waitForSelector('h2:text("1 done")')
        const labels = Object.values(await exported(page))[0]?.labels
        expect(labels).toEqual({ 0: 'correct', 1: 'neutral' })
      } finally {
        await second.stop()
        await context.close()
      }
    })
  })

  it('runs no script, loads nothing and shows the text of a hostile trace set', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'hostile.jsonl')
      writeFileSync(
        file,
        `${hostileTraces()
          .map((t) => JSON.stringify(t))
          .join('\n')}\n`,
      )
      await viewing([file], async (viewer) => {
        const { context, page, troubles } = await openPage(browser, viewer, { person: 'Ada' })
        await page.waitForSelector('.rows .row a')
        await goTo(page, '#/trace/0?step=0', '.step')
        await openEverything(page)
        expect(await page.locator('.steps').innerText()).toContain(SEEN)
        expect(await page.locator('.steps').innerText()).toContain('U+202E')
        expect(await page.locator('img').count()).toBe(1)
        await page.keyboard.press('r')
        await goTo(page, '#/compare/0/1', '.pair')
        await goTo(page, '#/trace/1', '.step')
        await page.locator('.step .more').first().click()
        await expect
          .poll(() =>
            page
              .locator('.step .rich')
              .first()
              .innerText()
              .then((t) => t.length),
          )
          .toBeGreaterThan(20_000)
        expect(await page.locator('.step .more').first().innerText()).toMatch(/^4,97\d,\d{3} more/)
        expect(LARGEST).toBe(5_000_000)
        await goTo(page, '#/queue', '.to-label')
        await goTo(page, '#/runs', '.run')
        const unsafe =
          'script:not([src^="/assets/"]), iframe, object, embed, base, [onerror], [onload], a[href^="javascript"]'
        expect(await page.locator(unsafe).count()).toBe(0)
        expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
        expect(troubles).toEqual([])
        await context.close()
      })
    })
  })

  describe('on run folders', () => {
    let viewer: RunningViewer
    let watched: Watched
    const folder = mkdtempSync(join(tmpdir(), 'gradus-viewer-runs-'))
    beforeAll(async () => {
      for (const name of ['first', 'second']) writeRun(join(folder, name))
      viewer = await startViewer([join(folder, 'first'), join(folder, 'second')])
      watched = await openPage(browser, viewer, { person: 'Ada' })
    })
    afterAll(async () => {
      await watched?.context.close()
      await viewer?.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    it('restores search, filter and order from an address that was copied', async () => {
      const { page, troubles } = watched
      await goTo(page, '#/traces', '.rows .row a')
      await page.keyboard.press('/')
      await page.keyboard.type('order')
      await page.keyboard.press('Escape')
      await page.locator('.of-steps button').click()
      await page.locator('.facets label:has-text("has one")').first().click()
      await page.waitForFunction(() => /q=order&filter=.*&sort=-steps/.test(location.hash))
      await page.waitForFunction(() => document.querySelectorAll('.rows .row a').length > 0)
      const shown = (): Promise<string[]> => page.locator('.rows .row').allInnerTexts()
      // Answers to the search, the filter and the order come one after the other.
      let rows = await shown()
      for (let last: string[] = []; last.join('\n') !== rows.join('\n'); rows = await shown()) {
        last = rows
        await page.waitForTimeout(700)
      }
      const address = page.url()
      await goTo(page, '#/methods', '.methods')
      await page.goto(address)
      await expect.poll(shown, { timeout: 10_000 }).toEqual(rows)
      expect(rows.length).toBeGreaterThan(0)
      expect(troubles).toEqual([])
    })

    it('shows two runs beside each other and saves a figure as SVG and its numbers as CSV', async () => {
      const { page, troubles } = watched
      await goTo(page, '#/runs/0/1', '.beside .run:nth-child(2) .figure-view svg')
      const figure = page.locator('.figure-view').first()
      const [svg] = await Promise.all([page.waitForEvent('download'), figure.locator('text=save SVG').click()])
      const image = readFileSync(await svg.path(), 'utf8')
      expect(image).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/)
      expect(image).not.toContain('<script')
      const [csv] = await Promise.all([page.waitForEvent('download'), figure.locator('text=save CSV').click()])
      const table = readFileSync(await csv.path(), 'utf8').split('\r\n')
      await figure.locator('text=numbers').click()
      const shown = await figure.locator('thead th').allInnerTexts()
      expect(table[0]).toBe(shown.join(','))
      expect(table.length - 1).toBe(await figure.locator('tbody tr').count())
      expect(troubles).toEqual([])
    })

    it('walks a tree by keyboard and reads every node as text', async () => {
      const { page, troubles } = watched
      await goTo(page, '#/trees/0', '.tree-canvas')
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('ArrowRight')
      expect(await page.locator('.sidebar h2').innerText()).toBe('Step 2')
      expect(await page.locator('.nodes').first().locator('li').count()).toBe(3)
      await page.keyboard.press('b')
      expect(await page.locator('.sidebar').innerText()).toContain('on the best line')
      await page.waitForFunction(() => location.hash.includes('node=3'))
      expect(troubles).toEqual([])
    })

    it('has nothing serious that axe finds, on any page, in light and dark', async () => {
      const { page, troubles } = watched
      // The page's policy forbids scripts that are not its own; the debugger's are not the page's.
      await page.evaluate(axe.source)
      const found: string[] = []
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const [hash, ready] of PAGES) {
          await goTo(page, hash, ready)
          if (hash.startsWith('#/trace/')) await openEverything(page)
          found.push(...(await seriousOnes(page)).map((violation) => `${colorScheme} ${hash} ${violation}`))
        }
        await page.keyboard.press('F1')
        found.push(...(await seriousOnes(page)).map((violation) => `${colorScheme} keys ${violation}`))
        await page.keyboard.press('Escape')
      }
      expect(found).toEqual([])
      expect(troubles).toEqual([])
    })
  })
})

const PAGES = [
  ['#/traces', '.rows .row a'],
  ['#/traces?q=nothing-has-this-word', '.empty'],
  ['#/trace/0?step=0', '.step'],
  ['#/compare/0/1', '.pair'],
  ['#/trees', 'td a'],
  ['#/trees/0', '.tree-canvas'],
  ['#/queue', '.to-label'],
  ['#/agreement', 'h1:text("Agreement")'],
  ['#/adjudicate/0', '.to-label'],
  ['#/runs', 'td a, th a'],
  ['#/runs/0', '.run .figure-view'],
  ['#/methods', '.methods'],
] as const

const RUN = {
  version: 1,
  state: 'running',
  stage: 'label',
  stages: [{ name: 'label', done: 3, total: 15, seconds: 2 }],
  usage: { calls: 9, promptTokens: 900, completionTokens: 90, cachedTokens: 0, seconds: 3, cost: 0.01 },
  seed: '0',
  config: { task: 'made up' },
}

function writeRun(folder: string): void {
  mkdirSync(folder)
  copyFileSync(join(EXAMPLES, 'agents.jsonl'), join(folder, 'labelled.jsonl'))
  writeFileSync(join(folder, 'run.json'), JSON.stringify(RUN))
  writeFileSync(join(folder, 'trees.jsonl'), JSON.stringify(smallTree()))
}

function smallTree() {
  const tree = new Tree()
  for (let i = 0; i < 12; i++) tree.backUp(tree.addPath([`first $x_${i % 2}$`, `second ${i % 4}`, `third ${i}`]), i % 2)
  return { id: 'small', problem: 'A made-up problem', tree: tree.toJSON(), best: [1, 2, 3], path: [1, 2] }
}

interface Typed {
  /** By step, only what was said. */
  labels: Record<number, string | null>
  note: string
}

const KEYS = { g: 'correct', u: 'neutral', b: 'incorrect', '?': null } as const

/** Presses other keys for each trace and says what they mean. */
async function typeLabels(page: Page, n: number, steps: number): Promise<Typed> {
  const labels: Typed['labels'] = {}
  const keys = Object.keys(KEYS) as (keyof typeof KEYS)[]
  const until = Math.min(steps - 1, 1 + (n % 3))
  for (let step = 0; step < until; step++) {
    const key = keys[(n + step) % 2 === 0 ? 0 : (n + step) % keys.length]!
    // A step before the first wrong one cannot be wrong itself.
    const said = key === 'b' ? 'g' : key
    await page.keyboard.press(said)
    labels[step] = KEYS[said]
  }
  await page.keyboard.press('e')
  labels[until] = 'incorrect'
  await page.keyboard.press('b')
  await page.keyboard.press('z')
  const note = n % 2 === 0 ? `note ${n} "quoted" <b>` : ''
  if (note !== '') {
    await page.keyboard.press('m')
    await page.keyboard.type(note)
    await page.keyboard.press('Escape')
  }
  return { labels, note }
}

/** The trace that is being labelled. */
async function inHand(page: Page, traces: readonly Trace[]): Promise<{ id: string; steps: number }> {
  const at = Number(await page.locator('.labelling').getAttribute('data-trace'))
  // One file: the number of a trace is its line.
  const trace = traces[at]!
  return { id: trace.id, steps: trace.steps.length }
}

/** What the export says of each trace in the words of `Typed`. */
async function exported(page: Page): Promise<Record<string, Typed>> {
  const text = await page.evaluate(async () => await (await fetch('/api/queue/export')).text())
  const out: Record<string, Typed> = {}
  for (const line of text.trim().split('\n')) {
    const trace = JSON.parse(line) as Trace
    const mine = (trace.evidence ?? []).flatMap((e) => (e.kind === 'human' && e.source === 'human:Ada' ? [e] : []))
    out[trace.id] = {
      labels: Object.fromEntries(mine.map((e) => [e.step, e.verdict])),
      note: mine.map((e) => e.note ?? '').find((note) => note !== '') ?? '',
    }
  }
  return out
}

function lines(file: string): Trace[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Trace)
}

/** Clicks whatever folds. */
async function openEverything(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let round = 0; round < 3; round++) {
      for (const summary of document.querySelectorAll<HTMLElement>('details:not([open]) > summary')) summary.click()
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
  })
}

/** Serious and critical violations, as one line each. */
async function seriousOnes(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } }
    interface Violation {
      id: string
      impact: string
      nodes: { html: string; failureSummary: string }[]
    }
    const { violations } = await axe.run()
    return violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id}: ${v.nodes[0]!.html.slice(0, 200)} ${v.nodes[0]!.failureSummary.slice(0, 300)}`)
  })
}
