import { describe, expect, it } from 'vitest'
import type { Label, Trace } from '../../core/words.ts'
import { targetsOf } from './targets.ts'

const trace = (outcome: number | undefined, labels: Label[] = [], steps = 3): Trace => ({
  id: 'x',
  problem: { id: 'p', prompt: 'p' },
  steps: Array.from({ length: steps }, (_, t) => ({ text: String(t), kind: 'thought' })),
  ...(outcome !== undefined && { outcome }),
  labels,
  source: { generator: '', dataset: '', licence: '' },
})
const label = (step: number, value: number | null, source = 'hard', meaning: 'correctness' | 'value' = 'correctness') =>
  ({ step, meaning, value, source }) as Label
const first = (value: number | null, source = 'people'): Label => ({ meaning: 'first-error', value, source })

describe('targets', () => {
  it('of a wrong run of three steps are 0, 0, 0 as values and one 0 as outcome', () => {
    const traces = [trace(0), trace(1), trace(undefined), trace(1, [], 0)]
    const value = targetsOf(traces, 'value')
    expect(value.traces[0]?.steps).toEqual([0, 1, 2].map((step) => ({ step, target: 0 })))
    expect(value).toMatchObject({ meaning: 'value', left: { 'no outcome': 1, 'no steps': 1 } })
    expect(targetsOf(traces, 'outcome').traces.map((t) => t.steps)).toEqual([
      [{ step: 2, target: 0 }],
      [{ step: 2, target: 1 }],
    ])
  })

  it('of labels keep their meaning, leave out what cannot be said and can be made hard', () => {
    const traces = [
      trace(1, [label(0, 0.25, 'mc', 'value'), label(1, 0, 'mc', 'value'), label(2, null, 'mc', 'value')]),
    ]
    expect(targetsOf(traces, 'process')).toMatchObject({
      meaning: 'value',
      traces: [{ steps: [{ target: 0.25 }, { target: 0 }] }],
    })
    expect(targetsOf(traces, 'process', { harden: 0 }).traces[0]?.steps.map((s) => s.target)).toEqual([1, 0])
  })

  it('of a first error are 1 before it, 0 at it and nothing after it; of a clean run 1 everywhere', () => {
    const traces = [trace(0, [first(1)]), trace(1, [first(-1)]), trace(1, [first(null)])]
    expect(targetsOf(traces, 'process')).toMatchObject({
      traces: [{ steps: [{ target: 1 }, { target: 0 }] }, { steps: [{ target: 1 }, { target: 1 }, { target: 1 }] }],
      left: { 'no labels': 1 },
    })
  })

  it('never mix sources or meanings: which ones must be said', () => {
    const two = [trace(1, [label(0, 1), label(0, 0, 'judge'), label(1, 0)])]
    expect(() => targetsOf(two, 'process')).toThrow(/GRD-TRAIN-001.*hard \(correctness, 2\), judge \(correctness, 1\)/)
    expect(targetsOf(two, 'process', { labels: 'hard' }).traces[0]?.steps).toHaveLength(2)
  })

  it.each([
    ['labels of one class', [trace(1, [label(0, 1)])], 'process', /only targets of 1/],
    ['outcomes all right', [trace(1), trace(1)], 'outcome', /only targets of 1/],
    ['no labels at all', [trace(1)], 'process', /no labels/],
  ] as const)('refuse %s', (_, traces, kind, message) => {
    expect(() => targetsOf(traces, kind)).toThrow(/GRD-TRAIN-001/)
    expect(() => targetsOf(traces, kind)).toThrow(message)
  })
})
