import { z } from 'zod'
import { type DistinctRows, distinctRows, spread } from './distinct-rows.ts'
import { checkGold, type LabelModel } from './label-model.ts'
import { voteFractions } from './majority.ts'
import { fittedFrom } from './source-report.ts'
import { onePolarityNote, type VoteMatrix, voteShares } from './votes.ts'

const options = z.object({
  iterations: z.number().int().min(1).default(200).describe('most rounds of expectation and maximisation'),
  tolerance: z.number().min(0).default(1e-6).describe('stop when no posterior moves by more; 0 = do all rounds'),
  smoothing: z.number().min(0).default(0.01).describe('pseudo-votes in each cell of a confusion matrix'),
})

/** Parameters of the model: P(class) and P(vote | class) of each source. */
export interface DawidSkeneParameters {
  /** Classes. */
  prior: Float64Array
  /** `confusion[(source * K + vote) * K + class]`. */
  confusion: Float64Array
}

/**
 * Maximum likelihood of per-source confusion matrices by expectation-maximisation, from the vote shares.
 *
 * M: pi_k = mean_i P_ik, theta_j[k][l] = (sum_i P_ik [L_ij = l] + smoothing) / row sum; E: P_ik ~ pi_k prod_j
 * theta_j[k][L_ij] over the sources that vote. Gold labels, where given, hold their items fixed. Equal rows are
 * computed once (`distinct-rows.ts`), which changes nothing but the time.
 *
 * @see Dawid and Skene, Maximum likelihood estimation of observer error-rates using the EM algorithm, 1979
 */
export const dawidSkene: LabelModel<z.output<typeof options>> = {
  name: 'dawid-skene',
  summary: 'a confusion matrix for each source, by expectation-maximisation',
  paper: 'autows-bench',
  gold: 'used',
  options,
  fit(votes, given, gold) {
    const { iterations, tolerance, smoothing } = options.parse(given ?? {})
    if (gold) checkGold(votes, gold)
    const polarity = onePolarityNote(votes)
    const rows = distinctRows(votes, gold)
    const rowPosterior = emOverRows(votes, rows, iterations, tolerance, smoothing)
    const posterior = spread(rowPosterior, rows.rowOf, votes.classes.length)
    return fittedFrom(votes, posterior, polarity ? [polarity.note] : [], rows)
  },
}

function emOverRows(
  matrix: VoteMatrix,
  rows: DistinctRows,
  iterations: number,
  tolerance: number,
  smoothing: number,
): Float64Array {
  const m = matrix.sources.length
  const classes = matrix.classes.length
  const posterior = startingPosterior(matrix, rows)
  for (let round = 0; round < iterations; round++) {
    const parameters = maximise(rows, posterior, m, classes, smoothing)
    const moved = expect(rows, parameters, posterior, m, classes)
    if (moved <= tolerance && tolerance > 0) break
  }
  return posterior
}

/** Vote shares of each distinct row, gold rows one-hot. */
function startingPosterior(matrix: VoteMatrix, rows: DistinctRows): Float64Array {
  const classes = matrix.classes.length
  const m = matrix.sources.length
  const grouped = { ...matrix, items: rows.rows, votes: rows.votes }
  const posterior = voteFractions(grouped, new Float64Array(m).fill(1), voteShares(matrix))
  rows.gold.forEach((g, r) => {
    if (g < 0) return
    posterior.fill(0, r * classes, (r + 1) * classes)
    posterior[r * classes + g] = 1
  })
  return posterior
}

/** M step. @param posterior distinct rows x classes */
export function maximise(
  rows: DistinctRows,
  posterior: Float64Array,
  m: number,
  classes: number,
  smoothing: number,
): DawidSkeneParameters {
  const prior = new Float64Array(classes)
  const confusion = new Float64Array(m * classes * classes).fill(smoothing)
  let total = 0
  for (let r = 0; r < rows.rows; r++) {
    const weight = rows.count[r]!
    total += weight
    for (let k = 0; k < classes; k++) {
      const mass = weight * posterior[r * classes + k]!
      prior[k] = prior[k]! + mass
      for (let s = 0; s < m; s++) {
        const vote = rows.votes[r * m + s]!
        if (vote < 0) continue
        const cell = (s * classes + vote) * classes + k
        confusion[cell] = confusion[cell]! + mass
      }
    }
  }
  for (let k = 0; k < classes; k++) prior[k] = total === 0 ? 1 / classes : prior[k]! / total
  for (let s = 0; s < m; s++) {
    for (let k = 0; k < classes; k++) {
      let sum = 0
      for (let l = 0; l < classes; l++) sum += confusion[(s * classes + l) * classes + k]!
      for (let l = 0; l < classes; l++) {
        const cell = (s * classes + l) * classes + k
        confusion[cell] = sum > 0 ? confusion[cell]! / sum : 1 / classes
      }
    }
  }
  return { prior, confusion }
}

/** E step in log space, in place; returns the largest change of a posterior. */
function expect(
  rows: DistinctRows,
  { prior, confusion }: DawidSkeneParameters,
  posterior: Float64Array,
  m: number,
  classes: number,
): number {
  // A class that nobody holds, or a vote that never happens: so improbable that any other explanation wins.
  const logPrior = prior.map((p) => Math.log(Math.max(p, 1e-300)))
  const logConfusion = confusion.map((p) => Math.log(Math.max(p, 1e-300)))
  const score = new Float64Array(classes)
  let moved = 0
  for (let r = 0; r < rows.rows; r++) {
    if (rows.gold[r]! >= 0) continue
    score.set(logPrior)
    for (let s = 0; s < m; s++) {
      const vote = rows.votes[r * m + s]!
      if (vote < 0) continue
      const cell = (s * classes + vote) * classes
      for (let k = 0; k < classes; k++) score[k] = score[k]! + logConfusion[cell + k]!
    }
    let max = score[0]!
    for (let k = 1; k < classes; k++) if (score[k]! > max) max = score[k]!
    let sum = 0
    for (let k = 0; k < classes; k++) {
      score[k] = Math.exp(score[k]! - max)
      sum += score[k]!
    }
    for (let k = 0; k < classes; k++) {
      const p = score[k]! / sum
      const change = Math.abs(p - posterior[r * classes + k]!)
      if (change > moved) moved = change
      posterior[r * classes + k] = p
    }
  }
  return moved
}
