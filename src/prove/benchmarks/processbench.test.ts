import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { labelledTrace, rawRecords, valuesOf, verdictOf } from '../../testing/eval.ts'
import { casesOf, predictorOf, trivialPredictors } from '../cases.ts'
import { processbenchRule } from './processbench.ts'

const trace = (id: string, domain: string, marks: readonly (1 | -1)[]): Trace =>
  labelledTrace(id, 'processbench', marks, { problem: { id, prompt: id, domain } })

describe('ProcessBench', () => {
  const gold = [
    trace('a', 'gsm8k', [1, -1]),
    trace('b', 'gsm8k', [1, 1]),
    trace('c', 'math', [-1, 1]),
    trace('d', 'math', [1, 1]),
    trace('e', 'math', [1, 1]),
  ]
  const risks = [
    [0.2, 0.4],
    [0.3, 0.3],
    [0.39, 0.1],
    [0.1, 0.2],
    [0.1, 0.9],
  ]
  const cases = casesOf(gold, 'gold')
  const predictor = (of: readonly (readonly number[])[]) =>
    predictorOf(
      'p',
      gold.map((t, i) => ({ ...t, verdict: verdictOf(of[i]!) })),
      cases,
    )

  it('hand-computed: verdicts, the threshold of the gsm8k part, and the mean of the parts', () => {
    const seen = valuesOf(processbenchRule, cases, predictor(risks))
    // no risk reaches .5 but that of e: both errors are missed, b and d are right
    expect(seen).toMatchObject({ erroneous: 0, correct: 2 / 3, F1: 0 })
    // .31 is the first threshold that is right on a and b; it finds the error of c and is wrong on e
    expect(seen).toMatchObject({ 'erroneous at threshold': 1, 'correct at threshold': 2 / 3 })
    expect(seen['F1 at threshold']).toBeCloseTo((2 * (2 / 3)) / (1 + 2 / 3), 12)
    expect(seen['mean F1 of parts at threshold']).toBeCloseTo((1 + (2 * 0.5) / 1.5) / 2, 12)
    expect(processbenchRule.notes(cases, predictor(risks).predictions)).toEqual([
      'threshold 0.31 on risk, chosen on the gsm8k part alone',
    ])
  })

  it('the threshold does not look at other parts', () => {
    const other = risks.map((r, i) => (i < 2 ? r : [0.99, 0.99]))
    expect(processbenchRule.notes(cases, predictor(other).predictions)).toEqual(
      processbenchRule.notes(cases, predictor(risks).predictions),
    )
  })
})

describe.skipIf(noData('processbench'))('ProcessBench (needs the public data)', () => {
  it('trivial rows equal counts in the four files', async () => {
    const parts = ['gsm8k', 'math', 'olympiadbench', 'omnimath']
    const file = (part: string): string => dataFile('processbench', `${part}.json.gz`)
    const traces = (await Promise.all(parts.map(async (part) => (await readTraces(file(part))).traces))).flat()
    const cases = casesOf(traces, 'processbench')
    const rows = parts.flatMap((part) => rawRecords<{ label: number; steps: string[] }>(file(part)))
    const wrong = rows.filter((r) => r.label >= 0)
    const [clean, first, last] = trivialPredictors(cases).map((p) => valuesOf(processbenchRule, cases, p))
    expect(clean).toMatchObject({ erroneous: 0, correct: 1, F1: 0, 'mean F1 of parts': 0 })
    expect(first!.erroneous).toBe(wrong.filter((r) => r.label === 0).length / wrong.length)
    expect(last!.erroneous).toBe(wrong.filter((r) => r.label === r.steps.length - 1).length / wrong.length)
    expect(last).toMatchObject({ correct: 0, F1: 0 })
  })
})
