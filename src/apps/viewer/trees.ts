import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { Tree } from '../../core/tree.ts'
import { readJsonLines } from '../../io/jsonl.ts'
import { openBytes } from '../../io/open.ts'
import type { Source } from './data.ts'
import { TreeAnswer, type TreeRow } from './schemas.ts'

/** Trees of a source are numbered from its position times this. */
const SLOT = 1_000_000
const PROBLEM_CHARS = 200

/** A line of `trees.jsonl`. */
const Line = TreeAnswer.omit({ at: true })

interface Place {
  row: z.output<typeof TreeRow>
  file: string
  start: number
  bytes: number
}

/** The trees of run folders; a list is read again when its file changes. */
export class Trees {
  readonly #sources: readonly Source[]
  readonly #lists = new Map<string, { stamp: string; places: Place[] }>()

  constructor(sources: readonly Source[]) {
    this.#sources = sources
  }

  async list(): Promise<z.output<typeof TreeRow>[]> {
    return (await this.#places()).map(({ row }) => row)
  }

  /** @throws GradusError GRD-SERVE-005; GRD-IO-002 where the line is no tree */
  async tree(at: number): Promise<z.output<typeof TreeAnswer>> {
    const place = (await this.#places()).find(({ row }) => row.at === at)
    if (place === undefined) throw new GradusError('GRD-SERVE-005', { found: `tree ${at}` })
    const bytes = Buffer.alloc(place.bytes)
    const file = openSync(place.file, 'r')
    try {
      readSync(file, bytes, 0, bytes.length, place.start)
    } finally {
      closeSync(file)
    }
    const read = Line.safeParse(JSON.parse(bytes.toString('utf8')))
    if (!read.success) {
      const found = read.error.issues[0]?.message ?? 'another shape'
      throw new GradusError('GRD-IO-002', { where: { file: place.file }, found, expected: 'a tree' })
    }
    // A tree with a circle or a missing parent would never end in the page.
    Tree.fromJSON(read.data.tree)
    return { ...read.data, at }
  }

  async #places(): Promise<Place[]> {
    const lists = await Promise.all(this.#sources.map((source, i) => this.#ofSource(source, i)))
    return lists.flat()
  }

  async #ofSource(source: Source, i: number): Promise<Place[]> {
    const file = join(source.path, 'trees.jsonl')
    if (!source.isRun || !existsSync(file)) return []
    const { size, mtimeMs } = statSync(file)
    const stamp = `${size} ${mtimeMs}`
    const known = this.#lists.get(file)
    if (known?.stamp === stamp) return known.places
    const places = size === 0 ? [] : await placesIn(file, i * SLOT)
    this.#lists.set(file, { stamp, places })
    return places
  }
}

async function placesIn(file: string, first: number): Promise<Place[]> {
  const Head = z.object({ id: z.string(), problem: z.string(), tree: z.object({ parent: z.array(z.number()) }) })
  const places: Place[] = []
  for await (const lines of readJsonLines((await openBytes(file)).bytes, file)) {
    for (const line of lines) {
      const read = 'error' in line ? null : Head.safeParse(line.value)
      if (!read?.success) continue
      const { id, problem, tree } = read.data
      const row = { at: first + places.length, id, problem: problem.slice(0, PROBLEM_CHARS), nodes: tree.parent.length }
      places.push({ row, file, start: line.start!, bytes: line.bytes! })
    }
  }
  return places
}
