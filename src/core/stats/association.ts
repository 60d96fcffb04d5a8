/** Rank association of two variables; NaN where one of them does not vary. */
export interface Association {
  /** Kendall's tau-b: concordant less discordant pairs over the geometric mean of pairs not tied on either side. */
  kendallTauB: number
  /** Somers' D(y|x): concordant less discordant pairs over pairs not tied on x (Somers 1962). */
  somersD: number
  /** Pearson's correlation of mid-ranks. */
  spearman: number
}

/**
 * Rank association of y with x, prepared once and taken for many multisets of the items.
 *
 * Pairs are counted along ascending x with a Fenwick tree over the levels of y, O(n log levels).
 * @param x independent variable (people's rating); @param y dependent variable (a score), same length
 * @returns of how often each item counts (once each where not given)
 */
export function rankAssociation(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): (counts?: ArrayLike<number>) => Association {
  const levelX = denseRanks(x)
  const levelY = denseRanks(y)
  const order = Int32Array.from(levelX.ranks.keys()).sort((a, b) => levelX.ranks[a]! - levelX.ranks[b]!)
  return (counts) => {
    const weight = (i: number): number => counts?.[i] ?? 1
    const massX = masses(levelX, weight)
    const massY = masses(levelY, weight)
    const n = massX.reduce((a, b) => a + b, 0)
    const pairs = (n * (n - 1)) / 2
    const untiedX = pairs - tiedPairs(massX)
    const untiedY = pairs - tiedPairs(massY)
    const surplus = concordantLessDiscordant(order, levelX.ranks, levelY, weight)
    return {
      kendallTauB: ratio(surplus, Math.sqrt(untiedX * untiedY)),
      somersD: ratio(surplus, untiedX),
      spearman: rankPearson(levelX.ranks, levelY.ranks, midRanks(massX), midRanks(massY), weight, n),
    }
  }
}

/** Kendall's tau-b of two variables on the same items. */
export function kendallTauB(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return rankAssociation(x, y)().kendallTauB
}

/** Somers' D(y|x): y depends, x does not. */
export function somersD(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return rankAssociation(x, y)().somersD
}

/** Spearman's rank correlation with mid-ranks for ties. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return rankAssociation(x, y)().spearman
}

/**
 * Matthews correlation coefficient of a two-by-two table (Matthews 1975).
 * @returns 0 where all predictions are of one class, NaN where all truths are
 */
export function matthews({ tp, tn, fp, fn }: { tp: number; tn: number; fp: number; fn: number }): number {
  if (tp + fn === 0 || tn + fp === 0) return Number.NaN
  const spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
  return spread === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(spread)
}

interface Levels {
  /** 0 for the smallest value. */
  ranks: Int32Array
  levels: number
}

function denseRanks(values: ArrayLike<number>): Levels {
  const distinct = [...new Set(Array.from(values))].sort((a, b) => a - b)
  const rank = new Map(distinct.map((v, i) => [v, i]))
  return { ranks: Int32Array.from(values, (v) => rank.get(v)!), levels: distinct.length }
}

function masses({ ranks, levels }: Levels, weight: (i: number) => number): Float64Array {
  const out = new Float64Array(levels)
  for (let i = 0; i < ranks.length; i++) out[ranks[i]!]! += weight(i)
  return out
}

function tiedPairs(mass: Float64Array): number {
  return mass.reduce((a, m) => a + (m * (m - 1)) / 2, 0)
}

function midRanks(mass: Float64Array): Float64Array {
  let below = 0
  return mass.map((m) => {
    below += m
    return below - (m - 1) / 2
  })
}

function concordantLessDiscordant(
  order: Int32Array,
  rankX: Int32Array,
  { ranks, levels }: Levels,
  weight: (i: number) => number,
): number {
  const tree = new Float64Array(levels + 1)
  const upTo = (level: number): number => {
    let sum = 0
    for (let at = level + 1; at > 0; at -= at & -at) sum += tree[at]!
    return sum
  }
  let seen = 0
  let surplus = 0
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to < order.length && rankX[order[to]!] === rankX[order[from]!]) to++
    for (let at = from; at < to; at++) {
      const i = order[at]!
      const w = weight(i)
      if (w > 0) surplus += w * (upTo(ranks[i]! - 1) - (seen - upTo(ranks[i]!)))
    }
    for (let at = from; at < to; at++) {
      const i = order[at]!
      const w = weight(i)
      seen += w
      for (let node = ranks[i]! + 1; node <= levels; node += node & -node) tree[node]! += w
    }
    from = to
  }
  return surplus
}

function rankPearson(
  rankX: Int32Array,
  rankY: Int32Array,
  midX: Float64Array,
  midY: Float64Array,
  weight: (i: number) => number,
  n: number,
): number {
  const centre = (n + 1) / 2
  let xy = 0
  let xx = 0
  let yy = 0
  for (let i = 0; i < rankX.length; i++) {
    const a = midX[rankX[i]!]! - centre
    const b = midY[rankY[i]!]! - centre
    const w = weight(i)
    xy += w * a * b
    xx += w * a * a
    yy += w * b * b
  }
  return ratio(xy, Math.sqrt(xx * yy))
}

function ratio(a: number, b: number): number {
  return b === 0 ? Number.NaN : a / b
}
