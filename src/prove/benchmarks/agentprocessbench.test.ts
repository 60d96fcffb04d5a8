import { describe, expect, it } from 'vitest'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { labelledTrace, rawRecords, valuesOf, verdictOf } from '../../testing/eval.ts'
import { casesOf, predictorOf } from '../cases.ts'
import { agentprocessbenchRule } from './agentprocessbench.ts'

describe('AgentProcessBench', () => {
  it('neutral is a class of its own, and a missing trajectory is wrong even where nothing is', () => {
    const gold = [
      labelledTrace('a', 'agentprocessbench', [1, 0, -1]),
      labelledTrace('b', 'agentprocessbench', [1, 1]),
      labelledTrace('c', 'agentprocessbench', [1]),
    ]
    const cases = casesOf(gold, 'gold')
    const said = [
      {
        ...gold[0]!,
        verdict: { ...verdictOf([0, 0, 1]), classes: [{ right: 1 }, { neutral: 0.6, wrong: 0.4 }, { wrong: 1 }] },
      },
      { ...gold[1]!, verdict: verdictOf([0, 1]) },
    ]
    expect(valuesOf(agentprocessbenchRule, cases, predictorOf('p', said, cases))).toEqual({
      StepAcc: 4 / 6,
      FirstErrAcc: 1 / 3,
    })
  })
})

describe.skipIf(noData('agentprocessbench'))('AgentProcessBench judges against people (needs the public data)', () => {
  it.each(['DeepSeek-V3.2', 'Llama-3.2-3B-Instruct', 'GPT-5.2-Thinking_medium'])(
    '%s: both accuracies as an independent loop over the files counts them',
    async (judge) => {
      interface Row {
        data_source: string
        query_index: number
        sample_index: number
        step_labels: Record<string, number | null>
      }
      const id = (r: Row): string => `${r.data_source}:${r.query_index}:${r.sample_index}`
      const first = (r: Row): number =>
        Math.min(...Object.entries(r.step_labels).flatMap(([k, v]) => (v === -1 ? [Number(k)] : [])))
      const parts = ['hotpotqa', 'tau2'] as const
      const total = { hits: 0, steps: 0, firsts: 0, traces: 0 }
      const gold = []
      const said = []
      const expected: Record<string, number> = {}
      for (const part of parts) {
        const people = dataFile('agentprocessbench', 'human_step_labels', `${part}_final.jsonl`)
        const judged = dataFile('agentprocessbench', 'judge_step_labels', judge, `${part}.jsonl.gz`)
        const byId = new Map(rawRecords<Row>(judged).map((r) => [id(r), r]))
        const own = { hits: 0, steps: 0, firsts: 0, traces: 0 }
        for (const row of rawRecords<Row>(people)) {
          const other = byId.get(id(row))
          for (const [k, v] of Object.entries(row.step_labels)) {
            own.steps++
            if (other !== undefined && other.step_labels[k] === v) own.hits++
          }
          own.traces++
          if (other !== undefined && Object.keys(other.step_labels).length > 0 && first(other) === first(row))
            own.firsts++
        }
        expected[`StepAcc ${part}`] = own.hits / own.steps
        expected[`FirstErrAcc ${part}`] = own.firsts / own.traces
        for (const key of ['hits', 'steps', 'firsts', 'traces'] as const) total[key] += own[key]
        gold.push(...(await readTraces(people)).traces)
        said.push(...(await readTraces(judged)).traces)
      }
      const cases = casesOf(gold, 'people')
      const seen = valuesOf(agentprocessbenchRule, cases, predictorOf(judge, said, cases))
      expect(seen).toEqual({
        StepAcc: total.hits / total.steps,
        FirstErrAcc: total.firsts / total.traces,
        ...expected,
      })
    },
  )
})
