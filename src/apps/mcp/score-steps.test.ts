import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { NO_USAGE } from '../../core/words.ts'
import { AGGREGATORS } from '../../models/rewards/aggregators.ts'
import type { RewardModel, Scored } from '../../models/rewards/reward.ts'
import { scoreSteps } from './score-steps.ts'
import { ask, plainServices, textOf } from './testing/ask.ts'

/** Scores a step by the number that it is. */
const reading: RewardModel = {
  name: 'reading',
  identity: 'reading',
  meaning: 'correctness',
  aggregate: 'min',
  threshold: 0.5,
  score: async (lines) =>
    lines.map(({ steps }): Scored => {
      if (steps.length > 3_000) return { ok: false, error: new GradusError('GRD-MODEL-002'), usage: NO_USAGE }
      return { ok: true, scores: steps.map(({ text }) => (text === '?' ? null : Number(text))), usage: NO_USAGE }
    }),
}
const services = plainServices('/', { scorer: reading })
const score = (steps: string[]) => ask(scoreSteps, { problem: 'p', steps }, services)

describe('score_steps', () => {
  it('gives every score and every aggregate, and the first step below the threshold', async () => {
    const said = [0.9, 0.4, 0.8]
    const result = await score(['.9', '?', '.4', '.8'])
    expect(result.structuredContent).toEqual({
      id: 'given',
      model: 'reading',
      meaning: 'correctness',
      scores: [0.9, null, 0.4, 0.8],
      leftOut: 0,
      unknown: 1,
      score: 0.4,
      aggregate: 'min',
      aggregates: Object.fromEntries(
        Object.entries(AGGREGATORS).map(([name, of]) => [name, Number(of(said).toFixed(6))]),
      ),
      firstBelow: { threshold: 0.5, step: 2 },
    })
    expect(textOf(result)).toBe('reading says correctness: 0.9, cannot say, 0.4, 0.8. Whole run (min): 0.4.')
  })

  it('has no score and no first step where the model says nothing', async () => {
    const { structuredContent } = await score(['?', '?'])
    expect(structuredContent).toMatchObject({ score: null, unknown: 2, aggregates: { mean: null } })
    expect(structuredContent).not.toHaveProperty('firstBelow')
  })

  it('cuts a long list and says so; fails with the error of the model', async () => {
    const { structuredContent } = await score(Array.from({ length: 1_500 }, (_, i) => (i === 1_400 ? '.1' : '.7')))
    expect(structuredContent).toMatchObject({ leftOut: 500, score: 0.1, firstBelow: { step: 1_400 } })
    expect(await score(Array.from({ length: 3_001 }, () => '1'))).toMatchObject({
      isError: true,
      structuredContent: { error: { code: 'GRD-MODEL-002' } },
    })
  })
})
