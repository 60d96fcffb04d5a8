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
 * Reliability in equal-mass bins, lowest confidence first. Ties are cut by position, so bins differ by at most one item.
 */
export function reliability(
  confidence: ArrayLike<number>,
  right: ArrayLike<boolean | number>,
  bins = ECE_BINS,
): ReliabilityBin[] {
  const n = confidence.length
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => confidence[a]! - confidence[b]! || a - b)
  const out: ReliabilityBin[] = []
  for (let b = 0; b < bins; b++) {
    const from = Math.floor((b * n) / bins)
    const to = Math.floor(((b + 1) * n) / bins)
    if (to === from) continue
    let stated = 0
    let observed = 0
    for (let i = from; i < to; i++) {
      stated += confidence[order[i]!]!
      observed += Number(right[order[i]!])
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
