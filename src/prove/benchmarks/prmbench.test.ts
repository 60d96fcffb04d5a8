import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { labelledTrace, rawRecords, valuesOf, verdictOf } from '../../testing/eval.ts'
import { casesOf, predictorOf, trivialPredictors } from '../cases.ts'
import { prmbenchRule } from './prmbench.ts'

describe('PRMScore', () => {
  it('hand-computed: 4 right and 2 wrong steps, one of each missed, one not said', () => {
    const gold = [
      labelledTrace('a', 'prmbench', [1, 1, -1], { problem: { id: 'a', prompt: 'a', domain: 'circular' } }),
      labelledTrace('b', 'prmbench', [1, 1, -1], { problem: { id: 'b', prompt: 'b', domain: 'circular' } }),
    ]
    const said = [
      { ...gold[0]!, verdict: verdictOf([0.1, 0.7, 0.9]) },
      { ...gold[1]!, verdict: verdictOf([0.1, null, 0.2]) },
    ]
    const cases = casesOf(gold, 'gold')
    const seen = valuesOf(prmbenchRule, cases, predictorOf('p', said, cases))
    // right: 2 called right, 2 missed (one by silence); wrong: 1 called wrong, 1 called right
    const [right, wrong] = [(2 * 2) / (2 * 2 + 2 + 1), (2 * 1) / (2 * 1 + 2 + 1)]
    expect(seen['F1 of right steps']).toBeCloseTo(right, 12)
    expect(seen['F1 of wrong steps']).toBeCloseTo(wrong, 12)
    expect(seen.PRMScore).toBeCloseTo((right + wrong) / 2, 12)
    expect(seen.circular).toBeCloseTo((right + wrong) / 2, 12)
    expect(seen.simplicity).toBeUndefined()
  })
})

describe.skipIf(noData('prmbench'))('PRMBench (needs the public data)', () => {
  it('trivial rows are what counting the file gives, by category, group and overall', async () => {
    const names = readdirSync(dataFile('prmbench')).filter((n) => /_p1_4o_|multi/.test(n))
    const traces: Trace[] = []
    for (const name of names) {
      const { traces: own } = await readTraces(dataFile('prmbench', name))
      traces.push(...own.map((t) => ({ ...t, id: `${name}/${t.id}` })))
    }
    const cases = casesOf(traces, 'prmbench')
    const [clean, , last] = trivialPredictors(cases)

    interface Row {
      modified_process: string[]
      error_steps: number[]
      classification: string
    }
    const inside = (r: Row): number[] => r.error_steps.filter((s) => s >= 1 && s <= r.modified_process.length)
    const rows = names
      .flatMap((n) => rawRecords<Row>(dataFile('prmbench', n)))
      .filter((r) => r.error_steps.length === 0 || inside(r).length > 0)
    const always = (list: Row[]): [right: number, wrong: number] => {
      const steps = list.reduce((a, r) => a + r.modified_process.length, 0)
      const wrong = list.reduce((a, r) => a + new Set(inside(r)).size, 0)
      // everything is called right: precision = share right, recall 1; no wrong step is found
      const precision = (steps - wrong) / steps
      return [(2 * precision) / (1 + precision), 0]
    }
    const seen = valuesOf(prmbenchRule, cases, clean!)
    expect(seen['F1 of right steps']).toBeCloseTo(always(rows)[0], 12)
    expect(seen.PRMScore).toBeCloseTo(always(rows)[0] / 2, 12)
    const of = (c: string): Row[] => rows.filter((r) => r.classification === c)
    expect(seen.multi_solutions).toBe(1)
    expect(seen.circular).toBeCloseTo(always(of('circular'))[0] / 2, 12)
    expect(seen.simplicity).toBeCloseTo((always(of('circular'))[0] + always(of('redundency'))[0]) / 4, 12)
    expect(seen.sensitivity).toBeCloseTo(
      (always(of('missing_condition'))[0] / 2 + always(of('deception'))[0] / 2 + 1) / 3,
      12,
    )

    // last step wrong: the one called wrong is right or wrong, all others are called right
    const table = { tp: 0, fn: 0, fp: 0, tn: 0 }
    for (const r of rows) {
      const wrong = new Set(inside(r))
      r.modified_process.forEach((_, i) => {
        const [isWrong, saidWrong] = [wrong.has(i + 1), i === r.modified_process.length - 1]
        table[isWrong ? (saidWrong ? 'tn' : 'fp') : saidWrong ? 'fn' : 'tp']++
      })
    }
    const precision = [table.tp / (table.tp + table.fp), table.tn / (table.tn + table.fn)] as const
    const recall = [table.tp / (table.tp + table.fn), table.tn / (table.tn + table.fp)] as const
    const f1 = (p: number, r: number): number => (2 * p * r) / (p + r)
    expect(valuesOf(prmbenchRule, cases, last!).PRMScore).toBeCloseTo(
      (f1(precision[0], recall[0]) + f1(precision[1], recall[1])) / 2,
      12,
    )
  })
})
