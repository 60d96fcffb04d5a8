import { describe, expect, it } from 'vitest'
import type { Label, Trace } from '../../core/words.ts'
import { LABEL_MODELS } from '../../label/label-models/index.ts'
import { labelModelNamed, mergeFiles } from './merge.ts'

type Mark = 1 | 0 | -1 | null

function judged(id: string, marks: Record<number, Mark>): Trace {
  const origins = Object.keys(marks).map(Number)
  const labels = origins.map((o, step): Label => {
    const m = marks[o] ?? null
    const head = { step, meaning: 'correctness', source: 'imported:test' } as const
    if (m === null) return { ...head, value: null, reason: 'parse-failure' }
    return m === 0
      ? { ...head, value: null, reason: 'neutral', classes: { neutral: 1 } }
      : { ...head, value: m === 1 ? 1 : 0 }
  })
  return {
    id,
    problem: { id, prompt: id },
    steps: origins.map((origin) => ({ text: '', kind: 'thought', origin })),
    labels,
    source: { generator: '', dataset: 'test', licence: 'MIT' },
  }
}

describe('merging files of several sources', () => {
  const a = { file: 'a/x.jsonl', traces: [judged('t', { 1: 1, 3: -1, 5: -1 }), judged('u', { 1: 1 })] }
  const b = { file: 'b/x.jsonl', traces: [judged('t', { 1: 1, 3: -1, 5: null })] }
  const c = { file: 'c/x.jsonl', traces: [judged('t', { 1: 0, 3: 1, 5: -1, 7: 1 })] }

  it('joins traces by id and steps by origin; what is missing abstains', () => {
    const { traces, coverage } = mergeFiles([a, b, c], labelModelNamed('majority'))
    expect(traces.map((t) => [t.id, t.steps.map((s) => s.origin)])).toEqual([
      ['t', [1, 3, 5, 7]],
      ['u', [1]],
    ])
    expect(coverage).toBeCloseTo((3 + 1 + 2 + 4) / (5 * 3), 12)
    const [t] = traces
    expect(t?.verdict?.classes?.map((k) => Object.entries(k).sort((x, y) => y[1] - x[1])[0]?.[0])).toEqual([
      'right',
      'wrong',
      'wrong',
      'right',
    ])
    expect(t?.verdict?.risk[2]).toBeGreaterThan(0.99)
    expect(t?.verdict?.firstError).toBe(1)
  })

  it('a neutral vote is a class of its own, never half right', () => {
    const { traces } = mergeFiles(
      [c, { file: 'd/x.jsonl', traces: [judged('t', { 1: 0 })] }],
      labelModelNamed('majority'),
    )
    expect(traces[0]?.verdict?.classes?.[0]?.neutral).toBeCloseTo(1, 5)
    expect(traces[0]?.verdict?.risk[0]).toBeCloseTo(0, 5)
  })

  it('every unsupervised label model gives a distribution for every step', () => {
    for (const model of LABEL_MODELS.filter((m) => m.gold !== 'required')) {
      const { traces } = mergeFiles([a, b, c], model)
      for (const t of traces)
        for (const k of t.verdict?.classes ?? []) expect(Object.values(k).reduce((x, y) => x + y, 0)).toBeCloseTo(1, 9)
    }
  })

  it('gathers the files of a folder into one source, and never two labels of one trace', () => {
    const named = (trace: Trace, annotator: string): Trace => ({
      ...trace,
      evidence: [{ kind: 'imported', source: 's', step: 0, raw: 1, annotator }],
    })
    const files = [
      { file: 'kimi/one.jsonl', traces: [named(judged('t', { 1: 1 }), 'kimi')] },
      { file: 'kimi/two.jsonl', traces: [named(judged('u', { 1: 1 }), 'kimi')] },
      { file: 'kimi-thinking/one.jsonl', traces: [named(judged('t', { 1: -1 }), 'kimi')] },
      { file: 'kimi-thinking/two.jsonl', traces: [named(judged('u', { 1: -1 }), 'kimi')] },
    ]
    const { fitted } = mergeFiles(files, labelModelNamed('majority'))
    expect(fitted.sources.map((s) => [s.name, s.coverage])).toEqual([
      ['kimi', 1],
      ['kimi-thinking', 1],
    ])
  })

  it('refuses a single file and an unknown model', () => {
    expect(() => mergeFiles([a], labelModelNamed('majority'))).toThrow('GRD-LABEL-003')
    expect(() => labelModelNamed('oracle')).toThrow('GRD-LABEL-001')
  })
})
