import type { VoteMatrix } from './votes.ts'

/** Rows of a vote matrix (with what is known about them) that differ, and how often each stands there. */
export interface DistinctRows {
  /** Number of distinct rows, in order of first appearance. */
  rows: number
  /** `rows` x sources. */
  votes: Int8Array
  /** Known class of the row, -1 = unknown. */
  gold: Int8Array
  /** How many items have this row. */
  count: Float64Array
  /** For each item its distinct row. */
  rowOf: Int32Array
}

/**
 * Groups equal rows: a model that treats items alike needs each distinct row once. A million items with 8 sources of
 * three classes have at most 4^8 = 65,536.
 *
 * Open addressing over a 32-bit multiplicative hash of the row; equal hashes are compared cell by cell.
 */
export function distinctRows(matrix: VoteMatrix, gold?: Int8Array): DistinctRows {
  const { items, votes } = matrix
  const m = matrix.sources.length
  let capacity = 1 << 12
  let table = new Int32Array(capacity).fill(-1)
  const rowOf = new Int32Array(items)
  const first: number[] = []
  const hashes: number[] = []
  const counts: number[] = []
  for (let i = 0; i < items; i++) {
    const base = i * m
    const known = gold === undefined ? -1 : gold[i]!
    let hash = known + 2
    for (let s = 0; s < m; s++) hash = (Math.imul(hash, 0x01000193) ^ (votes[base + s]! + 2)) | 0
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    hash ^= hash >>> 13
    let slot = hash & (capacity - 1)
    let row = table[slot]!
    while (row >= 0 && !(hashes[row] === hash && sameRow(first[row]! * m, base, known, first[row]!))) {
      slot = (slot + 1) & (capacity - 1)
      row = table[slot]!
    }
    if (row < 0) {
      row = first.length
      first.push(i)
      hashes.push(hash)
      counts.push(0)
      table[slot] = row
      if (first.length * 2 > capacity) grow()
    }
    counts[row] = counts[row]! + 1
    rowOf[i] = row
  }
  const out = new Int8Array(first.length * m)
  first.forEach((i, row) => {
    out.set(votes.subarray(i * m, i * m + m), row * m)
  })
  return {
    rows: first.length,
    votes: out,
    gold: Int8Array.from(first, (i) => (gold === undefined ? -1 : gold[i]!)),
    count: Float64Array.from(counts),
    rowOf,
  }

  function sameRow(a: number, b: number, known: number, firstItem: number): boolean {
    if (gold !== undefined && gold[firstItem] !== known) return false
    for (let s = 0; s < m; s++) if (votes[a + s] !== votes[b + s]) return false
    return true
  }

  function grow(): void {
    capacity *= 2
    table = new Int32Array(capacity).fill(-1)
    hashes.forEach((hash, row) => {
      let slot = hash & (capacity - 1)
      while (table[slot]! >= 0) slot = (slot + 1) & (capacity - 1)
      table[slot] = row
    })
  }
}

/** Posterior of each item from the posterior of its distinct row; both row-major with `classes` columns. */
export function spread(rowPosterior: Float64Array, rowOf: Int32Array, classes: number): Float64Array {
  const out = new Float64Array(rowOf.length * classes)
  for (let i = 0; i < rowOf.length; i++) {
    const from = rowOf[i]! * classes
    const to = i * classes
    for (let k = 0; k < classes; k++) out[to + k] = rowPosterior[from + k]!
  }
  return out
}
