import { ascending } from './order.ts'

/** One bin of a reliability table. */
export interface ReliabilityBin {
  n: number
  /** Mean stated probability. */
  stated: number
  /** Share that was right. */
  observed: number
}

/** Number of equal-mass bins used for every expected calibration error in Gradus. */
export const ECE_BINS = 10

/**
 * Reliability in equal-mass bins, lowest confidence first; sizes differ by at most one item. Items of equal confidence
 * share their mean outcome, so that the order of the input does not matter where a bin's edge cuts through them.
 */
export function reliability(
  confidence: ArrayLike<number>,
  right: ArrayLike<boolean | number>,
  bins = ECE_BINS,
): ReliabilityBin[] {
  const n = confidence.length
  const order = ascending(confidence)
  const outcome = tiedMeans(order, confidence, right)
  const out: ReliabilityBin[] = []
  for (let b = 0; b < bins; b++) {
    const from = Math.floor((b * n) / bins)
    const to = Math.floor(((b + 1) * n) / bins)
    if (to === from) continue
    let stated = 0
    let observed = 0
    for (let i = from; i < to; i++) {
      stated += confidence[order[i]!]!
      observed += outcome[i]!
    }
    out.push({ n: to - from, stated: stated / (to - from), observed: observed / (to - from) })
  }
  return out
}

/** Expected calibration error: mean over items of |stated - observed| of their bin. */
export function expectedCalibrationError(
  confidence: ArrayLike<number>,
  right: ArrayLike<boolean | number>,
  bins = ECE_BINS,
): number {
  const table = reliability(confidence, right, bins)
  const n = table.reduce((a, bin) => a + bin.n, 0)
  return n === 0 ? Number.NaN : table.reduce((a, bin) => a + bin.n * Math.abs(bin.stated - bin.observed), 0) / n
}

/** Outcome of each item in sorted order, averaged over items of equal confidence. */
function tiedMeans(
  order: readonly number[],
  confidence: ArrayLike<number>,
  right: ArrayLike<boolean | number>,
): Float64Array {
  const out = new Float64Array(order.length)
  for (let i = 0; i < order.length; ) {
    let j = i
    let sum = 0
    while (j < order.length && confidence[order[j]!] === confidence[order[i]!]) sum += Number(right[order[j++]!])
    out.fill(sum / (j - i), i, j)
    i = j
  }
  return out
}
