import { macroF1, type Ranked, ranked } from '../../core/stats/index.ts'
import { type Case, type Prediction, STEP_CLASSES } from '../cases.ts'
import { countsOf, fromSums, type Measure } from './benchmark.ts'

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
  const labelled = [...new Set(table.of)]
  const unitOf = new Map(labelled.map((c, unit) => [c, unit]))
  const cases = labelled.map((c) => table.cases[c]!)
  const steps = table.of.map((_, s) => s)
  const right = (s: number): boolean => table.predicted[s] === table.gold[s]
  const decided = steps.filter((s) => table.predicted[s]! >= 0)
  // A neutral step is neither wrong nor right, so P(wrong) is not measured on it.
  const withRisk = steps.filter(
    (s) => !Number.isNaN(table.risk[s]!) && table.gold[s] !== STEP_CLASSES.indexOf('neutral'),
  )
  const wrong = (s: number): boolean => table.gold[s] === STEP_CLASSES.indexOf('wrong')

  const columns = STEP_CLASSES.length + 1
  const cells = labelled.map(() => new Array<number>(STEP_CLASSES.length * columns).fill(0))
  for (const s of steps) {
    const column = table.predicted[s]! < 0 ? STEP_CLASSES.length : table.predicted[s]!
    cells[unitOf.get(table.of[s]!)!]![table.gold[s]! * columns + column]!++
  }
  const squares = labelled.map(() => [0, 0])
  for (const s of withRisk) {
    const row = squares[unitOf.get(table.of[s]!)!]!
    row[0]! += (table.risk[s]! - Number(wrong(s))) ** 2
    row[1]!++
  }
  // Two columns for a ratio: the whole table is summed only where the figure needs it.
  const ratio = (name: string, part: (row: number[]) => number, whole: (row: number[]) => number): Measure =>
    fromSums(
      name,
      cases,
      steps.length,
      cells.map((row) => [part(row), whole(row)]),
      ([a, b]) => a! / b!,
    )
  const total = (row: number[]): number => row.reduce((a, b) => a + b, 0)
  const hits = (row: number[]): number => STEP_CLASSES.reduce((a, _, c) => a + row[c * columns + c]!, 0)
  const said = (row: number[]): number => row.reduce((a, b, at) => (at % columns < STEP_CLASSES.length ? a + b : a), 0)
  const inOrder = (
    name: string,
    items: readonly number[],
    of: 'risk' | 'confidence',
    figure: keyof Ranked,
  ): Measure => {
    const prepared = ranked(
      items.map((s) => table[of][s]!),
      items.map(of === 'risk' ? wrong : right),
      items.map((s) => unitOf.get(table.of[s]!)!),
    )
    return {
      name,
      cases,
      n: items.length,
      statistic: (picked) => prepared[figure](countsOf(picked, cases.length)),
    }
  }
  return [
    ratio('step accuracy', hits, total),
    fromSums('step macro-F1', cases, steps.length, cells, (flat) =>
      macroF1({
        classes: STEP_CLASSES,
        counts: STEP_CLASSES.map((_, g) => [...flat.subarray(g * columns, (g + 1) * columns)]),
      }),
    ),
    ratio('coverage', said, total),
    ratio('selective accuracy', hits, said),
    inOrder('AUROC of risk', withRisk, 'risk', 'auroc'),
    fromSums('Brier', cases, withRisk.length, squares, ([square, n]) => square! / n!),
    inOrder('ECE', decided, 'confidence', 'expectedCalibrationError'),
    inOrder('area under risk-coverage', steps, 'confidence', 'areaUnderRiskCoverage'),
  ]
}
