import { type DistinctRows, distinctRows } from './distinct-rows.ts'
import type { Dependence, Fitted, SourceReport } from './label-model.ts'
import type { VoteMatrix } from './votes.ts'

/**
 * A posterior (items x classes) with everything that follows from it.
 * @param rows the distinct rows of the matrix, where they are known already
 */
export function fittedFrom(
  matrix: VoteMatrix,
  posterior: Float64Array,
  notes: string[],
  rows: DistinctRows = distinctRows(matrix),
): Fitted {
  const grouped = groupPosterior(matrix, posterior, rows)
  return {
    classes: matrix.classes,
    posterior,
    statedAccuracy: meanTop(posterior, matrix.classes.length),
    sources: reportsOf(matrix, grouped),
    dependence: dependenceIn(matrix, grouped),
    notes,
  }
}

/** Mean of the largest probability of each row; 1 / K where there are no rows. */
function meanTop(posterior: Float64Array, classes: number): number {
  let sum = 0
  for (let row = 0; row < posterior.length; row += classes) {
    let top = 0
    for (let k = 0; k < classes; k++) top = Math.max(top, posterior[row + k]!)
    sum += top
  }
  return posterior.length === 0 ? 1 / classes : (sum * classes) / posterior.length
}

/** Expected accuracy, coverage and confusion of each source under a posterior (items x classes). */
export function sourceReports(matrix: VoteMatrix, posterior: Float64Array): SourceReport[] {
  return reportsOf(matrix, groupPosterior(matrix, posterior, distinctRows(matrix)))
}

function reportsOf(matrix: VoteMatrix, { rows, votes, count, mass }: Grouped): SourceReport[] {
  const m = matrix.sources.length
  const classes = matrix.classes.length
  const joint = new Float64Array(m * classes * classes)
  const voted = new Float64Array(m)
  for (let r = 0; r < rows; r++) {
    for (let s = 0; s < m; s++) {
      const vote = votes[r * m + s]!
      if (vote < 0) continue
      voted[s] = voted[s]! + count[r]!
      for (let k = 0; k < classes; k++) {
        const cell = (s * classes + k) * classes + vote
        joint[cell] = joint[cell]! + mass[r * classes + k]!
      }
    }
  }
  return matrix.sources.map((name, s) => {
    const rows = Array.from({ length: classes }, (_, k) =>
      Array.from({ length: classes }, (_, l) => joint[(s * classes + k) * classes + l]!),
    )
    const right = rows.reduce((sum, row, k) => sum + row[k]!, 0)
    return {
      name,
      accuracy: voted[s] === 0 ? null : right / voted[s]!,
      coverage: matrix.items === 0 ? 0 : voted[s]! / matrix.items,
      confusion: rows.map((row) => {
        const total = row.reduce((a, b) => a + b, 0)
        return row.map((n) => (total === 0 ? 1 / classes : n / total))
      }),
    }
  })
}

/**
 * Correlation of the votes of each pair of sources given the class.
 *
 * With a = the one-hot vote of one source, b = that of the other, over items on which both vote and class k weighted by
 * its posterior: sum_k w_k sum_l cov(a_l, b_l | k) / sqrt(sum_k w_k sum_l var(a_l | k) * sum_k w_k sum_l var(b_l | k)).
 * 0 for conditionally independent sources, 1 for copies.
 */
export function dependenceOf(matrix: VoteMatrix, posterior: Float64Array): Dependence[] {
  return dependenceIn(matrix, groupPosterior(matrix, posterior, distinctRows(matrix)))
}

function dependenceIn(matrix: VoteMatrix, { rows, votes, mass }: Grouped): Dependence[] {
  const m = matrix.sources.length
  const classes = matrix.classes.length
  const out: Dependence[] = []
  const joint = new Float64Array(classes * classes * classes)
  for (let a = 0; a < m; a++) {
    for (let b = a + 1; b < m; b++) {
      joint.fill(0)
      for (let r = 0; r < rows; r++) {
        const va = votes[r * m + a]!
        const vb = votes[r * m + b]!
        if (va < 0 || vb < 0) continue
        for (let k = 0; k < classes; k++) {
          const cell = (k * classes + va) * classes + vb
          joint[cell] = joint[cell]! + mass[r * classes + k]!
        }
      }
      const correlation = withinClassCorrelation(joint, classes)
      if (correlation !== null) out.push({ a: matrix.sources[a]!, b: matrix.sources[b]!, correlation })
    }
  }
  return out.sort((x, y) => y.correlation - x.correlation)
}

/** Distinct rows with the posterior mass (rows x classes) of the items that have them. */
type Grouped = Pick<DistinctRows, 'rows' | 'votes' | 'count'> & { mass: Float64Array }

function groupPosterior(
  matrix: VoteMatrix,
  posterior: Float64Array,
  { rows, votes, count, rowOf }: DistinctRows,
): Grouped {
  const classes = matrix.classes.length
  const mass = new Float64Array(rows * classes)
  for (let i = 0; i < matrix.items; i++) {
    const to = rowOf[i]! * classes
    for (let k = 0; k < classes; k++) mass[to + k] = mass[to + k]! + posterior[i * classes + k]!
  }
  return { rows, votes, count, mass }
}

/** `joint[k][l][l']` = mass of class k with votes l and l'; null where the two never vote together or never vary. */
function withinClassCorrelation(joint: Float64Array, classes: number): number | null {
  let cov = 0
  let varA = 0
  let varB = 0
  for (let k = 0; k < classes; k++) {
    const pa = new Float64Array(classes)
    const pb = new Float64Array(classes)
    let total = 0
    for (let l = 0; l < classes; l++) {
      for (let r = 0; r < classes; r++) {
        const mass = joint[(k * classes + l) * classes + r]!
        pa[l] = pa[l]! + mass
        pb[r] = pb[r]! + mass
        total += mass
      }
    }
    if (total <= 0) continue
    for (let l = 0; l < classes; l++) {
      cov += joint[(k * classes + l) * classes + l]! - (pa[l]! * pb[l]!) / total
      varA += pa[l]! * (1 - pa[l]! / total)
      varB += pb[l]! * (1 - pb[l]! / total)
    }
  }
  // Below: rounding of a source that never varies within a class.
  return varA > 1e-9 && varB > 1e-9 ? cov / Math.sqrt(varA * varB) : null
}
