import { harmonic } from '../../core/stats/index.ts'
import { crossEntropyOf, sigmoid } from '../training/rows.ts'

/** From the log-odds of a head to a probability: `sigmoid((logit - shift) / temperature)`. */
export interface Calibration {
  /** Log-odds that balanced classes added; taken away again (King and Zeng 2001). */
  shift: number
  /** Above 1: the head was too sure. */
  temperature: number
}

/** Fewer rows say too little about a temperature; it stays 1. */
const ENOUGH_ROWS = 50
/** A head that knows nothing on held-out rows wants an endless temperature. */
const RANGE = { low: 0.05, high: 20 } as const

/**
 * The temperature with the least log loss (Guo et al. 2017), by halving the range of its inverse.
 *
 * Targets are drawn in as Platt (1999) has it, to (n + 1) / (n + 2) of the n right rows and 1 / (n + 2) of the wrong ones:
 * rows that a head tells apart without a fault would else want a temperature of 0, and all scores would be 0 or 1.
 */
export function temperatureOf(logits: ArrayLike<number>, targets: ArrayLike<number>): number {
  if (logits.length < ENOUGH_ROWS) return 1
  let right = 0
  for (let row = 0; row < targets.length; row++) right += targets[row]!
  const ceiling = (right + 1) / (right + 2)
  const floor = 1 / (targets.length - right + 2)
  let [low, high] = [1 / RANGE.high, 1 / RANGE.low]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    let slope = 0
    for (let row = 0; row < logits.length; row++) {
      slope += logits[row]! * (sigmoid(middle * logits[row]!) - (floor + (ceiling - floor) * targets[row]!))
    }
    if (slope > 0) high = middle
    else low = middle
  }
  return 2 / (low + high)
}

export function calibrated(logit: number, { shift, temperature }: Calibration): number {
  return sigmoid((logit - shift) / temperature)
}

/** Mean log loss of probabilities in nats, held away from 0 and 1. */
export function logLoss(probabilities: ArrayLike<number>, targets: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < probabilities.length; i++) {
    const p = Math.min(1 - 1e-9, Math.max(1e-9, probabilities[i]!))
    sum += crossEntropyOf(Math.log(p / (1 - p)), targets[i]!)
  }
  return sum / probabilities.length
}

/** Step scores of a line and the step that is first wrong, -1 = none. */
export interface Located {
  scores: readonly (number | null)[]
  firstError: number
}

/** The first step that scores below the threshold, -1 = none. A step without a score is no vote. */
export function firstBelow(scores: readonly (number | null)[], threshold: number): number {
  return scores.findIndex((score) => score !== null && score < threshold)
}

/** ProcessBench's figure: harmonic mean of the share of wrong lines whose step is met and of clean ones left alone. */
export function firstErrorF1(
  lines: readonly Located[],
  threshold: number,
): { f1: number; wrong: number; clean: number } {
  const [wrong, clean] = [true, false].map((isWrong) => {
    const own = lines.filter(({ firstError }) => firstError >= 0 === isWrong)
    const met = own.filter(({ scores, firstError }) => firstBelow(scores, threshold) === firstError)
    return met.length / own.length
  }) as [number, number]
  return { f1: harmonic(wrong, clean), wrong, clean }
}

/** Thresholds that are tried: quantiles of the scores. */
const CANDIDATES = 200

/** The threshold with the best F1, the lowest where several are; null where one of the two kinds of lines is missing. */
export function firstErrorThreshold(lines: readonly Located[]): number | null {
  if (!lines.some((l) => l.firstError >= 0) || !lines.some((l) => l.firstError < 0)) return null
  const all = Float64Array.from(lines.flatMap(({ scores }) => scores.filter((s) => s !== null))).sort()
  let best = { threshold: 0.5, f1: -1 }
  for (let i = 0; i <= CANDIDATES; i++) {
    const threshold = all[Math.min(all.length - 1, Math.floor((i * all.length) / CANDIDATES))] ?? 0.5
    const { f1 } = firstErrorF1(lines, threshold)
    if (f1 > best.f1) best = { threshold, f1 }
  }
  return best.threshold
}
