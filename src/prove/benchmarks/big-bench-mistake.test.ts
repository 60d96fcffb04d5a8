import { describe, expect, it } from 'vitest'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { rawRecords, valuesOf } from '../../testing/eval.ts'
import { casesOf, trivialPredictors } from '../cases.ts'
import { bigBenchMistakeRule } from './big-bench-mistake.ts'

const TASKS = [
  'dyck_languages',
  'logical_deduction',
  'multistep_arithmetic',
  'tracking_shuffled_objects',
  'word_sorting',
]

describe.skipIf(noData('big-bench-mistake'))('BIG-Bench Mistake (needs the public data)', () => {
  it('trivial rows equal counts in the files, by task and pooled', async () => {
    interface Row {
      steps: string[]
      mistake_index: number | null
    }
    const file = (task: string): string => dataFile('big-bench-mistake', `${task}.jsonl.gz`)
    const traces = (await Promise.all(TASKS.map(async (task) => (await readTraces(file(task))).traces))).flat()
    const cases = casesOf(traces, 'big-bench-mistake')
    const [clean, , last] = trivialPredictors(cases).map((p) => valuesOf(bigBenchMistakeRule, cases, p))
    const rows = new Map(TASKS.map((task) => [`, ${task}`, rawRecords<Row>(file(task))]))
    rows.set('', [...rows.values()].flat())
    expect(rows.get('')!.length).toBe(1461)
    for (const [suffix, list] of rows) {
      const wrong = list.filter((r) => r.mistake_index !== null)
      const atEnd = wrong.filter((r) => r.mistake_index === r.steps.length - 1).length
      expect(clean![`location${suffix}`]).toBe((list.length - wrong.length) / list.length)
      expect(clean![`location, with mistake${suffix}`]).toBe(0)
      expect(clean![`false alarms, clean${suffix}`]).toBe(0)
      expect(last![`location${suffix}`]).toBe(atEnd / list.length)
      expect(last![`location, with mistake${suffix}`]).toBe(atEnd / wrong.length)
      expect(last![`false alarms, clean${suffix}`]).toBe(1)
    }
  })
})
