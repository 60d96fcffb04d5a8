import { matthews } from '../../core/stats/index.ts'
import type { Case, Prediction } from '../cases.ts'
import { allFrom, type Benchmark, fromSums, type Measure, partsOf } from './benchmark.ts'

/** Weights of solution correctness, first wrong step and its reason (arXiv 2312.17080, 2406.13975). */
const WEIGHTS = { correctness: 0.2, step: 0.3, reason: 0.5 } as const

/**
 * MR-GSM8K and MR-Ben: MR-Score = .2 max(0, MCC) + .3 ACC of the step + .5 ACC of the reason.
 *
 * MCC is over all solutions; both accuracies are over the incorrect ones, and a reason can only count where the step is
 * right. Reasons need a grader: without grades they are not scored and the score is the sum of the first two parts.
 */
export const mrScoreRule: Benchmark = {
  name: 'mr-score',
  summary: 'MR-Score: correctness of the solution, first wrong step, and its reason',
  home: 'https://github.com/dvlab-research/MR-GSM8K',
  main: ['MR-Score', 'ACC step'],
  applies: (cases) => allFrom(cases, 'mr-gsm8k', 'mr-ben'),
  measures(cases, predictions) {
    const rows = cases.map((c, i) => counts(c, predictions[i] ?? null))
    const measure = (name: string, figure: (sums: Float64Array) => number): Measure =>
      fromSums(name, cases, cases.length, rows, figure)
    const incorrect = rows.reduce((a, row) => a + row[1]! + row[2]!, 0)
    const share = (column: number, name: string): Measure => ({
      ...measure(name, (sums) => sums[column]! / (sums[1]! + sums[2]!)),
      n: incorrect,
    })
    return [
      measure('MR-Score', mrScore),
      measure('MCC', mcc),
      share(4, 'ACC step'),
      share(5, 'ACC reason'),
      ...[...partsOf(cases)].map(([part, members]) => {
        const items = [...members]
        const own = items.map((i) => cases[i]!)
        const columns = items.map((i) => rows[i]!)
        return fromSums(`MR-Score ${part}`, own, items.length, columns, mrScore)
      }),
    ]
  },
  notes(cases, predictions) {
    const graded = predictions.filter((p) => p?.reasonRight !== undefined).length
    const oneSided = cases.every((c) => (c.gold.firstError ?? -1) >= 0)
    return [
      graded === 0
        ? 'reasons were not scored, since nobody graded them: MR-Score is .2 max(0, MCC) + .3 ACC step, at most .5'
        : `reasons scored by the grades in the file, of ${graded} solutions; those without a grade count as wrong`,
      ...(oneSided ? ['all solutions are incorrect: MCC, and MR-Score with it, is not defined'] : []),
    ]
  },
}

/** Solutions that are correct and called so (tp), incorrect ones (tn, fp), correct ones missed (fn), steps, reasons. */
function counts(c: Case, prediction: Prediction | null): number[] {
  const gold = c.gold.firstError
  if (gold === null) return [0, 0, 0, 0, 0, 0]
  const said = prediction?.firstError ?? null
  // Silence is the wrong answer, whatever the truth.
  if (gold === -1) return said === -1 ? [1, 0, 0, 0, 0, 0] : [0, 0, 0, 1, 0, 0]
  const step = Number(said === gold)
  const reason = Number(step === 1 && prediction?.reasonRight === true)
  return said !== null && said >= 0 ? [0, 1, 0, 0, step, reason] : [0, 0, 1, 0, 0, 0]
}

function mcc([tp, tn, fp, fn]: Float64Array): number {
  return matthews({ tp: tp!, tn: tn!, fp: fp!, fn: fn! })
}

/** An ungraded reason adds nothing, which is the partial sum. */
function mrScore(sums: Float64Array): number {
  const incorrect = sums[1]! + sums[2]!
  return (
    WEIGHTS.correctness * Math.max(0, mcc(sums)) +
    (WEIGHTS.step * sums[4]!) / incorrect +
    (WEIGHTS.reason * sums[5]!) / incorrect
  )
}
