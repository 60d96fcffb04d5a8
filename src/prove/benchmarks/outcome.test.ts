import { describe, expect, it } from 'vitest'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { labelledTrace, rawRecords } from '../../testing/eval.ts'
import { hasTrials, outcomeTables } from './outcome.ts'

describe('outcomes', () => {
  it('are kept apart by generator, and a problem with too few runs leaves the row', () => {
    const run = (id: string, problem: string, generator: string, outcome: number) =>
      labelledTrace(id, 'x', [1], {
        problem: { id: problem, prompt: problem },
        source: { generator, dataset: 'x', licence: 'MIT' },
        outcome,
      })
    const [a, b] = outcomeTables([
      run('1', 'p', 'a', 1),
      run('2', 'p', 'a', 0),
      run('3', 'q', 'a', 0.5),
      run('4', 'p', 'b', 1),
    ])
    expect(a).toMatchObject({ generator: 'a', problems: 2, traces: 3, successes: 1 })
    expect(a!.rows.map((r) => [r.k, r.problems, r.passAtK.value, r.passHatK.value])).toEqual([
      [1, 2, 0.25, 0.25],
      [2, 1, 1, 0],
    ])
    expect(b!.rows.map((r) => r.passHatK.value)).toEqual([1])
    expect([hasTrials([a!]), hasTrials([b!])]).toEqual([true, false])
  })
})

describe.skipIf(noData('tau-bench'))('tau-bench (needs the public data)', () => {
  it('pass^k and pass@k over 50 tasks x 4 trials equal counting every draw of k trials', async () => {
    const path = dataFile('tau-bench', 'gpt-4o-airline.json.gz')
    const rows = rawRecords<{ task_id: number; reward: number }>(path)
    const tasks = [...Map.groupBy(rows, (r) => r.task_id).values()].map((list) => list.map((r) => r.reward === 1))
    expect([tasks.length, ...new Set(tasks.map((t) => t.length))]).toEqual([50, 4])
    const draws = (trials: boolean[], k: number): boolean[][] =>
      k === 0 ? [[]] : trials.flatMap((t, i) => draws(trials.slice(i + 1), k - 1).map((rest) => [t, ...rest]))
    const average = (k: number, test: (draw: boolean[]) => boolean): number =>
      tasks.reduce((a, t) => a + draws(t, k).filter(test).length / draws(t, k).length, 0) / tasks.length
    const [table] = outcomeTables((await readTraces(path)).traces)
    expect(table!.rows.length).toBe(4)
    for (const { k, problems, passAtK, passHatK } of table!.rows) {
      expect(problems).toBe(50)
      expect(passHatK.value).toBeCloseTo(
        average(k, (d) => d.every(Boolean)),
        12,
      )
      expect(passAtK.value).toBeCloseTo(
        average(k, (d) => d.some(Boolean)),
        12,
      )
      expect(passHatK.low <= passHatK.value && passHatK.value <= passHatK.high).toBe(true)
    }
  })
})
