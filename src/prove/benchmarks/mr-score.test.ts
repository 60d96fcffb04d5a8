import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { labelledTrace, rawRecords, valuesOf, verdictOf } from '../../testing/eval.ts'
import { casesOf, predictorOf, trivialPredictors } from '../cases.ts'
import { mrScoreRule } from './mr-score.ts'

describe('MR-Score', () => {
  const gold = [
    labelledTrace('a', 'mr-ben', [1, 1]),
    labelledTrace('b', 'mr-ben', [1, 1]),
    labelledTrace('c', 'mr-ben', [1, -1]),
    labelledTrace('d', 'mr-ben', [-1, 1]),
    labelledTrace('e', 'mr-ben', [-1, 1]),
  ]
  const said = [
    { ...gold[0]!, verdict: verdictOf([0, 0]) },
    { ...gold[1]!, verdict: verdictOf([1, 0]) },
    { ...gold[2]!, verdict: verdictOf([0, 1]) },
    { ...gold[3]!, verdict: verdictOf([0, 1]) },
    { ...gold[4]!, verdict: verdictOf([null, null], null) },
  ]
  const cases = casesOf(gold, 'gold')

  it('hand-computed: MCC of 1, 2, 1, 1, one of three steps, reasons not graded', () => {
    const predictor = predictorOf('p', said, cases)
    const seen = valuesOf(mrScoreRule, cases, predictor)
    const mcc = (1 * 2 - 1 * 1) / Math.sqrt(2 * 2 * 3 * 3)
    expect(seen.MCC).toBeCloseTo(mcc, 12)
    expect(seen['ACC step']).toBeCloseTo(1 / 3, 12)
    expect(seen['ACC reason']).toBe(0)
    expect(seen['MR-Score']).toBeCloseTo(0.2 * mcc + 0.3 / 3, 12)
    expect(mrScoreRule.notes(cases, predictor.predictions)[0]).toMatch(/reasons were not scored/)
  })

  it('a graded reason counts only where the step is right', () => {
    const graded = said.map((t) => ({ ...t, extra: { error_reason_correctness: 'correct' } }))
    const seen = valuesOf(mrScoreRule, cases, predictorOf('p', graded, cases))
    expect(seen['ACC reason']).toBeCloseTo(1 / 3, 12)
    expect(seen['MR-Score']).toBeCloseTo(0.2 * (1 / 6) + 0.3 / 3 + 0.5 / 3, 12)
  })

  it('a negative MCC does not punish', () => {
    const opposite = gold.map((t, i) => ({ ...t, verdict: verdictOf(i < 2 ? [1, 0] : [0, 0]) }))
    expect(valuesOf(mrScoreRule, cases, predictorOf('p', opposite, cases))['MR-Score']).toBe(0)
  })

  it('always clean has no correlation and locates nothing', () => {
    expect(valuesOf(mrScoreRule, cases, trivialPredictors(cases)[0]!)).toMatchObject({ MCC: 0, 'ACC step': 0 })
  })
})

describe.skipIf(noData('mr-gsm8k'))('MR-GSM8K judge runs (needs the public data)', () => {
  it('every run: step and reason accuracy as counted in the file; all solutions are incorrect, so no MCC', async () => {
    const files = readdirSync(dataFile('mr-gsm8k', 'judge_runs'))
    expect(files.length).toBe(6)
    for (const file of files) {
      const path = dataFile('mr-gsm8k', 'judge_runs', file)
      const rows = rawRecords<Record<string, unknown>>(path)
      let steps = 0
      let reasons = 0
      for (const row of rows) {
        const key = Object.keys(row).find((k) => k.endsWith('_eval_output'))!
        const output = row[key] as { correctness_pred: string; error_step_pred: string }
        const step = String(output.error_step_pred).replace(/\D/g, '')
        if (output.correctness_pred.toLowerCase() === 'correct') continue
        if (step !== String(row.model_output_solution_first_error_step)) continue
        steps++
        if (row.error_reason_correctness === 'correct') reasons++
      }
      const { traces } = await readTraces(path)
      const cases = casesOf(traces, file)
      const predictor = predictorOf(file, traces, cases)
      const seen = valuesOf(mrScoreRule, cases, predictor)
      expect([file, seen['ACC step'], seen['ACC reason']]).toEqual([file, steps / rows.length, reasons / rows.length])
      expect(seen.MCC).toBeNaN()
      expect(seen['MR-Score']).toBeNaN()
      expect(mrScoreRule.notes(cases, predictor.predictions).join()).toMatch(/all solutions are incorrect/)
    }
  })
})
