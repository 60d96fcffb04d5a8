import { useEffect, useState } from 'preact/hooks'
import type { Row } from '../api.generated.ts'
import { get, Refused } from '../server.ts'

/** Rows of one request. */
const PAGE = 100
/** Pages that stay in the page; the list may be a hundred thousand rows long, its memory not. */
const KEPT = 40

/**
 * Rows of one list, fetched as they come into sight. Pages that scroll past before their turn are not asked for.
 */
class RowPages {
  total: number | null = null
  refused: Refused | null = null
  readonly #query: Record<string, string>
  readonly #changed: () => void
  readonly #pages = new Map<number, Row[]>()
  #wanted: number[] = []
  #asking: AbortController | null = null
  #closed = false

  constructor(query: Record<string, string>, changed: () => void) {
    this.#query = query
    this.#changed = changed
  }

  row(index: number): Row | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE]
  }

  /** What is in sight now; earlier wishes are forgotten. */
  want(from: number, to: number): void {
    const pages: number[] = []
    for (let p = Math.floor(from / PAGE); p <= Math.floor(to / PAGE); p++) if (!this.#pages.has(p)) pages.push(p)
    this.#wanted = pages
    void this.#next()
  }

  close(): void {
    this.#closed = true
    this.#asking?.abort()
  }

  async #next(): Promise<void> {
    const page = this.#wanted[0]
    if (this.#asking !== null || page === undefined || this.#closed) return
    this.#asking = new AbortController()
    try {
      const query = { ...this.#query, offset: page * PAGE, limit: PAGE }
      const rows = await get('/api/traces', { query }, this.#asking.signal)
      this.total = rows.total
      this.refused = null
      this.#pages.set(page, rows.rows)
      this.#forget(page)
    } catch (error) {
      if (!(error instanceof Refused)) return
      this.refused = error
      this.#wanted = []
    }
    this.#asking = null
    if (this.#closed) return
    this.#wanted = this.#wanted.filter((p) => !this.#pages.has(p))
    this.#changed()
    void this.#next()
  }

  /** The pages that are farthest from the one that just came. */
  #forget(near: number): void {
    if (this.#pages.size <= KEPT) return
    const far = [...this.#pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near))
    for (const page of far.slice(0, this.#pages.size - KEPT)) this.#pages.delete(page)
  }
}

/**
 * Rows of a list, null before the first answer. Asked anew when the query or the version of the data changes (null: not
 * asked yet); the rows before stay in sight until the new ones are here.
 */
export function useRows(
  query: Record<string, string>,
  version: number | null,
  inSight: { current: readonly [number, number] },
): RowPages | null {
  const [shown, setShown] = useState<{ pages: RowPages } | null>(null)
  useEffect(() => {
    if (version === null) return
    const pages = new RowPages(query, () => setShown({ pages }))
    pages.want(...inSight.current)
    return () => pages.close()
  }, [JSON.stringify([query, version])])
  return shown?.pages ?? null
}
