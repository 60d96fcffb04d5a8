import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import type { Trace } from '../core/words.ts'
import { auditLines, auditReward } from './reward-audits.ts'
import type { AuditLine } from './reward-locator.ts'
import { drops, locateBy } from './reward-locator.ts'

const CORRECTNESS = { meaning: 'correctness', aggregate: 'min' } as const

/** Lines whose model knows the truth but for noise; one question each. */
function linesOf(n: number, noise: number, seed = 'audits'): AuditLine[] {
  const draw = random(seed)
  return Array.from({ length: n }, (_, i): AuditLine => {
    const truth = Array.from({ length: 2 + draw.below(5) }, () => draw.next() < 0.8)
    return {
      question: `q${i}`,
      half: i % 2 === 0 ? 'tune' : 'report',
      scores: truth.map((right) => 1 / (1 + Math.exp(-((right ? 2 : -2) + noise * draw.normal())))),
      lengths: truth.map(() => 5 + draw.below(20)),
      right: truth.every(Boolean) || draw.next() < 0.2,
      truth,
    }
  })
}

describe('audits of a reward model', () => {
  it('count lines whose lowest score is the last step: (.9, .5, .8) is none', () => {
    const line = (scores: number[]): AuditLine => ({
      question: String(scores),
      half: 'tune',
      scores,
      lengths: [1, 1, 1],
    })
    const { lastMinima } = auditReward([line([0.9, 0.5, 0.8]), line([0.9, 0.5, 0.4])], CORRECTNESS)
    expect(lastMinima).toMatchObject({ share: { value: 0.5 }, lines: 2 })
    expect(lastMinima?.chance).toBeCloseTo(1 / 3, 12)
  })

  it('a model that knows the truth beats position and length, and sees through right answers by wrong ways', () => {
    const audit = auditReward(linesOf(240, 1), CORRECTNESS)
    expect(audit.baseline?.difference.low).toBeGreaterThan(0.2)
    expect(audit.rightAnswer?.auroc.low).toBeGreaterThan(0.8)
    expect(audit.rightAnswer?.clean).toBeGreaterThan(audit.rightAnswer?.wrong ?? 1)
    expect(audit.locator?.f1.value).toBeGreaterThan(0.5)
    expect(audit.outcome?.find(({ aggregate }) => aggregate === 'min')?.auroc.low).toBeGreaterThan(0.6)
    expect(audit.byStep.reduce((sum, { n }) => sum + n, 0)).toBe(audit.steps)
  })

  it('a model that scores by position alone is told so: not above the baseline', () => {
    const lines = linesOf(240, 1).map((line) => ({ ...line, scores: line.scores.map((_, t) => 1 / (t + 2)) }))
    const audit = auditReward(lines, CORRECTNESS)
    expect(audit.baseline?.difference.low).toBeLessThan(0)
    expect(audit.lastMinima?.share.value).toBe(1)
  })

  it('finds the length bias of products: longer lines score lower though nothing is wrong', () => {
    const draw = random('length')
    const lines = Array.from({ length: 200 }, (_, i): AuditLine => {
      const scores = Array.from({ length: 1 + draw.below(10) }, () => 0.8 + 0.1 * draw.next())
      return { question: `q${i}`, half: 'tune', scores, lengths: scores.map(() => 1), right: true }
    })
    const { length, outcome, baseline } = auditReward(lines, CORRECTNESS)
    const by = (name: string): number => length.find(({ aggregate }) => aggregate === name)!.correlation.value
    expect(by('product')).toBeLessThan(-0.9)
    expect(Math.abs(by('mean'))).toBeLessThan(0.2)
    expect([outcome, baseline]).toEqual([null, null])
  })

  it('take the truth of steps from the labels that are named, nothing after a first error', () => {
    const trace: Trace = {
      id: 't',
      problem: { id: 'p', prompt: 'p' },
      steps: ['a', 'b', 'c'].map((text) => ({ text, kind: 'thought' })),
      labels: [{ meaning: 'first-error', value: 1, source: 'people' }],
      source: { generator: '', dataset: '', licence: '' },
    }
    expect(auditLines([trace], [[1, 1, 1]], 'people')[0]?.truth).toEqual([true, false, null])
    expect(auditLines([trace], [[1, 1, 1]], 'others')[0]?.truth).toBeUndefined()
  })
})

describe('a value model as a locator', () => {
  it('falls where the value falls, whatever its level', () => {
    const found = drops([0.5, 0.4, null, 0.1, 0.3], 0.6)
    expect(found.map((x) => x && Number(x.toFixed(6)))).toEqual([0.9, 0.9, null, 0.7, 1])
  })

  it('chooses level or fall and threshold on the tune half, and reports on the other', () => {
    const draw = random('values')
    const lines = Array.from({ length: 300 }, (_, i): AuditLine => {
      const start = 0.3 + 0.6 * draw.next()
      const wrong = draw.below(5) - 1
      const truth = Array.from({ length: 4 }, (_, t) => wrong < 0 || t < wrong)
      const scores = truth.map((right) => (right ? start : start - 0.25))
      return { question: `q${i}`, half: i % 2 === 0 ? 'tune' : 'report', scores, lengths: [1, 1, 1, 1], truth }
    })
    // A fall after the first step is sure; whether the first step is wrong cannot be seen.
    const found = locateBy(lines, 'value')
    expect(found).toMatchObject({ kind: 'drop', lines: 150 })
    expect(found?.f1.value).toBeGreaterThan(0.7)
    expect(locateBy(lines.slice(0, 1), 'value')).toBeNull()
  })
})
