import { harmonic, mean } from '../../core/stats/index.ts'
import type { Case, Prediction } from '../cases.ts'
import { allFrom, type Benchmark, fromSums, type Measure, partsOf, shareOf } from './benchmark.ts'

const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100)

/**
 * ProcessBench: accuracy on traces with an error (exact index), on traces without, and their harmonic mean F1; the
 * published average is the mean of the parts' F1 (arXiv 2412.06559).
 *
 * Beside the verdict stands the reading of a scalar reward model: the first step whose risk reaches a threshold, which
 * is chosen on the gsm8k part alone.
 */
export const processbenchRule: Benchmark = {
  name: 'processbench',
  summary: 'accuracy on erroneous and on correct traces, and their harmonic mean',
  home: 'https://huggingface.co/datasets/Qwen/ProcessBench',
  main: ['F1', 'mean F1 of parts'],
  applies: (cases) => allFrom(cases, 'processbench', 'mr-gsm8k'),
  measures(cases, predictions) {
    const threshold = tunedThreshold(cases, predictions)
    const verdict = predictions.map((p) => p?.firstError ?? null)
    const measures = threeMeasures('', cases, verdict)
    return threshold === null
      ? measures
      : [
          ...measures,
          ...threeMeasures(
            ' at threshold',
            cases,
            predictions.map((p) => firstAbove(p, threshold)),
          ),
        ]
  },
  notes(cases, predictions) {
    const threshold = tunedThreshold(cases, predictions)
    return [
      threshold === null
        ? 'no threshold row: there is no gsm8k part to choose the threshold on'
        : `threshold ${threshold.toFixed(2)} on risk, chosen on the gsm8k part alone`,
    ]
  },
}

function threeMeasures(suffix: string, cases: readonly Case[], firstErrors: readonly (number | null)[]): Measure[] {
  const exact = (i: number): boolean => firstErrors[i] === cases[i]!.gold.firstError
  const erroneous = (i: number): boolean => (cases[i]!.gold.firstError ?? -1) >= 0
  const rows = cases.map((_, i) => {
    const hit = exact(i) ? 1 : 0
    return erroneous(i) ? [hit, 1, 0, 0] : [0, 0, hit, 1]
  })
  const parts = [...partsOf(cases).values()]
  return [
    shareOf(`erroneous${suffix}`, cases, erroneous, exact),
    shareOf(`correct${suffix}`, cases, (i) => cases[i]!.gold.firstError === -1, exact),
    fromSums(`F1${suffix}`, cases, cases.length, rows, f1),
    ...(parts.length === 0 ? [] : [meanF1(`mean F1 of parts${suffix}`, cases, rows, parts)]),
  ]
}

/** Of hits and traces, first with an error and then without. */
function f1([hitsWrong, wrong, hitsClean, clean]: Float64Array): number {
  return wrong === 0 || clean === 0 ? Number.NaN : harmonic(hitsWrong! / wrong!, hitsClean! / clean!)
}

/** Each part with four columns of its own. */
function meanF1(
  name: string,
  cases: readonly Case[],
  rows: readonly number[][],
  parts: readonly ReadonlySet<number>[],
): Measure {
  const wide = rows.map((row, i) => parts.flatMap((part) => (part.has(i) ? row : [0, 0, 0, 0])))
  return fromSums(name, cases, cases.length, wide, (sums) =>
    mean(parts.map((_, at) => f1(sums.subarray(at * 4, at * 4 + 4)))),
  )
}

function rate(items: readonly number[], test: (i: number) => boolean): number {
  return items.filter(test).length / items.length
}

function firstAbove(prediction: Prediction | null, threshold: number): number | null {
  return prediction === null ? null : prediction.risk.findIndex((r) => r !== null && r >= threshold)
}

function tunedThreshold(cases: readonly Case[], predictions: readonly (Prediction | null)[]): number | null {
  const part = cases.flatMap((c, i) => (c.trace.problem.domain === 'gsm8k' ? [i] : []))
  const wrong = part.filter((i) => (cases[i]!.gold.firstError ?? -1) >= 0)
  const clean = part.filter((i) => cases[i]!.gold.firstError === -1)
  if (wrong.length === 0 || clean.length === 0) return null
  let best = { threshold: 0.5, f1: -1 }
  for (const threshold of THRESHOLDS) {
    const exact = (i: number): boolean => firstAbove(predictions[i] ?? null, threshold) === cases[i]!.gold.firstError
    const f1 = harmonic(rate(wrong, exact), rate(clean, exact))
    if (f1 > best.f1) best = { threshold, f1 }
  }
  return best.threshold
}
