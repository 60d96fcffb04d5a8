import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { valuesOf, verdictOf } from '../../testing/eval.ts'
import { casesOf, predictorOf } from '../cases.ts'
import { roscoeRule } from './roscoe.ts'

describe.skipIf(noData('roscoe'))('ROSCOE (needs the public data)', () => {
  const read = async (name: string): Promise<Trace[]> =>
    (await readTraces(dataFile('roscoe', `roscoe-${name}.json.gz`))).traces
  const pairs = (x: readonly number[], y: readonly number[]): { surplus: number; untied: number } => {
    let [surplus, untied] = [0, 0]
    for (let i = 0; i < x.length; i++)
      for (let j = 0; j < i; j++) {
        surplus += Math.sign(x[i]! - x[j]!) * Math.sign(y[i]! - y[j]!)
        if (x[i] !== x[j]) untied++
      }
    return { surplus, untied }
  }

  it("steps: Somers' D of a length-based risk equals a double loop over pairs, people independent", async () => {
    const traces = await read('gsm8k-stepwise')
    const cases = casesOf(traces, 'roscoe')
    const risk = (t: Trace): number[] => t.steps.map((s) => 1 / (1 + s.text.length))
    const said = traces.map((t) => ({ ...t, verdict: verdictOf(risk(t)) }))
    const seen = valuesOf(roscoeRule, cases, predictorOf('length', said, cases))
    interface Instance {
      annotations: Record<string, { majority_human?: string }>
      instance: string
    }
    const people: number[] = []
    const scores: number[] = []
    for (const t of traces) {
      const { annotations, instance } = t.extra as unknown as Instance
      const judged = instance.split('\nJUDGE: ')[1]!.trim()
      const text = t.steps.find((s) => s.text.trim() === judged)?.text
      const yes = annotations['Coherency and Logic']?.majority_human
      if (text === undefined || (yes !== 'yes' && yes !== 'no')) continue
      people.push(Number(yes === 'yes'))
      scores.push(1 / (1 + text.length))
    }
    const { surplus, untied } = pairs(people, scores)
    expect(people.length).toBeGreaterThan(500)
    expect(seen["Coherency and Logic: Somers' D"]).toBeCloseTo(surplus / untied, 12)
  })

  it('whole responses: overall quality against one less the highest risk', async () => {
    const traces = await read('gsm8k-overall')
    const cases = casesOf(traces, 'roscoe')
    expect(cases.length).toBe(135)
    const said = traces.map((t) => ({ ...t, verdict: verdictOf(t.steps.map((s) => (s.text.length % 17) / 17)) }))
    const seen = valuesOf(roscoeRule, cases, predictorOf('digits', said, cases))
    const quality = traces.map((t) => {
      const extra = t.extra as { annotations: Record<string, { majority_human: number }> }
      return extra.annotations['Overall Quality']!.majority_human
    })
    const score = traces.map((t) => 1 - Math.max(...t.steps.map((s) => (s.text.length % 17) / 17)))
    const { surplus, untied } = pairs(quality, score)
    expect(seen["Overall Quality, highest risk: Somers' D"]).toBeCloseTo(surplus / untied, 12)
    expect(Object.keys(seen).length).toBe(4 * 2 * 3)
  })

  it('a predictor that repeats people is 1, one that says nothing is 0', async () => {
    const traces = await read('drop-stepwise')
    const cases = casesOf(traces, 'roscoe')
    const oracle = cases.map((c) => ({
      ...c.trace,
      verdict: verdictOf(c.gold.classes.map((k) => (k === 'wrong' ? 1 : k === 'right' ? 0 : null))),
    }))
    expect(valuesOf(roscoeRule, cases, predictorOf('people', oracle, cases))["wrong step: Somers' D"]).toBe(1)
    const silent = cases.map((c) => ({ ...c.trace, verdict: verdictOf(c.trace.steps.map(() => null)) }))
    expect(valuesOf(roscoeRule, cases, predictorOf('silent', silent, cases))["wrong step: Somers' D"]).toBe(0)
  })
})
