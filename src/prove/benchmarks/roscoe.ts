import { type Association, rankAssociation } from '../../core/stats/index.ts'
import type { Case, Prediction, Rating } from '../cases.ts'
import { allFrom, type Benchmark, countsOf, type Measure } from './benchmark.ts'

/** "Cannot say" stands in the middle: neither risky nor safe. */
const UNSURE = 0.5

const COEFFICIENTS = { somersD: "Somers' D", kendallTauB: 'tau-b', spearman: 'Spearman' } as const

/**
 * ROSCOE: does the predictor's risk rise with the flaws that people saw? Somers' D with people's rating as independent
 * variable, as published (arXiv 2212.07919), Kendall's tau-b and Spearman beside it.
 *
 * Steps: the risk of the judged step against each yes/no aspect. Whole responses: the highest and the mean risk of the
 * steps. Grades are good when high, so they are compared with 1 - risk: a good predictor is positive everywhere.
 */
export const roscoeRule: Benchmark = {
  name: 'roscoe',
  summary: "rank correlation of risk with people's ratings, by aspect",
  home: 'https://github.com/facebookresearch/ParlAI/tree/main/projects/roscoe',
  main: ["wrong step: Somers' D", "Overall Quality, highest risk: Somers' D"],
  applies: (cases) => allFrom(cases, 'roscoe'),
  measures(cases, predictions) {
    const steps = [...labelledSteps(cases), ...ratings(cases, (r) => r.step !== null)]
    const wholes = ratings(cases, (r) => r.step === null).filter(([aspect]) => !steps.some(([name]) => name === aspect))
    const stepRisk = (i: number, rated: Rating): number => predictions[i]?.risk[rated.step!] ?? UNSURE
    return [
      ...steps.flatMap(([aspect, rated]) => associations(aspect, cases, rated, stepRisk)),
      ...wholes.flatMap(([aspect, rated]) => [
        ...associations(`${aspect}, highest risk`, cases, rated, (i) => wholeRisk(predictions[i], highest)),
        ...associations(`${aspect}, mean risk`, cases, rated, (i) => wholeRisk(predictions[i], average)),
      ]),
    ]
  },
  notes: () => [
    `"cannot say" enters as risk ${UNSURE}; "wrong step" is any factual or logical aspect; one person rated each item`,
  ],
}

type Rated = [index: number, rating: Rating][]

/** The label that the aspects make, as one more aspect. */
function labelledSteps(cases: readonly Case[]): [string, Rated][] {
  const rated = cases.flatMap(
    (c, i): Rated =>
      c.gold.classes.flatMap(
        (name, step): Rated =>
          name === undefined
            ? []
            : [[i, { aspect: 'wrong step', step, value: Number(name === 'wrong'), graded: false }]],
      ),
  )
  return rated.length === 0 ? [] : [['wrong step', rated]]
}

function ratings(cases: readonly Case[], among: (r: Rating) => boolean): [string, Rated][] {
  const all = cases.flatMap((c, i) => c.gold.ratings.filter(among).map((r): Rated[number] => [i, r]))
  return [...Map.groupBy(all, ([, r]) => r.aspect)]
}

function associations(
  aspect: string,
  cases: readonly Case[],
  rated: Rated,
  riskOf: (i: number, rating: Rating) => number,
): Measure[] {
  const risk = rated.map(([i, r]) => (r.graded ? 1 - riskOf(i, r) : riskOf(i, r)))
  const association = rankAssociation(
    rated.map(([, r]) => r.value),
    risk,
  )
  const own = rated.map(([i]) => cases[i]!)
  return (Object.keys(COEFFICIENTS) as (keyof Association)[]).map((coefficient) => ({
    name: `${aspect}: ${COEFFICIENTS[coefficient]}`,
    cases: own,
    n: own.length,
    statistic: (picked) => association(countsOf(picked, own.length))[coefficient],
  }))
}

function wholeRisk(prediction: Prediction | null | undefined, of: (risks: readonly number[]) => number): number {
  const risks = prediction?.risk.map((r) => r ?? UNSURE) ?? []
  return risks.length === 0 ? UNSURE : of(risks)
}

function highest(risks: readonly number[]): number {
  return risks.reduce((a, b) => Math.max(a, b), 0)
}

function average(risks: readonly number[]): number {
  return risks.reduce((a, b) => a + b, 0) / risks.length
}
