import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import type { Condition } from '../../io/trace-index/index.ts'
import { cutTrace } from './cut.ts'
import type { ViewedData } from './data.ts'
import { fits } from './human-evidence.ts'
import type { Item, LabelStore, Said } from './labels.ts'
import type { Queue as QueueAnswer } from './schemas.ts'
import { shownImages } from './trace-answer.ts'

/** One trace in so many is one whose first error is known, to see how reliable a person is. */
const GOLD_EVERY = 10

export interface QueueOptions {
  instructions: string | null
  /** People a trace. */
  each: number
}

type Answer = z.output<typeof QueueAnswer>

/**
 * Traces for people to label, the most doubtful first; each trace goes to `each` people, nobody sees what others or the
 * tools said, and one in ten has a known first error.
 */
export class LabelQueue {
  readonly #data: ViewedData
  readonly #store: LabelStore
  readonly #options: QueueOptions

  constructor(data: ViewedData, store: LabelStore, options: QueueOptions) {
    this.#data = data
    this.#store = store
    this.#options = options
  }

  /** Where a person stands; takes nothing. */
  state(person: string): Answer {
    const { mine, complete } = this.#progress(person)
    const held = this.#store.heldBy(person)
    const total = this.#data.find({}).length
    return {
      instructions: this.#options.instructions,
      done: mine.size,
      left: Math.max(0, total - mine.size - complete.size),
      each: this.#options.each,
      item: held === null ? null : this.#show(held, person),
      locks: this.#store.locks().flatMap(({ source, id, person: who, until }) => {
        const at = this.#data.numberOf(id, source)
        return at === null ? [] : [{ at, person: who, until: new Date(until).toISOString() }]
      }),
      canUndo: this.#store.canUndo(person),
    }
  }

  /**
   * Takes a trace: the one that the person holds already, else the next.
   * @param at a certain trace
   * @throws GradusError GRD-SERVE-006 where somebody else works on it
   */
  take(person: string, at?: number): Answer {
    if (at !== undefined) {
      const item = this.#itemOf(at)
      if (this.#store.lock(item, person)) return this.state(person)
      throw new GradusError('GRD-SERVE-006', { found: item.id, try: ['another trace', 'a quarter of an hour later'] })
    }
    const held = this.#store.heldBy(person)
    if (held !== null && this.#store.lock(held, person)) return this.state(person)
    this.#takeNext(person)
    return this.state(person)
  }

  /**
   * @throws GradusError GRD-SERVE-001 where the labels do not fit the steps, GRD-SERVE-006 where somebody else has
   *   taken the trace meanwhile
   */
  label(person: string, at: number, said: Said, state: 'draft' | 'done' | 'skipped'): Answer {
    checkFits(said, this.#data.row(at).steps)
    const item = this.#itemOf(at)
    // What a person has typed is kept even if the lock was lost: two answers are better than none.
    this.#store.give(item, person, said, state)
    if (state === 'draft') this.#store.lock(item, person)
    else this.#takeNext(person)
    return this.state(person)
  }

  undo(person: string): Answer {
    const item = this.#store.undo(person)
    if (item !== null) this.#store.lock(item, person)
    return this.state(person)
  }

  adjudicate(person: string, at: number, said: Said): void {
    checkFits(said, this.#data.row(at).steps)
    this.#store.give(this.#itemOf(at), person, said, 'adjudicated')
  }

  #takeNext(person: string): void {
    const { mine, complete } = this.#progress(person)
    const locked = new Set(this.#store.locks().flatMap((lock) => (lock.person === person ? [] : [keyOf(lock)])))
    const free = (key: string): boolean => !mine.has(key) && !locked.has(key)
    for (const { ats, from, gold } of this.#lists(person, mine.size)) {
      for (let i = 0; i < ats.length; i++) {
        const item = this.#itemOf(ats[(from + i) % ats.length]!)
        const key = keyOf(item)
        if (free(key) && (gold || !complete.has(key)) && this.#store.lock(item, person)) return
      }
    }
    this.#store.unlock(person)
  }

  /** Lists to look through, one after the other. */
  #lists(person: string, done: number): { ats: ArrayLike<number>; from: number; gold: boolean }[] {
    const sort = { field: 'doubt', descending: true } as const
    const lists = [
      { ats: this.#data.find({ conditions: goldIs('none'), sort }), from: 0, gold: false },
      { ats: this.#data.find({ sort }), from: 0, gold: false },
    ]
    if (done % GOLD_EVERY !== GOLD_EVERY - 1) return lists
    const ats = this.#data.find({ conditions: goldIs('some') })
    return [{ ats, from: ats.length === 0 ? 0 : draw(`${person}/${done}`, ats.length), gold: true }, ...lists]
  }

  /** What a person has finished, and what others have finished often enough. */
  #progress(person: string): { mine: Set<string>; complete: Set<string> } {
    const mine = new Set<string>()
    const counts = new Map<string, number>()
    for (const { state, person: who, ...item } of this.#store.finished()) {
      const key = keyOf(item)
      if (who === person) mine.add(key)
      else if (state === 'done') counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const complete = [...counts].flatMap(([key, n]) => (n >= this.#options.each && !mine.has(key) ? [key] : []))
    return { mine, complete: new Set(complete) }
  }

  #show(item: Item, person: string): Answer['item'] {
    const at = this.#data.numberOf(item.id, item.source)
    if (at === null) return null
    const { trace, source } = this.#data.trace(at)
    const given = this.#store.of(item).filter((g) => g.state !== 'adjudicated' && fits(g, trace.steps.length))
    return {
      at,
      ...cutTrace(unlabelled(trace)),
      images: shownImages(at, trace, source.folder),
      mine: given.find((g) => g.person === person) ?? null,
      others: given.filter((g) => g.person !== person && g.state === 'done').map((g) => g.person),
      doubt: this.#data.row(at).doubt,
    }
  }

  #itemOf(at: number): Item {
    return { source: this.#data.sourceOf(at).key, id: this.#data.row(at).id }
  }
}

/** The trace as if nobody had looked at it. */
function unlabelled({ labels: _, verdict: _v, evidence: _e, outcome: _o, extra: _x, ...trace }: Trace): Trace {
  return trace
}

function checkFits({ labels, firstError }: Said, steps: number): void {
  const found =
    labels.length !== steps
      ? `${labels.length} labels`
      : firstError !== null && firstError >= steps
        ? `step ${firstError} as first error`
        : null
  if (found !== null) throw new GradusError('GRD-SERVE-001', { found, expected: `what fits ${steps} steps` })
}

const goldIs = (value: 'some' | 'none'): Condition[] => [{ field: 'gold', op: 'is', values: [value] }]

function keyOf({ source, id }: Item): string {
  return `${source}\n${id}`
}

/** A number in [0, n) that depends on the name alone. */
function draw(name: string, n: number): number {
  return createHash('sha256').update(name).digest().readUInt32LE(0) % n
}
