import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { openTraces } from '../../io/index.ts'
import {
  CHROMIUM,
  firstOfEachFile,
  goTo,
  inFolder,
  launchChromium,
  openPage,
  startViewer,
  WITHOUT_CHROMIUM,
} from './testing/viewer.ts'

const DATA = process.env.GRADUS_DATA ?? ''
const WITHOUT = DATA === '' ? ' [left out: no GRADUS_DATA]' : WITHOUT_CHROMIUM

/** Files of one viewer; each has a page that lists them all. */
const AT_ONCE = 30
/** Larger files only repeat what smaller ones of the same set have, bytes. */
const LARGEST = 1_500_000
/** Files of one folder: its others differ in their rows only. */
const A_FOLDER = 4

it.skipIf(DATA === '' || CHROMIUM === null)(
  `opens every real data set of traces, without an error in the page${WITHOUT}`,
  { timeout: 900_000 },
  async () => {
    const files = await traceFiles()
    expect(files.length).toBeGreaterThan(60)
    const browser = await launchChromium()
    try {
      for (let from = 0; from < files.length; from += AT_ONCE) {
        const some = files.slice(from, from + AT_ONCE)
        await inFolder(async (folder) => {
          // Indexes and labels are written beside a file, and the data folder is not ours.
          const copies = some.map((file, i) => copied(file, join(folder, String(i))))
          const viewer = await startViewer(copies)
          try {
            const { context, page, troubles } = await openPage(browser, viewer)
            const firsts = await firstOfEachFile(page)
            expect(firsts.length).toBe(some.length)
            for (const at of firsts) {
              await goTo(page, `#/trace/${at}`, `[data-trace="${at}"] .problem`)
              await page.keyboard.press('j')
            }
            expect(troubles).toEqual([])
            await context.close()
          } finally {
            await viewer.stop()
          }
        })
      }
    } finally {
      await browser.close()
    }
  },
)

function copied(file: string, folder: string): string {
  mkdirSync(folder)
  const copy = join(folder, file.split('/').at(-1)!)
  copyFileSync(file, copy)
  return copy
}

/** Files that some format reads as traces, with at least one in it; some of each folder. */
async function traceFiles(): Promise<string[]> {
  const all = readdirSync(DATA, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:jsonl?|traj|txt)(?:\.gz)?$/.test(name) && !/LICENSE|README|MANIFEST/.test(name))
    .map((name) => join(DATA, name))
    .filter((file) => statSync(file).isFile() && statSync(file).size < LARGEST)
    .sort()
  const found: string[] = []
  for (const file of all) {
    if (found.filter((other) => dirname(other) === dirname(file)).length >= A_FOLDER) continue
    try {
      for await (const batch of (await openTraces(file)).batches) {
        if (batch.length === 0) continue
        found.push(file)
        break
      }
    } catch (error) {
      // Problems without attempts, tables and plain text are no traces.
      if (!(error instanceof GradusError)) throw error
    }
  }
  return found
}
