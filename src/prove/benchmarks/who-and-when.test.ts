import { describe, expect, it } from 'vitest'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { labelledTrace, rawRecords, valuesOf, verdictOf } from '../../testing/eval.ts'
import { casesOf, predictorOf, trivialPredictors } from '../cases.ts'
import { whoAndWhenRule } from './who-and-when.ts'

describe('Who&When', () => {
  it('the right agent at another step is half a success; silence and "no error" are none', () => {
    const agents = ['Planner', 'Coder', 'Planner', 'Coder', 'Coder', 'Coder', 'Coder', 'Coder']
    const marks = agents.map((_, i) => (i === 1 ? -1 : 1)) as (1 | -1)[]
    const one = (id: string) => {
      const t = labelledTrace(id, 'who-and-when', marks, { extra: { mistake_agent: 'Coder' } })
      return { ...t, steps: t.steps.map((s, i) => ({ ...s, agent: agents[i]! })) }
    }
    const gold = ['exact', 'same agent', 'far', 'clean', 'silent'].map(one)
    const at = [1, 3, 7, -1, null]
    const cases = casesOf(gold, 'gold')
    const said = gold.map((t, i) => ({
      ...t,
      verdict: verdictOf(
        agents.map(() => 0),
        at[i]!,
      ),
    }))
    expect(valuesOf(whoAndWhenRule, cases, predictorOf('p', said, cases))).toEqual({
      'agent accuracy': 3 / 5,
      'step accuracy': 1 / 5,
      'step within 5': 2 / 5,
    })
  })
})

describe.skipIf(noData('who-and-when'))('Who&When (needs the public data)', () => {
  it('trivial rows equal counts in the files, by part and together', async () => {
    interface Row {
      history: { name?: string; role: string }[]
      mistake_agent: string
      mistake_step: string
    }
    const parts = ['algorithm-generated', 'hand-crafted']
    const bare = (name: string): string => name.replace(/ *(\(.*\)|->.*)$/, '').toLowerCase()
    const traces = (
      await Promise.all(
        parts.map(async (p) =>
          (
            await readTraces(dataFile('who-and-when', `${p}.jsonl.gz`))
          ).traces.map((t) => ({ ...t, id: `${p}/${t.id}` })),
        ),
      )
    ).flat()
    const cases = casesOf(traces, 'who-and-when')
    const [clean, first, last] = trivialPredictors(cases).map((p) => valuesOf(whoAndWhenRule, cases, p))
    const rows = parts.map((p) => rawRecords<Row>(dataFile('who-and-when', `${p}.jsonl.gz`)))
    const share = (list: Row[], test: (r: Row, last: number) => boolean): number =>
      list.filter((r) => test(r, r.history.length - 1)).length / list.length
    const agent = (r: Row, at: number): boolean =>
      bare(r.history[at]!.name ?? r.history[at]!.role) === bare(r.mistake_agent)
    expect(clean!['agent accuracy']).toBe(0)
    expect(cases.length).toBe(116)
    for (const [suffix, list] of [
      ['', rows.flat()],
      [', algorithm-generated', rows[0]!],
      [', hand-crafted', rows[1]!],
    ] as const) {
      expect(first![`agent accuracy${suffix}`]).toBe(share([...list], (r) => agent(r, 0)))
      expect(first![`step accuracy${suffix}`]).toBe(share([...list], (r) => Number(r.mistake_step) === 0))
      expect(first![`step within 5${suffix}`]).toBe(share([...list], (r) => Number(r.mistake_step) <= 5))
      expect(last![`agent accuracy${suffix}`]).toBe(share([...list], (r, at) => agent(r, at)))
      expect(last![`step accuracy${suffix}`]).toBe(share([...list], (r, at) => Number(r.mistake_step) === at))
    }
  })
})
