import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../core/words.ts'
import { scores } from './scores.ts'

type Verdict = 'correct' | 'incorrect' | 'neutral' | null
const judged = (step: number, verdict: Verdict, logprob?: number): Evidence => ({
  kind: 'judgement',
  source: 'reward:judge',
  step,
  verdict,
  reason: '',
  ...(logprob !== undefined && { logprob }),
})
const scored = (step: number, value: number | null, meaning: 'correctness' | 'value' = 'correctness'): Evidence => ({
  kind: 'score',
  source: 'reward:prm',
  step,
  value,
  meaning,
})
const refuted: Evidence = { kind: 'tool', source: 'verifier:x', step: 0, verdict: 'incorrect', reason: '' }
const labels = (steps: number, evidence: Evidence[], options = {}) =>
  scores.apply(steps, evidence, scores.options.parse(options))

describe('scores', () => {
  it('is the mean of what was said of the step', () => {
    const said = labels(3, [
      judged(0, 'correct'),
      judged(0, 'incorrect'),
      judged(0, 'correct'),
      scored(1, 0.25),
      judged(2, 'incorrect', Math.log(0.9)),
    ])
    expect(said.map((l) => l.value)).toEqual([2 / 3, 0.25, expect.closeTo(0.1)])
  })

  it('takes neither an unreadable judgement nor a missing score for a number', () => {
    expect(labels(4, [judged(0, null), scored(1, null), judged(2, 'neutral')])).toMatchObject([
      { value: null, reason: 'parse-failure' },
      { value: null, reason: 'parse-failure' },
      { value: null, reason: 'neutral' },
      { value: null, reason: 'no-evidence' },
    ])
  })

  it('never mixes the chance of success with correctness', () => {
    expect(labels(1, [scored(0, 0.9, 'value')])).toMatchObject([{ meaning: 'value', value: 0.9 }])
    expect(labels(1, [scored(0, 0.9, 'value'), scored(0, 0.2)])).toMatchObject([{ meaning: 'correctness', value: 0.2 }])
  })

  it('with a threshold, finds the first step below it in chances of success too', () => {
    const said = labels(
      4,
      [0.9, 0.6, 0.2, 0.7].map((v, i) => scored(i, v, 'value')),
      { threshold: 0.5 },
    )
    expect(said.map((l) => [l.meaning, l.value ?? l.reason])).toEqual(
      [1, 1, 0, 'after-first-error'].map((v) => ['correctness', v]),
    )
  })

  it('believes a tool that refutes the step, unless told otherwise', () => {
    expect(labels(1, [scored(0, 0.9), refuted])[0]?.value).toBe(0)
    expect(labels(1, [scored(0, 0.9), refuted], { veto: false })[0]?.value).toBe(0.9)
  })
})
