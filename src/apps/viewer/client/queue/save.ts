import type { Queue } from '../api.generated.ts'
import { post, Refused } from '../server.ts'
import type { Said } from './draft.ts'

/** Where what was said stands: on the server, on its way, or only in this browser. */
export type Saved = 'saved' | 'saving' | 'unsaved'

type State = 'draft' | 'done' | 'skipped'

/** A save that did not arrive is tried again after this long. */
const RETRY_MS = 2_000

/**
 * Sends what a person says, one request at a time, always the latest.
 *
 * Until the server has it, it also stands in this browser's storage, so that neither a reload nor a dead server loses it.
 */
export class Saver {
  #next: { said: Said; state: State; done: (queue: Queue) => void } | null = null
  #busy = false
  #closed = false
  readonly #person: string
  readonly #at: number
  readonly #changed: (saved: Saved, refused: Refused | null) => void

  constructor(person: string, at: number, changed: (saved: Saved, refused: Refused | null) => void) {
    this.#person = person
    this.#at = at
    this.#changed = changed
  }

  save(said: Said, state: State, done: (queue: Queue) => void): void {
    localStorage.setItem(keyOf(this.#person, this.#at), JSON.stringify(bare(said)))
    this.#next = { said, state, done }
    void this.#send()
  }

  close(): void {
    this.#closed = true
  }

  async #send(): Promise<void> {
    const next = this.#next
    if (next === null || this.#busy || this.#closed) return
    this.#busy = true
    this.#next = null
    this.#changed('saving', null)
    try {
      const body = { person: this.#person, at: this.#at, state: next.state, ...bare(next.said) }
      const queue = await post('/api/queue/labels', body)
      if (this.#next === null) {
        localStorage.removeItem(keyOf(this.#person, this.#at))
        this.#changed('saved', null)
        next.done(queue)
      }
    } catch (error) {
      const refused = error instanceof Refused ? error : null
      this.#changed('unsaved', refused)
      // What the server refuses stays refused; only silence is worth another try.
      if (refused === null || refused.code === 'offline') {
        this.#next ??= next
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    this.#busy = false
    void this.#send()
  }
}

/** What was typed and never reached the server. */
export function unsent(person: string, at: number): Said | null {
  const text = localStorage.getItem(keyOf(person, at))
  return text === null ? null : (JSON.parse(text) as Said)
}

function bare({ labels, firstError, note }: Said): {
  labels: Said['labels'][number][]
  firstError: number | null
  note: string
} {
  return { labels: [...labels], firstError, note }
}

function keyOf(person: string, at: number): string {
  return `gradus-draft ${person} ${at}`
}
