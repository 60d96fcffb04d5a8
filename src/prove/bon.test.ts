import { describe, expect, it } from 'vitest'
import type { Trace } from '../core/words.ts'
import { type BonCandidate, type BonQuestion, bestOfNCurves, poolOf } from './bon.ts'

const one = (answer: number | null, right: boolean, ...scores: number[][]): BonCandidate => ({
  answer,
  right,
  tokens: 10,
  scores,
})

describe('best-of-N curves', () => {
  // The first answer is wrong and has two of four votes; the model likes a right one.
  const question = (name: string): BonQuestion => ({
    question: name,
    candidates: [
      one(0, false, [0.9, 0.2]),
      one(0, false, [0.9, 0.3]),
      one(1, true, [0.8, 0.9]),
      one(null, false, [1, 1]),
    ],
  })
  const scorers = [{ name: 'prm', aggregate: 'min', tokens: 3 }] as const
  const table = bestOfNCurves([question('a'), question('b')], scorers)
  const at = (arm: string, n: number) => table.rows.find((row) => row.arm === arm && row.n === n)

  it('show every aggregator, votes and controls on the same candidates, with what they cost', () => {
    expect(at('best by prm, min', 4)?.right.value).toBe(1)
    expect(at('best by prm, last', 4)?.right.value).toBe(1)
    expect(at('vote weighted by prm', 4)?.right.value).toBe(1)
    expect(at('majority', 4)?.right.value).toBe(0)
    expect(at('random', 4)?.right.value).toBe(1 / 4)
    expect(at('random', 1)?.right.value).toBe(1 / 4)
    expect([at('pass@N', 1)?.right.value, at('pass@N', 2)?.right.value]).toEqual([1 / 4, 1 / 2])
    expect([at('majority', 4)?.tokens, at('best by prm, min', 4)?.tokens]).toEqual([40, 52])
    expect(table.rows.filter(({ arm }) => arm.startsWith('best by prm'))).toHaveLength(5 * 3)
  })

  it('never choose a sample without an answer, and compare pairs at the largest N', () => {
    expect(at('best by prm, mean', 4)?.right.value).toBe(1)
    const less = table.differences.find(({ first, other }) => first === 'best by prm, min' && other === 'majority')
    expect(less).toMatchObject({ n: 4, estimate: { value: 1 } })
    expect(table).toMatchObject({ questions: 2, mixed: 2 })
  })

  it('leave out questions with too few candidates, and say so', () => {
    const few = { question: 'few', candidates: question('c').candidates.slice(0, 2) }
    expect(bestOfNCurves([question('a'), few], scorers).notes[0]).toMatch(/^1 questions with fewer than 4/)
    expect(() => bestOfNCurves([{ question: 'x', candidates: [one(0, true)] }], [])).toThrow(/GRD-EVAL-003/)
  })

  it('give equal tables for equal pools', () => {
    const many = ['a', 'b', 'c'].map(question)
    expect(bestOfNCurves(many, scorers)).toEqual(bestOfNCurves(many, scorers))
  })
})

describe('a pool from scored traces', () => {
  it('groups by problem, tells answers apart by what they say, and finds the scores of each reward model', () => {
    const trace = (answer: string, outcome: number | undefined, value: number): Trace => ({
      id: answer,
      problem: { id: 'p', prompt: 'Half of one?' },
      steps: [{ text: `so ${answer}`, kind: 'answer' }],
      answer,
      ...(outcome !== undefined && { outcome }),
      labels: [
        { meaning: 'first-error', value: -1, source: 'reward:m' },
        { meaning: 'value', step: 0, value, source: 'reward:m' },
      ],
      source: { generator: '', dataset: '', licence: '' },
    })
    const { questions, scorers } = poolOf([
      trace('1/2', 1, 0.7),
      trace('0.5', 1, 0.6),
      trace('2', 0, 0.1),
      trace('3', undefined, 0.5),
    ])
    expect(scorers).toEqual([{ name: 'm', aggregate: 'last' }])
    expect(questions[0]?.candidates.map(({ answer, right, scores }) => [answer, right, scores[0]])).toEqual([
      [0, true, [0.7]],
      [0, true, [0.6]],
      [1, false, [0.1]],
    ])
  })
})
