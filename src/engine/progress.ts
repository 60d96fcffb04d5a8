import type { Usage } from '../core/words.ts'
import type { Counts } from './engine.ts'

/** The rate is taken over so many seconds: long enough for slow models, short enough to see a storm. */
const WINDOW_SECONDS = 30

export interface ProgressState {
  /** Samples settled in any way. */
  done: number
  /** Samples in all, where known. */
  total: number | null
  /** Bought samples per second over the last half minute; null before the second look. */
  rate: number | null
  /** Seconds until the end at this rate; null where rate or total is not known. */
  left: number | null
  inFlight: number
  spent: Usage
}

/** Looks at a run now and then and says how fast it goes, what it has spent and when it will end. */
export class Progress {
  #total: number | null
  #looks: { at: number; bought: number }[] = []

  constructor(total: number | null) {
    this.#total = total
  }

  /** @param now seconds on any clock that only goes forward */
  look(now: number, counts: Counts, inFlight: number, spent: Usage): ProgressState {
    const failed = Object.values(counts.failed).reduce((a, b) => a + b, 0)
    const done = counts.cached + counts.shared + counts.kept + failed + counts.unfinished
    // Cached samples come at another speed and would promise too early an end.
    const bought = counts.kept + failed
    this.#looks.push({ at: now, bought })
    while (this.#looks.length > 2 && now - (this.#looks[1]?.at ?? now) >= WINDOW_SECONDS) this.#looks.shift()
    const first = this.#looks[0]
    const rate = first && now > first.at ? (bought - first.bought) / (now - first.at) : null
    const rest = this.#total === null ? null : Math.max(0, this.#total - done)
    const left = rest === 0 ? 0 : rest === null || !rate ? null : rest / rate
    return { done, total: this.#total, rate, left, inFlight, spent }
  }
}

/**
 * One line for a terminal: `1,204 of 2,000   63.8/s   12 s left   64 under way   1,204 calls   96,320 tokens   $0.12`.
 */
export function progressLine(state: ProgressState): string {
  const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 })
  const { spent } = state
  const parts = [
    state.total === null ? number(state.done) : `${number(state.done)} of ${number(state.total)}`,
    state.rate === null ? '' : `${state.rate.toFixed(state.rate < 10 ? 2 : 1)}/s`,
    state.left === null ? '' : `${duration(state.left)} left`,
    state.inFlight === 0 ? '' : `${number(state.inFlight)} under way`,
    `${number(spent.calls)} calls`,
    `${number(spent.promptTokens + spent.completionTokens)} tokens`,
    spent.cost === undefined ? '' : `$${spent.cost.toFixed(2)}`,
  ]
  return parts.filter((part) => part !== '').join('   ')
}

/** `12 s`, `3 min`, `2 h 05 min`: rounded up, for waiting people. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}
