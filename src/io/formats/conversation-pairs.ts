import type { Step } from '../../core/words.ts'
import type { At } from './format.ts'

/** What a tool gave back, with the id of its call where the source says. */
export interface Result {
  type: 'result'
  output: string
  id?: string
  name?: string
  isError?: boolean
}

/** A result on its way to its call. */
export interface Arrived {
  result: Result
  /** Number of steps before it. */
  before: number
  origin: string
  agent: string | undefined
}

/**
 * Puts each result into its call, as `observation`; one without a call becomes an observation of its own where it came,
 * a second one for the same call is left out. `failed` gets the steps whose tool reported an error.
 */
export function pairResults(steps: Step[], results: readonly Arrived[], failed: number[], at: At): void {
  const calls = new OpenCalls(steps)
  const orphans: Arrived[] = []
  for (const arrived of results) {
    const { result, before, origin } = arrived
    const index = calls.take(result, before)
    const call = index === undefined ? undefined : steps[index]
    if (index === undefined || !call) {
      if (calls.knows(result.id)) at.odd('second result for a call', origin)
      else {
        at.odd('result without call', origin)
        orphans.push(arrived)
      }
      continue
    }
    call.observation = result.output
    if (result.isError) failed.push(index)
  }
  for (const index of calls.left()) at.odd('call without result', String(steps[index]?.origin))
  const shift = insertOrphans(steps, orphans)
  failed.splice(0, failed.length, ...failed.sort((a, b) => a - b).map(shift))
}

/** Puts results without a call where they came; gives the new place of a step. */
function insertOrphans(steps: Step[], orphans: readonly Arrived[]): (index: number) => number {
  if (orphans.length === 0) return (index) => index
  const moved: number[] = []
  const all: Step[] = []
  let next = 0
  const addUntil = (before: number): void => {
    for (let orphan = orphans[next]; orphan && orphan.before <= before; orphan = orphans[++next]) {
      const { result, origin, agent } = orphan
      all.push({ text: result.output, kind: 'observation', agent: agent ?? 'tool', origin })
    }
  }
  steps.forEach((step, i) => {
    addUntil(i)
    moved.push(all.length)
    all.push(step)
  })
  addUntil(steps.length)
  steps.length = 0
  for (const step of all) steps.push(step)
  return (index) => moved[index] ?? index
}

/** Calls that wait for their result. */
class OpenCalls {
  private readonly ids = new Map<string, number[]>()
  private readonly open = new Set<number>()
  /** No call before it is open. */
  private first = 0
  private readonly steps: readonly Step[]

  constructor(steps: readonly Step[]) {
    this.steps = steps
    steps.forEach(({ action }, i) => {
      if (!action) return
      this.open.add(i)
      if (action.id === undefined) return
      const same = this.ids.get(action.id)
      if (same) same.push(i)
      else this.ids.set(action.id, [i])
    })
  }

  knows(id: string | undefined): boolean {
    return id !== undefined && this.ids.has(id)
  }

  /** By id the nearest call before the result, else the next one; without an id the oldest open call of the name. */
  take(result: Result, before: number): number | undefined {
    const index = result.id === undefined ? this.oldest(result.name, before) : this.nearest(result.id, before)
    if (index !== undefined) this.open.delete(index)
    return index
  }

  left(): Iterable<number> {
    return this.open
  }

  private nearest(id: string, before: number): number | undefined {
    const same = this.ids.get(id) ?? []
    while (same.length > 0) {
      const [index] = same.splice(
        Math.max(
          same.findLastIndex((i) => i < before),
          0,
        ),
        1,
      )
      if (index !== undefined && this.open.has(index)) return index
    }
    return undefined
  }

  private oldest(name: string | undefined, before: number): number | undefined {
    while (this.first < before && !this.open.has(this.first)) this.first++
    for (let i = this.first; i < before; i++) {
      if (this.open.has(i) && (name === undefined || this.steps[i]?.action?.tool === name)) return i
    }
    return undefined
  }
}
