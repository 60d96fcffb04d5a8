import type { VoteMatrix } from './votes.ts'

/** Sources that vote so alike that they count as one. */
export interface Copies {
  sources: number[]
  /** Strongest association inside, and what the other sources make one expect, both in [-1, 1]. */
  association: number
  expected: number
}

/**
 * Only pairs that go together this much are looked at. Thinking twins of one judge family reach .61 to .72 on
 * AgentProcessBench and their excess stays below a quarter; simulated near-copies (nine of ten votes repeated) have .8.
 */
const ALIKE = 0.6

/** A pair counts as near-copies when its association lies this far above what the truth as shared cause explains. */
const EXCESS = 0.35

/** Pairs that hardly go together say nothing about a third. */
const LEAST_ASSOCIATION = 0.05

/** Fewer common items say nothing about a pair. */
const MIN_COMMON = 20

/**
 * Groups near-copies by their votes alone.
 *
 * If votes are independent given the class, associations are products of loadings, so that r_ab r_cd = r_ac r_bd for any
 * four sources (the tetrads of Spearman 1904). For each pair that is much alike, r_ab is compared with the median of
 * r_ac r_bd / r_cd over sources c, d that are not alike with a or b (all others where fewer than two are left). A fitted
 * posterior cannot be asked instead: where copies outvote the rest, they have become its truth.
 */
export function nearCopies(matrix: VoteMatrix): Copies[] {
  const m = matrix.sources.length
  const r = associations(matrix)
  const parent = Array.from({ length: m }, (_, a) => a)
  const root = (a: number): number => (parent[a] === a ? a : root(parent[a]!))
  const found = new Map<number, { association: number; expected: number }>()
  for (let a = 0; a < m; a++) {
    for (let b = a + 1; b < m; b++) {
      const association = r[a * m + b]!
      if (!(association > ALIKE)) continue
      const expected = expectedAssociation(r, m, a, b)
      if (expected === null || association - expected <= EXCESS) continue
      parent[root(b)] = root(a)
      const known = found.get(a)
      if (!known || known.association < association) found.set(a, { association, expected })
    }
  }
  const groups = Map.groupBy(
    Array.from({ length: m }, (_, a) => a),
    root,
  )
  return [...groups.values()]
    .filter((sources) => sources.length > 1)
    .map((sources) => ({
      sources,
      ...sources.flatMap((s) => found.get(s) ?? []).reduce((x, y) => (y.association > x.association ? y : x)),
    }))
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

/** Median of r_ac r_bd / r_cd, in [-1, 1]; null where no two other sources say anything. */
function expectedAssociation(r: Float64Array, m: number, a: number, b: number): number | null {
  const others = Array.from({ length: m }, (_, c) => c).filter((c) => c !== a && c !== b)
  const outside = others.filter((c) => !(r[a * m + c]! > ALIKE || r[b * m + c]! > ALIKE))
  const witnesses = outside.length >= 2 ? outside : others
  const ratios: number[] = []
  for (const c of witnesses) {
    for (const d of witnesses) {
      const below = r[c * m + d]!
      if (c === d || !(Math.abs(below) > LEAST_ASSOCIATION)) continue
      const ratio = (r[a * m + c]! * r[b * m + d]!) / below
      if (Number.isFinite(ratio)) ratios.push(ratio)
    }
  }
  if (ratios.length === 0) return null
  ratios.sort((x, y) => x - y)
  const middle = ratios.length >> 1
  const median = ratios.length % 2 === 1 ? ratios[middle]! : (ratios[middle - 1]! + ratios[middle]!) / 2
  return Math.min(1, Math.max(-1, median))
}
