import { describe, expect, it } from 'vitest'
import { labelledTrace, verdictOf } from '../testing/eval.ts'
import { agreements, GOLD } from './agreement.ts'
import { BENCHMARKS } from './benchmarks/index.ts'
import { calibrations } from './calibration.ts'
import { casesOf, type Predictor, predictorOf, trivialPredictors } from './cases.ts'
import { evaluate } from './evaluate.ts'

/** 40 traces of three steps; every second one has its last step wrong. */
const gold = Array.from({ length: 40 }, (_, i) => labelledTrace(`t${i}`, 'any', i % 2 === 0 ? [1, 1, 1] : [1, 1, -1]))
const cases = casesOf(gold, 'gold')
const saying = (name: string, risk: (i: number) => (number | null)[]): Predictor =>
  predictorOf(
    name,
    gold.map((t, i) => ({ ...t, verdict: verdictOf(risk(i)) })),
    cases,
  )
const oracle = saying('oracle', (i) => [0.1, 0.1, i % 2 === 0 ? 0.1 : 0.9])
const half = saying('half', (i) => [0.1, 0.1, i % 4 === 1 ? 0.9 : 0.1])
const silent = saying('silent', () => [null, null, null])

describe('evaluate', () => {
  it('compares the first predictor with each other one on the main figures, paired', () => {
    const [table] = evaluate(cases, [oracle, half, oracle, ...trivialPredictors(cases)])
    const exact = table!.differences.filter((d) => d.figure === 'exact first error')
    expect(exact.map((d) => [d.first, d.other])).toEqual([
      ['oracle', 'half'],
      ['oracle', 'oracle'],
    ])
    expect(exact[0]!.estimate.value).toBeCloseTo(10 / 40, 12)
    expect(exact[0]!.estimate.low).toBeGreaterThan(0)
    expect(exact[1]!.estimate).toEqual({ value: 0, low: 0, high: 0 })
    expect(table!.differences.map((d) => d.figure)).toContain('step macro-F1')
  })

  it('gives a predictor the same interval alone and among others, and trivial rows none', () => {
    const [alone] = evaluate(cases, [half])
    const [among] = evaluate(cases, [oracle, half, ...trivialPredictors(cases)])
    expect(among!.rows[1]).toEqual(alone!.rows[0])
    expect(among!.rows.at(-1)!.figures[0]!.estimate.low).toBeNaN()
    expect(evaluate(cases, [oracle]).flatMap((t) => t.differences)).toEqual([])
  })

  it('every rule measures the same names and cases, whatever the predictor says', () => {
    for (const rule of BENCHMARKS) {
      const [a, b] = [oracle, silent].map((p) => rule.measures(cases, p.predictions))
      expect(a!.map((m) => m.name)).toEqual(b!.map((m) => m.name))
      expect(a!.map((m) => m.cases)).toEqual(b!.map((m) => m.cases))
    }
  })

  it('says whose traces are missing', () => {
    const few = predictorOf('few', gold.slice(0, 30), cases)
    const [table] = evaluate(cases, [oracle, few])
    expect(table!.notes.filter((n) => n.includes('few'))).toEqual([
      'few: 10 of 40 traces are not in the file and count as wrong',
    ])
  })

  it('counts silence as wrong, with coverage beside it', () => {
    const [table] = evaluate(cases, [silent])
    const value = (name: string): number | undefined =>
      table!.rows[0]!.figures.find((f) => f.name === name)?.estimate.value
    expect([value('step accuracy'), value('coverage'), value('selective accuracy')]).toEqual([0, 0, Number.NaN])
  })
})

describe('agreement', () => {
  it('pairs that both answered; alpha without the gold labels', () => {
    const partly = saying('partly', (i) => (i < 20 ? [0.1, 0.1, i % 2 === 0 ? 0.1 : 0.9] : [null, null, null]))
    const [steps, traces] = agreements(cases, [oracle, partly, ...trivialPredictors(cases)])
    expect(steps!.raters).toEqual(['oracle', 'partly', GOLD])
    expect(steps!.pairs.map((p) => [p.a, p.b, p.n, p.kappa])).toEqual([
      ['oracle', 'partly', 60, 1],
      ['oracle', GOLD, 120, 1],
      ['partly', GOLD, 60, 1],
    ])
    expect(steps!.alpha).toBe(1)
    expect(traces!.items).toBe(40)
  })

  it("hand-computed: 'half' misses ten of twenty wrong traces", () => {
    const [, traces] = agreements(cases, [half])
    // same 30 of 40; expected .75 * .5 + .25 * .5 = .5
    expect(traces!.pairs[0]).toMatchObject({ n: 40, same: 0.75 })
    expect(traces!.pairs[0]!.kappa).toBeCloseTo((0.75 - 0.5) / (1 - 0.5), 12)
    expect(traces!.alpha).toBeNaN()
  })
})

describe('calibration', () => {
  it('is measured on the probability of the chosen class, not on the risk', () => {
    const [known] = calibrations(cases, [oracle, ...trivialPredictors(cases)])
    // always right, always saying .9: a scalar risk of .1 read as confidence would give an error of .9 or more
    expect(known!.ece).toBeCloseTo(0.1, 12)
    expect(known!.decided).toBe(120)
    expect(known!.bins.length).toBe(10)
    expect(known!.bins.every((b) => b.n === 12 && b.observed === 1)).toBe(true)
    expect(known!.riskCoverage.at(-1)).toEqual({ coverage: 1, risk: 0 })
  })

  it('says nothing of a predictor that decides nothing', () => {
    expect(calibrations(cases, [silent])).toEqual([])
  })
})
