import type { VoteMatrix } from './votes.ts'

/** Sources that vote so alike that they count as one. */
export interface Copies {
  sources: number[]
  /** Strongest association inside, and what the other sources make one expect, both in [-1, 1]. */
  association: number
  expected: number
}

/**
 * A pair is suspect when its association lies this far above what one shared cause (the truth) explains. Thirteen
 * language-model judges, thinking twins of one family included, stay below on AgentProcessBench; simulated near-copies
 * (nine of ten votes copied) lie above from accuracies of .55 to .9.
 */
const EXCESS = 0.35

/** Fewer common items say nothing about a pair. */
const MIN_COMMON = 20

/**
 * Groups near-copies by their votes alone.
 *
 * If votes are independent given the class, the association of a pair is a product of two loadings, and any three
 * sources give one: loading_a^2 = r_ab r_ac / r_bc (the triplet identity of Fu and others 2020, here on chance-corrected
 * association). The median over triplets is not moved by a few copies, so a pair far above its product is a copy.
 * A fitted posterior cannot be asked instead: where copies outvote the rest, they have become its truth.
 */
export function nearCopies(matrix: VoteMatrix): Copies[] {
  const m = matrix.sources.length
  if (m < 4) return []
  const r = associations(matrix)
  const loading = Float64Array.from({ length: m }, (_, a) => loadingOf(r, m, a))
  const parent = Array.from({ length: m }, (_, a) => a)
  const root = (a: number): number => (parent[a] === a ? a : root(parent[a]!))
  for (let a = 0; a < m; a++) {
    for (let b = a + 1; b < m; b++) {
      if (r[a * m + b]! - loading[a]! * loading[b]! > EXCESS) parent[root(b)] = root(a)
    }
  }
  const groups = Map.groupBy(
    Array.from({ length: m }, (_, a) => a),
    root,
  )
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((sources) => {
      const pairs = sources.flatMap((a) => sources.filter((b) => b > a).map((b) => [a, b] as const))
      const [a, b] = pairs.reduce((best, pair) => (r[pair[0] * m + pair[1]]! > r[best[0] * m + best[1]]! ? pair : best))
      return { sources, association: r[a * m + b]!, expected: loading[a]! * loading[b]! }
    })
}

/** Weight of each source when every group of near-copies has one vote together. */
export function oneVoteEach(matrix: VoteMatrix, copies: readonly Copies[]): Float64Array {
  const weights = new Float64Array(matrix.sources.length).fill(1)
  for (const { sources } of copies) for (const s of sources) weights[s] = 1 / sources.length
  return weights
}

/** Cohen-like association of each pair: correlation of one-hot votes on common items; NaN where there are too few. */
function associations(matrix: VoteMatrix): Float64Array {
  const m = matrix.sources.length
  const classes = matrix.classes.length
  const out = new Float64Array(m * m).fill(Number.NaN)
  const joint = new Float64Array(classes * classes)
  for (let a = 0; a < m; a++) {
    out[a * m + a] = 1
    for (let b = a + 1; b < m; b++) {
      joint.fill(0)
      let n = 0
      for (let i = 0; i < matrix.items; i++) {
        const va = matrix.votes[i * m + a]!
        const vb = matrix.votes[i * m + b]!
        if (va < 0 || vb < 0) continue
        joint[va * classes + vb] = joint[va * classes + vb]! + 1
        n++
      }
      if (n < MIN_COMMON) continue
      let same = 0
      let chance = 0
      let varA = 1
      let varB = 1
      for (let k = 0; k < classes; k++) {
        let pa = 0
        let pb = 0
        for (let l = 0; l < classes; l++) {
          pa += joint[k * classes + l]! / n
          pb += joint[l * classes + k]! / n
        }
        same += joint[k * classes + k]! / n
        chance += pa * pb
        varA -= pa * pa
        varB -= pb * pb
      }
      if (varA < 1e-9 || varB < 1e-9) continue
      out[a * m + b] = out[b * m + a] = (same - chance) / Math.sqrt(varA * varB)
    }
  }
  return out
}

function loadingOf(r: Float64Array, m: number, a: number): number {
  const squares: number[] = []
  for (let b = 0; b < m; b++) {
    for (let c = b + 1; c < m; c++) {
      if (b === a || c === a) continue
      const rbc = r[b * m + c]!
      // Below: two sources that hardly go together say nothing about a third.
      if (!(Math.abs(rbc) > 0.02)) continue
      const square = (r[a * m + b]! * r[a * m + c]!) / rbc
      if (Number.isFinite(square)) squares.push(square)
    }
  }
  if (squares.length === 0) return 0
  squares.sort((x, y) => x - y)
  const middle = squares.length >> 1
  const median = squares.length % 2 === 1 ? squares[middle]! : (squares[middle - 1]! + squares[middle]!) / 2
  return Math.sqrt(Math.min(1, Math.max(0, median)))
}
