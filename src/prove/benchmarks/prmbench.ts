import { mean } from '../../core/stats/index.ts'
import type { Case, Prediction } from '../cases.ts'
import { allFrom, type Benchmark, fromSums, type Measure } from './benchmark.ts'

/** The paper's three groups, with the categories as the files spell them. */
const GROUPS = {
  simplicity: ['redundency', 'circular'],
  soundness: ['counterfactual', 'step_contradiction', 'domain_inconsistency', 'confidence'],
  sensitivity: ['missing_condition', 'deception', 'multi_solutions'],
} as const

/** Only right steps: there is no F1 of wrong ones, and the published score is the F1 of right steps alone. */
const RIGHT_ONLY = 'multi_solutions'

/** A step is said to be wrong from this risk on; the published scripts let each model choose its own. */
const THRESHOLD = 0.5

/**
 * PRMBench: PRMScore = .5 F1 + .5 F1 of wrong steps, pooled over the steps of a category and over all; a group is the
 * mean of its categories (arXiv 2501.03124).
 *
 * F1 takes right steps as positive. "Cannot say" is a miss on either side.
 */
export const prmbenchRule: Benchmark = {
  name: 'prmbench',
  summary: 'PRMScore: mean F1 of right and of wrong steps, by kind of error',
  home: 'https://github.com/ssmisya/PRMBench',
  main: ['PRMScore'],
  applies: (cases) => allFrom(cases, 'prmbench'),
  measures(cases, predictions) {
    const rows = cases.map((c, i) => stepCounts(c, predictions[i] ?? null))
    const present = new Set(cases.map(categoryOf))
    const complete = Object.entries(GROUPS).filter(([, members]) => members.every((m) => present.has(m)))
    const categories = Object.values(GROUPS)
      .flat()
      .filter((c) => present.has(c))
    return [
      pooled('PRMScore', cases, rows, prmScore),
      pooled('F1 of right steps', cases, rows, f1Right),
      pooled('F1 of wrong steps', cases, rows, f1Wrong),
      ...complete.map(([group, members]) => groupMeasure(group, members, cases, rows)),
      ...categories.map((category) => {
        const items = cases.flatMap((c, i) => (categoryOf(c) === category ? [i] : []))
        const [own, counts] = [items.map((i) => cases[i]!), items.map((i) => rows[i]!)]
        return pooled(category, own, counts, scoreOf(category))
      }),
    ]
  },
  notes: () => [
    `a step counts as wrong at risk ${THRESHOLD} or more; ${RIGHT_ONLY} has right steps alone and is scored by their F1`,
    'every solution is scored; the published script keeps the first of each problem and category',
  ],
}

/** Right steps called right and called wrong, wrong steps called right and called wrong. */
type Counts = Float64Array

function stepCounts(c: Case, prediction: Prediction | null): number[] {
  const counts = [0, 0, 0, 0]
  c.gold.classes.forEach((gold, step) => {
    if (gold === undefined) return
    const right = gold === 'right'
    const risk = prediction?.risk[step] ?? null
    // Silence is the wrong answer, whatever the truth.
    const calledRight = risk === null ? !right : risk < THRESHOLD
    counts[(right ? 0 : 2) + (calledRight ? 0 : 1)]!++
  })
  return counts
}

function f1Right([tp, fn, fp]: Counts): number {
  return (2 * tp!) / (2 * tp! + fn! + fp!)
}

function f1Wrong([, fn, fp, tn]: Counts): number {
  return (2 * tn!) / (2 * tn! + fn! + fp!)
}

function prmScore(counts: Counts): number {
  return 0.5 * f1Right(counts) + 0.5 * f1Wrong(counts)
}

function scoreOf(category: string): (counts: Counts) => number {
  return category === RIGHT_ONLY ? f1Right : prmScore
}

function categoryOf(c: Case): string {
  return c.trace.problem.domain ?? ''
}

function pooled(
  name: string,
  cases: readonly Case[],
  rows: readonly number[][],
  figure: (counts: Counts) => number,
): Measure {
  const steps = rows.flat().reduce((a, b) => a + b, 0)
  return fromSums(name, cases, steps, rows, figure)
}

/** Mean of the categories' scores, each category with four columns of its own. */
function groupMeasure(
  group: string,
  members: readonly string[],
  cases: readonly Case[],
  rows: readonly number[][],
): Measure {
  const items = cases.flatMap((c, i) => (members.includes(categoryOf(c)) ? [i] : []))
  const wide = items.map((i) => members.flatMap((m) => (m === categoryOf(cases[i]!) ? rows[i]! : [0, 0, 0, 0])))
  const own = items.map((i) => cases[i]!)
  return pooled(group, own, wide, (sums) => mean(members.map((m, at) => scoreOf(m)(sums.subarray(at * 4, at * 4 + 4)))))
}
