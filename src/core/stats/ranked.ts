import { ECE_BINS } from './calibration.ts'

/**
 * Figures that need items in order of their score, sorted once and taken for many multisets of units (cases).
 *
 * Each equals the function of the same name on the items written out as often as their unit counts.
 */
export interface Ranked {
  auroc(counts: ArrayLike<number>): number
  expectedCalibrationError(counts: ArrayLike<number>): number
  /** Mean of the risk-coverage curve, most certain items first. */
  areaUnderRiskCoverage(counts: ArrayLike<number>): number
}

/**
 * @param scores one an item: risk for `auroc`, confidence for the others
 * @param outcome is the item positive (`auroc`), was it right (the others)
 * @param unit of each item; `counts` says how often each unit is taken
 */
export function ranked(
  scores: ArrayLike<number>,
  outcome: ArrayLike<boolean | number>,
  unit: ArrayLike<number>,
): Ranked {
  const order = Int32Array.from(Array.from(scores).keys()).sort((a, b) => scores[a]! - scores[b]!)
  const units = order.map((i) => unit[i]!)
  const hit = Uint8Array.from(order, (i) => (outcome[i] ? 1 : 0))
  const starts: number[] = []
  order.forEach((i, at) => {
    if (at === 0 || scores[i] !== scores[order[at - 1]!]) starts.push(at)
  })
  const runs = starts.length
  const value = starts.map((at) => scores[order[at]!]!)
  const mass = new Float64Array(runs)
  const hits = new Float64Array(runs)

  /** Mass and hits of each run of equal scores; the total mass. */
  const tally = (counts: ArrayLike<number>): number => {
    let n = 0
    for (let r = 0; r < runs; r++) {
      const to = starts[r + 1] ?? order.length
      let m = 0
      let h = 0
      for (let at = starts[r]!; at < to; at++) {
        const c = counts[units[at]!]!
        m += c
        h += c * hit[at]!
      }
      mass[r] = m
      hits[r] = h
      n += m
    }
    return n
  }

  return {
    auroc(counts) {
      const n = tally(counts)
      let below = 0
      let rankSum = 0
      let positives = 0
      for (let r = 0; r < runs; r++) {
        rankSum += hits[r]! * (below + (mass[r]! + 1) / 2)
        below += mass[r]!
        positives += hits[r]!
      }
      const negatives = n - positives
      return positives === 0 || negatives === 0
        ? Number.NaN
        : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
    },
    expectedCalibrationError(counts) {
      const n = tally(counts)
      const gap = new Float64Array(ECE_BINS)
      let bin = 0
      let at = 0
      for (let r = 0; r < runs; r++) {
        const end = at + mass[r]!
        const perItem = value[r]! - (mass[r] === 0 ? 0 : hits[r]! / mass[r]!)
        while (at < end) {
          const edge = Math.floor(((bin + 1) * n) / ECE_BINS)
          const to = Math.min(edge, end)
          gap[bin]! += (to - at) * perItem
          at = to
          if (at === edge && bin < ECE_BINS - 1) bin++
        }
      }
      return n === 0 ? Number.NaN : gap.reduce((a, g) => a + Math.abs(g), 0) / n
    },
    areaUnderRiskCoverage(counts) {
      const n = tally(counts)
      let wrong = 0
      let taken = 0
      let area = 0
      for (let r = runs - 1; r >= 0; r--) {
        const m = mass[r]!
        const rate = m === 0 ? 0 : (m - hits[r]!) / m
        for (let k = 0; k < m; k++) {
          wrong += rate
          area += wrong / ++taken
        }
      }
      return n === 0 ? Number.NaN : area / n
    },
  }
}
