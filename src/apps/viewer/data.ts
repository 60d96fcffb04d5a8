import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { type FacetValues, FollowedIndex, type NumberedRow, type Query } from '../../io/trace-index/index.ts'

/** Rows of a file are numbered from its slot times this: numbers stay when other files grow. */
const SLOT = 1_000_000_000
/** Files are looked at again at most so often, milliseconds. */
const REFRESH_MS = 400
/** Answers to recent queries that are kept, so that scrolling sorts once. */
const KEPT_ORDERS = 6

/** An argument of the command: a file of traces, or a run folder. */
export interface Source {
  /** As a person knows it: the last part of its path, or the last two where that stands twice. */
  name: string
  /** Its name among labels: `.` for the first, beside which they are kept, so that both may be moved together. */
  key: string
  path: string
  /** Folder that pictures of its problems must be in. */
  folder: string
  isRun: boolean
}

/** What a run folder shows as its traces: the first that is there. */
const TRACE_FILES = ['labelled.jsonl', 'traces.jsonl'] as const

/** Any of these makes a folder one that can be shown. */
const RUN_FILES = [...TRACE_FILES, 'trees.jsonl', 'run.json']

interface Slot {
  source: Source
  number: number
  index: FollowedIndex
}

/** All traces of the files and run folders of one command, as one list. */
export class ViewedData {
  readonly sources: readonly Source[]
  #slots: Slot[] = []
  #orders = new Map<string, { version: number; ats: ArrayLike<number> }>()
  #refreshed = 0
  #refreshing: Promise<void> | null = null
  /** Slots that came and went, so that the version only grows. */
  #past = 0
  readonly #cache: string | undefined
  #read: { at: number; trace: Trace } | null = null

  private constructor(sources: readonly Source[], cache: string | undefined) {
    this.sources = sources
    this.#cache = cache
  }

  /**
   * @param cache folder of indexes, for tests
   * @throws GradusError GRD-IO-001 where nothing can be shown, and as `openTraces` for a file
   */
  static async open(paths: readonly string[], cache?: string): Promise<ViewedData> {
    const data = new ViewedData(sourcesOf(paths), cache)
    for (const [i, source] of data.sources.entries()) {
      if (!source.isRun) await data.#openSlot(source, source.path, 2 * i)
    }
    await data.#openRuns()
    return data
  }

  /** Grows with every change of the data. */
  get version(): number {
    return this.#past + this.#slots.reduce((n, slot) => n + slot.index.version, 0)
  }

  get indexes(): readonly { source: Source; index: FollowedIndex }[] {
    return this.#slots
  }

  /** Looks for changes; often called, seldom done. */
  async refresh(): Promise<void> {
    if (this.#refreshing === null && Date.now() - this.#refreshed >= REFRESH_MS) {
      this.#refreshing = this.#refreshNow().finally(() => {
        this.#refreshed = Date.now()
        this.#refreshing = null
      })
    }
    await this.#refreshing
  }

  /** Numbers of the rows that fit, in order. */
  find(query: Query): ArrayLike<number> {
    const key = JSON.stringify(query)
    const kept = this.#orders.get(key)
    if (kept?.version === this.version) return kept.ats
    const ats = this.#findNow(query)
    this.#orders.delete(key)
    this.#orders.set(key, { version: this.version, ats })
    const [oldest] = this.#orders.keys()
    if (this.#orders.size > KEPT_ORDERS && oldest !== undefined) this.#orders.delete(oldest)
    return ats
  }

  /** @throws GradusError GRD-SERVE-005 */
  row(at: number): NumberedRow {
    const slot = this.#slotOf(at)
    const row = slot.index.reader.row(at % SLOT)
    if (row === null) throw noTrace(at)
    return { ...row, at }
  }

  /**
   * The trace and what it comes from; the last one is kept, since its texts are asked for in pieces.
   * @throws GradusError GRD-SERVE-005, GRD-IO-016
   */
  trace(at: number): { trace: Trace; source: Source } {
    const { index, source } = this.#slotOf(at)
    if (this.#read?.at !== at) {
      const trace = index.reader.trace(at % SLOT)
      if (trace === null) throw noTrace(at)
      this.#read = { at, trace }
    }
    return { trace: this.#read.trace, source }
  }

  /** The number of a trace; null where no file has it. */
  numberOf(id: string, sourceKey?: string): number | null {
    for (const slot of this.#slots) {
      if (sourceKey !== undefined && slot.source.key !== sourceKey) continue
      const row = slot.index.reader.withId(id)
      if (row !== null) return slot.number * SLOT + row.at
    }
    return null
  }

  /** Values of the fields by frequency, over all files. */
  facets(most: number): FacetValues[] {
    const lists = this.#slots.map(({ index }) => index.reader.facets(this.#slots.length > 1 ? Infinity : most))
    return lists.length === 1 ? lists[0]! : mergedFacets(lists, most)
  }

  /** Name of an indexed file, with its folder where that is a run. */
  nameOf(index: FollowedIndex): string {
    const slot = this.#slots.find((s) => s.index === index)
    return slot?.source.isRun ? join(slot.source.name, basename(index.path)) : (slot?.source.name ?? '')
  }

  sourceOf(at: number): Source {
    return this.#slotOf(at).source
  }

  async close(): Promise<void> {
    for (const { index } of this.#slots.splice(0)) await index.close()
  }

  #findNow(query: Query): ArrayLike<number> {
    const [first, ...others] = this.#slots
    if (first === undefined) return []
    if (others.length === 0) {
      const ats = first.index.reader.find(query)
      return first.number === 0 ? ats : Float64Array.from(ats, (at) => first.number * SLOT + at)
    }
    const all = this.#slots.flatMap(({ index, number }) =>
      index.reader.findKeyed(query).map(({ at, key }) => ({ at: number * SLOT + at, key })),
    )
    if (query.sort) {
      const down = query.sort.descending ? -1 : 1
      all.sort((a, b) => nullsLast(a.key, b.key) ?? (down * compare(a.key!, b.key!) || a.at - b.at))
    }
    return Float64Array.from(all, ({ at }) => at)
  }

  #slotOf(at: number): Slot {
    const slot = this.#slots.find((s) => s.number === Math.floor(at / SLOT))
    if (slot) return slot
    throw noTrace(at)
  }

  async #refreshNow(): Promise<void> {
    for (const { index } of this.#slots) {
      const before = index.version
      await index.refresh()
      if (index.version !== before) this.#read = null
    }
    await this.#openRuns()
  }

  /** Run folders fill up while they are looked at: labelled traces take the place of bare ones. */
  async #openRuns(): Promise<void> {
    for (const [i, source] of this.sources.entries()) {
      if (!source.isRun) continue
      const offset = TRACE_FILES.findIndex((name) => sizeOf(join(source.path, name)) > 0)
      if (offset < 0) continue
      const number = 2 * i + offset
      const shown = this.#slots.find((s) => s.source === source)
      if (shown?.number === number) continue
      await this.#openSlot(source, join(source.path, TRACE_FILES[offset]!), number)
      if (shown) {
        this.#past += shown.index.version
        this.#slots = this.#slots.filter((s) => s !== shown)
        await shown.index.close()
      }
    }
  }

  async #openSlot(source: Source, path: string, number: number): Promise<void> {
    const index = await FollowedIndex.open(path, this.#cache)
    this.#slots.push({ source, number, index })
    this.#slots.sort((a, b) => a.number - b.number)
    this.#read = null
  }
}

function sourcesOf(paths: readonly string[]): Source[] {
  const whole = paths.map((path) => resolve(path))
  const names = whole.map((path) => basename(path))
  return whole.map((path, i) => {
    const twice = names.filter((name) => name === names[i]).length > 1
    const name = twice ? join(basename(dirname(path)), names[i]!) : names[i]!
    const isRun = isRunFolder(path)
    return { name, key: i === 0 ? '.' : name, path, folder: isRun ? path : dirname(path), isRun }
  })
}

/** @throws GradusError GRD-IO-001 for any other folder */
function isRunFolder(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false
  if (RUN_FILES.some((file) => existsSync(join(path, file)))) return true
  throw new GradusError('GRD-IO-001', {
    where: { file: path },
    found: `a folder without ${RUN_FILES.join(', ')}`,
    expected: 'files of traces, or the folder of a run',
    try: [`gradus view ${path}/*.jsonl`],
  })
}

function mergedFacets(lists: readonly FacetValues[][], most: number): FacetValues[] {
  return (lists[0] ?? []).map((first, f) => {
    const all = lists.map((list) => list[f]!)
    const counts = new Map<string | number | null, number>()
    for (const { value, count } of all.flatMap(({ values }) => values)) {
      counts.set(value, (counts.get(value) ?? 0) + count)
    }
    const values = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count)
    const bounds = all.flatMap(({ min, max }) => (min === null || max === null ? [] : [min, max]))
    return {
      ...first,
      values: values.slice(0, most),
      distinct: values.length,
      min: bounds.length === 0 ? null : Math.min(...bounds),
      max: bounds.length === 0 ? null : Math.max(...bounds),
    }
  })
}

function noTrace(at: number): GradusError {
  return new GradusError('GRD-SERVE-005', { found: `trace ${at}` })
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function nullsLast(a: unknown, b: unknown): number | null {
  if (a !== null && b !== null) return null
  return a === b ? 0 : a === null ? 1 : -1
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
