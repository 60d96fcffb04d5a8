/**
 * Positions that stand at least `gap` apart, in their order and as near to the given ones as can be (least squares): what
 * is left of them when each number before is worth a gap never falls, so that it is an isotonic regression.
 * @param positions of things on a line, in any order
 */
export function apart(positions: readonly number[], gap: number): number[] {
  const order = [...positions.keys()].sort((a, b) => positions[a]! - positions[b]! || a - b)
  /** Neighbours that push each other: their number, and the mean of what is left. */
  const pools: { size: number; mean: number }[] = []
  order.forEach((at, rank) => {
    let pool = { size: 1, mean: positions[at]! - rank * gap }
    for (let last = pools.at(-1); last && last.mean > pool.mean; last = pools.at(-1)) {
      pools.pop()
      const size = last.size + pool.size
      pool = { size, mean: (last.size * last.mean + pool.size * pool.mean) / size }
    }
    pools.push(pool)
  })
  const out = new Array<number>(positions.length)
  const means = pools.flatMap(({ size, mean }) => new Array<number>(size).fill(mean))
  order.forEach((at, rank) => {
    out[at] = means[rank]! + rank * gap
  })
  return out
}
