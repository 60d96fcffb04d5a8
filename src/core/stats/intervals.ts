import { random } from '../seeds.ts'

/** A figure with its interval; the level is 95 % everywhere. */
export interface Estimate {
  value: number
  low: number
  high: number
}

const Z95 = 1.959_963_984_540_054

/** Wilson score interval of a share (Wilson 1927); [0, 1] where there are no trials. */
export function wilson(successes: number, trials: number): Estimate {
  if (trials === 0) return { value: Number.NaN, low: 0, high: 1 }
  const p = successes / trials
  const z2 = (Z95 * Z95) / trials
  const centre = (p + z2 / 2) / (1 + z2)
  const half = (Z95 * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials))) / (1 + z2)
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}

export interface BootstrapOptions {
  /** Resamples; 1,000 gives interval ends that move by less than a tenth of the width between seeds. */
  resamples?: number
  seed?: string
}

/**
 * Percentile bootstrap of a statistic, resampling whole questions, since solutions of one question are not independent.
 *
 * @param groups group number of each item, 0 to the number of groups - 1
 * @param statistic of a multiset of items, given as indices; NaN where it is not defined (such resamples are left out)
 */
export function bootstrap(
  groups: ArrayLike<number>,
  statistic: (items: readonly number[]) => number,
  options: BootstrapOptions = {},
): Estimate {
  return estimateOf(resampled(groups, [statistic], options)[0]!)
}

/** A statistic on all items and on each resample; NaN where it is not defined. */
export interface Resampled {
  value: number
  samples: Float64Array
}

/**
 * Several statistics of the same items, all on the same resamples, so that their differences are paired.
 *
 * @param statistics must not keep the array that they are given
 */
export function resampled(
  groups: ArrayLike<number>,
  statistics: readonly ((items: readonly number[]) => number)[],
  { resamples = 1_000, seed = 'bootstrap' }: BootstrapOptions = {},
): Resampled[] {
  const { starts, members } = membersOf(groups)
  const all = Array.from(members)
  const out = statistics.map((statistic) => ({ value: statistic(all), samples: new Float64Array(resamples) }))
  const draw = random(`bootstrap/${seed}`)
  const count = starts.length - 1
  const items: number[] = []
  for (let b = 0; b < resamples; b++) {
    items.length = 0
    for (let g = 0; g < count; g++) {
      const picked = draw.below(count)
      for (let at = starts[picked]!, end = starts[picked + 1]!; at < end; at++) items.push(members[at]!)
    }
    statistics.forEach((statistic, k) => {
      out[k]!.samples[b] = statistic(items)
    })
  }
  return out
}

/** Percentile interval; resamples without a value are left out. */
export function estimateOf({ value, samples }: Resampled): Estimate {
  const sorted = samples.filter((s) => !Number.isNaN(s)).sort()
  return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) }
}

/** What `pairedBootstrap` gives, from statistics that were taken on the same resamples. */
export function differenceOf(a: Resampled, b: Resampled): Estimate {
  return estimateOf({ value: a.value - b.value, samples: a.samples.map((s, i) => s - b.samples[i]!) })
}

/** Items of all groups one after another, group g from `starts[g]` to `starts[g + 1]`; flat, since resampling is hot. */
function membersOf(groups: ArrayLike<number>): { starts: Int32Array; members: Int32Array } {
  let count = 0
  for (let i = 0; i < groups.length; i++) count = Math.max(count, groups[i]! + 1)
  const starts = new Int32Array(count + 1)
  for (let i = 0; i < groups.length; i++) starts[groups[i]! + 1]!++
  for (let g = 0; g < count; g++) starts[g + 1]! += starts[g]!
  const next = starts.slice()
  const members = new Int32Array(groups.length)
  for (let i = 0; i < groups.length; i++) members[next[groups[i]!]!++] = i
  return { starts, members }
}

/**
 * Difference of a statistic between two predictors on the same items, paired: both are taken on the same resample.
 */
export function pairedBootstrap(
  groups: ArrayLike<number>,
  a: (items: readonly number[]) => number,
  b: (items: readonly number[]) => number,
  options: BootstrapOptions = {},
): Estimate {
  return bootstrap(groups, (items) => a(items) - b(items), options)
}

/** Linear interpolation between order statistics (type 7); NaN for no values. Sorted ascending. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const below = Math.floor(at)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (at - below)
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length
}

/** Group numbers for keys, in order of first appearance. */
export function groupsOf(keys: readonly string[]): Int32Array {
  const number = new Map<string, number>()
  return Int32Array.from(keys, (key) => {
    const known = number.get(key)
    if (known !== undefined) return known
    number.set(key, number.size)
    return number.size - 1
  })
}
