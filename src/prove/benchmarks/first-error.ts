import type { Case, Prediction } from '../cases.ts'
import { type Benchmark, type Measure, shareOf } from './benchmark.ts'
import { stepMeasures, stepTable } from './steps.ts'

/** First-error and step metrics for any set with gold labels. */
export const firstErrorRule: Benchmark = {
  name: 'first-error',
  summary: 'exact and within-one first error, false alarms, step metrics, calibration',
  home: '',
  main: ['exact first error', 'step macro-F1'],
  applies: (cases) => cases.some((c) => c.gold.firstError !== null || c.gold.classes.some((k) => k !== undefined)),
  measures: (cases, predictions) => [
    ...firstErrorMeasures(cases, predictions),
    ...stepMeasures(stepTable(cases, predictions)),
  ],
  notes: () => ['"cannot say" counts as wrong in accuracies and F1; selective accuracy is over decided steps only'],
}

export function firstErrorMeasures(cases: readonly Case[], predictions: readonly (Prediction | null)[]): Measure[] {
  const gold = (i: number): number | null => cases[i]!.gold.firstError
  const said = (i: number): number | null => predictions[i]?.firstError ?? null
  const known = (i: number): boolean => gold(i) !== null
  const erroneous = (i: number): boolean => (gold(i) ?? -1) >= 0
  const clean = (i: number): boolean => gold(i) === -1
  return [
    shareOf('exact first error', cases, known, (i) => said(i) === gold(i)),
    shareOf('exact, erroneous', cases, erroneous, (i) => said(i) === gold(i)),
    shareOf('within one, erroneous', cases, erroneous, (i) => {
      const s = said(i)
      return s !== null && s >= 0 && Math.abs(s - gold(i)!) <= 1
    }),
    shareOf('false alarms, clean', cases, clean, (i) => (said(i) ?? -1) >= 0),
    shareOf('answered', cases, known, (i) => said(i) !== null),
  ]
}
