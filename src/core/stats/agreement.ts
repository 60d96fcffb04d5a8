/** Cohen's kappa of two raters on the same items (class indices; pairs with -1 are left out); NaN where undefined. */
export function cohenKappa(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const left = new Map<number, number>()
  const right = new Map<number, number>()
  let n = 0
  let same = 0
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x < 0 || y < 0) continue
    n++
    if (x === y) same++
    left.set(x, (left.get(x) ?? 0) + 1)
    right.set(y, (right.get(y) ?? 0) + 1)
  }
  let expected = 0
  for (const [c, count] of left) expected += (count * (right.get(c) ?? 0)) / (n * n)
  return n === 0 || expected === 1 ? Number.NaN : (same / n - expected) / (1 - expected)
}

/**
 * Krippendorff's alpha for nominal data with missing values (Krippendorff 2011); NaN where undefined.
 * @param ratings one array a rater, -1 = missing
 */
export function krippendorffAlpha(ratings: readonly ArrayLike<number>[]): number {
  const items = ratings[0]?.length ?? 0
  const total = new Map<number, number>()
  let disagreement = 0
  let n = 0
  for (let i = 0; i < items; i++) {
    const counts = new Map<number, number>()
    let m = 0
    for (const rater of ratings) {
      const c = rater[i]!
      if (c < 0) continue
      counts.set(c, (counts.get(c) ?? 0) + 1)
      m++
    }
    if (m < 2) continue
    n += m
    let pairs = m * m
    for (const [c, count] of counts) {
      pairs -= count * count
      total.set(c, (total.get(c) ?? 0) + count)
    }
    disagreement += pairs / (m - 1)
  }
  let expected = n * n
  for (const count of total.values()) expected -= count * count
  return n < 2 || expected === 0 ? Number.NaN : 1 - ((n - 1) * disagreement) / expected
}
