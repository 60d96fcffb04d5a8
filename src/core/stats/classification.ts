import { ascending } from './order.ts'

/** Counts of gold class x predicted class; a prediction of -1 (abstained) has the last column. */
export interface Confusion {
  classes: readonly string[]
  /** rows = gold, columns = predicted, then one column for abstentions. */
  counts: number[][]
}

/**
 * @param gold class index of each item; items with -1 are not counted
 * @param predicted class index, or -1 for an abstention
 */
export function confusion(
  classes: readonly string[],
  gold: ArrayLike<number>,
  predicted: ArrayLike<number>,
  items?: readonly number[],
): Confusion {
  const counts = classes.map(() => new Array<number>(classes.length + 1).fill(0))
  const count = (i: number): void => {
    const g = gold[i]!
    const p = predicted[i]!
    if (g >= 0) counts[g]![p < 0 ? classes.length : p]!++
  }
  if (items) for (const i of items) count(i)
  else for (let i = 0; i < gold.length; i++) count(i)
  return { classes, counts }
}

/**
 * Mean F1 over the classes that occur in gold or predictions; abstentions are misses.
 *
 * A class that never occurs on either side is left out, as scikit-learn does with `labels=None`.
 */
export function macroF1({ classes, counts }: Confusion): number {
  const f1 = classes.flatMap((_, c) => {
    const hits = counts[c]![c]!
    const gold = counts[c]!.reduce((a, b) => a + b, 0)
    const predicted = counts.reduce((a, row) => a + row[c]!, 0)
    return gold + predicted === 0 ? [] : [(2 * hits) / (gold + predicted)]
  })
  return f1.length === 0 ? Number.NaN : f1.reduce((a, b) => a + b, 0) / f1.length
}

/** Share of items whose class is met; abstentions count as wrong. */
export function accuracy({ classes, counts }: Confusion): number {
  const total = counts.flat().reduce((a, b) => a + b, 0)
  return total === 0 ? Number.NaN : classes.reduce((a, _, c) => a + counts[c]![c]!, 0) / total
}

/**
 * Area under the ROC curve as the probability that a positive scores above a negative, ties one half
 * (Mann-Whitney U with mid-ranks); NaN where one class is missing.
 * @throws RangeError for a score that is NaN
 */
export function auroc(scores: ArrayLike<number>, positive: ArrayLike<boolean | number>): number {
  const order = ascending(scores)
  let rankSum = 0
  let positives = 0
  for (let i = 0; i < order.length; ) {
    let j = i
    while (j < order.length && scores[order[j]!] === scores[order[i]!]) j++
    const rank = (i + j + 1) / 2
    for (; i < j; i++) {
      if (!positive[order[i]!]) continue
      positives++
      rankSum += rank
    }
  }
  const negatives = scores.length - positives
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}

/** Mean squared distance between probability and outcome (Brier 1950); for two classes, in [0, 1]. */
export function brier(probabilities: ArrayLike<number>, outcomes: ArrayLike<boolean | number>): number {
  let sum = 0
  for (let i = 0; i < probabilities.length; i++) sum += (probabilities[i]! - Number(outcomes[i])) ** 2
  return probabilities.length === 0 ? Number.NaN : sum / probabilities.length
}

/** Harmonic mean of two rates; 0 where both are 0. */
export function harmonic(a: number, b: number): number {
  return a + b === 0 ? 0 : (2 * a * b) / (a + b)
}

/** Unbiased pass@k from c right of n samples: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021); NaN where k > n. */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n) return Number.NaN
  let miss = 1
  for (let i = n - c + 1; i <= n; i++) miss *= 1 - k / i
  return n - c < k ? 1 : 1 - miss
}

/** Unbiased pass^k: chance that k samples drawn without replacement are all right, C(c, k) / C(n, k) (tau-bench). */
export function passHatK(n: number, c: number, k: number): number {
  if (k > n) return Number.NaN
  let all = 1
  for (let i = 0; i < k; i++) all *= Math.max(0, c - i) / (n - i)
  return all
}

/** Risk (share wrong) among the most certain items, at each coverage; items of equal confidence share their mean. */
export function riskCoverage(
  confidence: ArrayLike<number>,
  right: ArrayLike<boolean | number>,
): { coverage: number; risk: number }[] {
  const order = ascending(confidence).reverse()
  const out: { coverage: number; risk: number }[] = []
  let wrong = 0
  for (let i = 0; i < order.length; ) {
    let j = i
    let tied = 0
    while (j < order.length && confidence[order[j]!] === confidence[order[i]!]) tied += right[order[j++]!] ? 0 : 1
    for (let k = i; k < j; k++) {
      wrong += tied / (j - i)
      out.push({ coverage: (k + 1) / order.length, risk: wrong / (k + 1) })
    }
    i = j
  }
  return out
}
