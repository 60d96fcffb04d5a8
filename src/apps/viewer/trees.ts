import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { Tree } from '../../core/tree.ts'
import { readJsonLines } from '../../io/jsonl.ts'
import { filePieces } from '../../io/open.ts'
import type { Source } from './data.ts'
import { TreeAnswer, type TreeRow } from './schemas.ts'

/** Trees of a source are numbered from its position times this. */
const SLOT = 1_000_000
const PROBLEM_CHARS = 200

/** As `gradus label --trees` writes it, or its text alone. */
const ProblemText = z.union([z.string(), z.object({ prompt: z.string() }).transform(({ prompt }) => prompt)])

/** A line of `trees.jsonl`. */
const Line = TreeAnswer.omit({ at: true }).extend({ problem: ProblemText })

interface Place {
  row: z.output<typeof TreeRow>
  file: string
  start: number
  bytes: number
}

interface List {
  /** Byte up to which the file is read. */
  end: number
  places: Place[]
}

/** The trees of run folders; of a file that grows only what is new is read. */
export class Trees {
  readonly #sources: readonly Source[]
  readonly #lists = new Map<string, List>()

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
    const size = statSync(file).size
    const known = this.#lists.get(file) ?? { end: 0, places: [] }
    if (known.end === size) return known.places
    // A run appends; a shorter file is another one.
    const grown = size > known.end ? known : { end: 0, places: [] }
    const list = await readOn(file, grown, i * SLOT)
    this.#lists.set(file, list)
    return list.places
  }
}

const Head = z.object({ id: z.string(), problem: ProblemText, tree: z.object({ parent: z.array(z.number()) }) })

/** The list with the whole lines that have come since. */
async function readOn(file: string, { end, places }: List, first: number): Promise<List> {
  const list: List = { end, places: [...places] }
  for await (const lines of readJsonLines(filePieces(file, end), file, true)) {
    for (const line of lines) {
      if ('error' in line && line.open) continue
      const start = end + line.start!
      list.end = start + line.bytes! + (line.open ? 0 : 1)
      const read = 'error' in line ? null : Head.safeParse(line.value)
      if (!read?.success) continue
      const { id, problem, tree } = read.data
      const at = first + list.places.length
      const row = { at, id, problem: problem.slice(0, PROBLEM_CHARS), nodes: tree.parent.length }
      list.places.push({ row, file, start, bytes: line.bytes! })
    }
  }
  return list
}
