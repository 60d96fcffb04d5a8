import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { measure, readTask, type Score, TASKS, wilson } from './big-bench-mistake.ts'

const folder = join(process.env['GRADUS_DATA'] ?? '', 'big-bench-mistake')
const isAbsent = process.env['GRADUS_DATA'] === undefined || !existsSync(folder)

/** Share of erroneous traces whose first mistake must be found exactly; published GPT-4: about .53 over the tasks. */
const AT_LEAST: Readonly<Record<string, number>> = {
  word_sorting: 0.9,
  tracking_shuffled_objects: 0.9,
  multistep_arithmetic: 0.9,
  dyck_languages: 0.9,
  logical_deduction: 0.6,
}

describe.skipIf(isAbsent)('BIG-Bench-Mistake, report half (skipped where GRADUS_DATA has no big-bench-mistake)', () => {
  const scores: Score[] = []

  it.each(TASKS)('$task: finds the first mistake without a model', async ({ task, verifier }) => {
    const { report } = await readTask(folder, task)
    const score = await measure(report, verifier)
    scores.push(score)
    expect(score.erroneous).toBeGreaterThan(80)
    expect(score.exact / score.erroneous).toBeGreaterThanOrEqual(AT_LEAST[task] ?? 1)
  })

  it('alarms on at most 2 % of the traces that are labelled clean and have the right answer', () => {
    const total = (key: keyof Score): number => scores.reduce((sum, s) => sum + s[key], 0)
    const clean = total('clean') - total('cleanButWrong')
    expect(clean).toBeGreaterThan(140)
    expect((total('falseAlarms') - total('falseAlarmsButWrong')) / clean).toBeLessThanOrEqual(0.02)
  })
})

describe('wilson', () => {
  it('gives the published interval of 15 in 20', () => {
    const [low, high] = wilson(15, 20)
    expect(low).toBeCloseTo(0.5313, 4)
    expect(high).toBeCloseTo(0.8881, 4)
  })
})
