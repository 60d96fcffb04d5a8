import { describe, expect, it } from 'vitest'
import type { Evidence, Label } from '../../../../core/words.ts'
import { findings, firstWrong } from './findings.ts'

const steps = [
  { text: 'a', kind: 'thought' },
  { text: 'b', kind: 'answer' },
] as const

const of = (evidence: Evidence[], labels: Label[] = []) => findings({ steps: [...steps], evidence, labels })

describe('findings of a trace', () => {
  it('counts rollouts, and an unread judgement is no verdict', () => {
    const { steps } = of([
      { kind: 'rollouts', source: 'mc', step: 0, successes: 5, trials: 8 },
      { kind: 'rollouts', source: 'mc', step: 1, successes: 0, trials: 8 },
      { kind: 'judgement', source: 'judge', step: 1, verdict: null, reason: '' },
    ])
    expect(steps[0]).toMatchObject([{ source: 'mc', mark: 'good', word: '5 of 8' }])
    expect(steps[1]).toMatchObject([
      { mark: 'bad', word: '0 of 8' },
      { source: 'judge', mark: 'open', word: 'unreadable' },
    ])
  })

  it('shows what a search values and how likely a reference becomes', () => {
    const { steps } = of([
      { kind: 'value', source: 'mcts', step: 0, value: 0.25, visits: 9 },
      { kind: 'likelihood', source: 'p2s', step: 0, ratios: [null, 1.5, -2], tokens: [9, 6, 3] },
      { kind: 'likelihood', source: 'p2s', step: 1, ratios: [null], tokens: [9] },
    ])
    expect(steps.flat().map((f) => [f.mark, f.word])).toEqual([
      ['bad', '.25'],
      ['open', '+1.50 nats'],
      ['open', 'cannot say'],
    ])
  })

  it('keeps labels of different meaning apart and says why one has no value', () => {
    const { steps } = of(
      [],
      [
        { step: 0, meaning: 'value', value: 0.25, source: 'soft' },
        { step: 0, meaning: 'correctness', value: null, reason: 'sources-disagree', source: 'consensus' },
        { step: 1, meaning: 'progress', value: -0.5, source: 'progress' },
      ],
    )
    expect(steps.flat().map((f) => [f.source, f.mark, f.word])).toEqual([
      ['soft', 'bad', '.25'],
      ['consensus', 'open', 'sources-disagree'],
      ['progress', 'bad', '−.50'],
    ])
  })

  it('gives no colour to a raw value whose meaning only its file knows', () => {
    const { steps, whole } = of([
      { kind: 'imported', source: 'file', step: 0, raw: 1 },
      { kind: 'imported', source: 'file', step: null, raw: { error_steps: [2] } },
    ])
    expect(steps[0]).toMatchObject([{ mark: 'open', word: '1' }])
    expect(whole).toMatchObject([{ word: '{"error_steps":[2]}' }])
  })

  it('names the first wrong step of the verdict before that of a label', () => {
    const labels: Label[] = [{ meaning: 'first-error', value: 1, source: 'gold' }]
    expect(firstWrong({ labels })).toBe(1)
    expect(firstWrong({ labels, verdict: { risk: [], firstErrorProb: [], firstError: -1 } })).toBe(-1)
    expect(firstWrong({})).toBeNull()
  })
})
