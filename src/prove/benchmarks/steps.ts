import {
  accuracy,
  auroc,
  brier,
  confusion,
  expectedCalibrationError,
  macroF1,
  riskCoverage,
} from '../../core/stats/index.ts'
import { type Case, type Prediction, STEP_CLASSES } from '../cases.ts'
import type { Measure } from './benchmark.ts'

/** All labelled steps of the cases, flattened; `of[i]` is the case of step i. */
export interface StepTable {
  cases: readonly Case[]
  of: number[]
  /** Class index of the gold label. */
  gold: number[]
  /** Class index predicted (argmax), -1 = cannot say. */
  predicted: number[]
  /** Probability of the predicted class; 0 where it cannot say. */
  confidence: number[]
  /** P(wrong), NaN = cannot say. */
  risk: number[]
}

export function stepTable(cases: readonly Case[], predictions: readonly (Prediction | null)[]): StepTable {
  const table: StepTable = { cases, of: [], gold: [], predicted: [], confidence: [], risk: [] }
  cases.forEach((c, i) => {
    c.gold.classes.forEach((name, step) => {
      if (name === undefined) return
      const classes = predictions[i]?.classes[step] ?? null
      const top = classes === null ? -1 : classes.indexOf(Math.max(...classes))
      table.of.push(i)
      table.gold.push(STEP_CLASSES.indexOf(name))
      table.predicted.push(top)
      table.confidence.push(classes?.[top] ?? 0)
      table.risk.push(predictions[i]?.risk[step] ?? Number.NaN)
    })
  })
  return table
}

/** Step metrics that hold for any set with step labels. */
export function stepMeasures(table: StepTable): Measure[] {
  const stepsOf = new Map<number, number[]>()
  table.of.forEach((c, s) => {
    const known = stepsOf.get(c)
    if (known) known.push(s)
    else stepsOf.set(c, [s])
  })
  const labelled = [...stepsOf.keys()]
  const cases = labelled.map((c) => table.cases[c]!)
  const measure = (name: string, statistic: (steps: readonly number[]) => number): Measure => ({
    name,
    cases,
    n: table.of.length,
    statistic: (picked) => statistic(picked.flatMap((p) => stepsOf.get(labelled[p]!)!)),
  })
  const decided = (steps: readonly number[]): number[] => steps.filter((s) => table.predicted[s]! >= 0)
  const right = (s: number): boolean => table.predicted[s] === table.gold[s]
  const pick = <T>(values: readonly T[], steps: readonly number[]): T[] => steps.map((s) => values[s]!)
  const withRisk = (steps: readonly number[]): number[] =>
    steps.filter((s) => !Number.isNaN(table.risk[s]!) && table.gold[s] !== 1)
  const wrong = (s: number): boolean => table.gold[s] === 0
  return [
    measure('step accuracy', (s) => accuracy(confusion(STEP_CLASSES, table.gold, table.predicted, s))),
    measure('step macro-F1', (s) => macroF1(confusion(STEP_CLASSES, table.gold, table.predicted, s))),
    measure('coverage', (s) => decided(s).length / s.length),
    measure('selective accuracy', (s) => share(decided(s), right)),
    measure('AUROC of risk', (s) => auroc(pick(table.risk, withRisk(s)), withRisk(s).map(wrong))),
    measure('Brier', (s) => brier(pick(table.risk, withRisk(s)), withRisk(s).map(wrong))),
    measure('ECE', (s) => expectedCalibrationError(pick(table.confidence, decided(s)), decided(s).map(right))),
    measure('area under risk-coverage', (s) => {
      const curve = riskCoverage(pick(table.confidence, s), s.map(right))
      return curve.reduce((a, p) => a + p.risk, 0) / curve.length
    }),
  ]
}

function share(items: readonly number[], test: (i: number) => boolean): number {
  return items.length === 0 ? Number.NaN : items.filter(test).length / items.length
}
