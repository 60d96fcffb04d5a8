import { describe, expect, it } from 'vitest'
import { random } from '../src/core/seeds.ts'
import { dual } from '../src/improve/credit/dual.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { exactly, worthOf } from './hop-exact.ts'
import { type Game, play, policyOf, questionsOf, tableOf } from './hop-game.ts'
import {
  candidatesOf,
  featureOf,
  modelOf,
  type Pair,
  pairAccuracy,
  pairLoss,
  pairsOf,
  randomModel,
} from './hop-pairs.ts'
import { attemptsOf, gradientOf } from './hop-training.ts'

const game: Game = { hops: 3, limit: 8, slip: 0.1, familiar: 0.3 }
const table = tableOf(game, (move, { hop }) => ({ next: 1.6, answer: hop === 3 ? 2 : -1 })[move as string] ?? 0)
const policy = policyOf(game, table)
const questions = questionsOf(game, 'pairs', 60)
const candidates = candidatesOf(game, policy, questions, 'pairs')

describe('pairs of next steps', () => {
  it('set apart what rollouts set apart, or what a judge who knows the question does', () => {
    for (const by of ['rollouts', 'judge'] as const) {
      const pairs = pairsOf(game, candidates, by)
      expect(pairs.length).toBeGreaterThan(50)
      expect(pairs.length).toBeLessThanOrEqual(candidates.length)
      const worth = worthOf(game, policy)
      const gaps = pairs.map(({ place, better, worse }) => worth(place, better) - worth(place, worse))
      // Rollouts err by chance; a judge sends a run that has lost its way on.
      expect(gaps.filter((gap) => gap < 0).length / gaps.length).toBeLessThan(by === 'rollouts' ? 0.05 : 0.25)
    }
    expect(pairsOf(game, candidates, 'judge').some(({ better }) => better === 'guess')).toBe(false)
    expect(
      pairsOf(game, candidates, 'rollouts').some(({ better, place }) => better === 'guess' && place.state.familiar),
    ).toBe(true)
  })

  it('teach a model whose loss has the gradient of central differences and is antisymmetric in the two steps', () => {
    const pairs = pairsOf(game, candidates, 'rollouts').slice(0, 20)
    const model = randomModel('loss')
    const { gradient } = pairLoss(game, model, pairs)
    const h = 1e-5
    for (const i of gradient.keys()) {
      const at = (by: number): number => pairLoss(game, model.with(i, model[i]! + by), pairs).loss
      expect(gradient[i]).toBeCloseTo((at(h) - at(-h)) / (2 * h), 7)
    }
    const [one] = pairs as [Pair]
    const turned = { ...one, better: one.worse, worse: one.better }
    const gap = model[featureOf(game, one.place, one.better)]! - model[featureOf(game, one.place, one.worse)]!
    expect(pairLoss(game, model, [one]).loss - pairLoss(game, model, [turned]).loss).toBeCloseTo(-gap, 12)
  })

  it('teach a model that orders steps by exact Q, which a random one does not', () => {
    const model = modelOf(game, pairsOf(game, candidates, 'rollouts'))
    expect(pairAccuracy(game, policy, model, questions, 'accuracy')).toBeGreaterThan(0.9)
    const chance = Array.from({ length: 20 }, (_, i) =>
      pairAccuracy(game, policy, randomModel(`${i}`), questions, 'accuracy'),
    )
    expect(Math.abs(chance.reduce((a, b) => a + b) / 20 - 0.5)).toBeLessThan(0.2)
  })
})

describe('dual credit in HopWorld', () => {
  const exact = exactly(
    game,
    table,
    () => 0,
    (o) => ({ fixed: o, perScore: 0 }),
  ).gradient
  const groups = questions.flatMap((question, q) =>
    Array.from({ length: 20 }, (_, k) => {
      const draw = random(`dual/${q}/${k}`)
      return Array.from({ length: 8 }, () => play(game, { ...question, familiar: draw.next() < 0.3 }, policy, draw))
    }),
  )
  const gradient = (scores: 'worth' | 'noise' | null): Float64Array => {
    const worth = worthOf(game, policy)
    const draw = random('dual/noise')
    const runs = groups.flatMap((group) => {
      const of =
        scores === null
          ? {}
          : {
              scores: () =>
                group.map(({ turns }) =>
                  turns.map(({ place, move }) => (scores === 'worth' ? worth(place, move) : draw.next())),
                ),
            }
      const credit = scores === null ? outcome : dual
      const credits = credit.credit(attemptsOf(group, { credit, ...of }, ''), scores === null ? {} : { coef: 1 })
      return group.map((episode, i) => ({
        episode,
        advantages: credits[i]?.parts[scores === null ? 'outcome' : 'step'] ?? [],
      }))
    })
    return gradientOf(game, policy, runs)
  }

  it('points along the exact policy gradient where scores are exact Q, and nowhere where they are noise', () => {
    const whole = gradient(null)
    expect(cosine(whole, exact)).toBeGreaterThan(0.9)
    expect(cosine(gradient('worth'), exact)).toBeGreaterThan(0.9)
    const noise = gradient('noise')
    expect(Math.abs(cosine(noise, exact))).toBeLessThan(0.5)
    expect(length(noise)).toBeLessThan(0.2 * length(whole))
  })
})

const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, v, i) => sum + v * y[i]!, 0)
const length = (x: Float64Array): number => Math.sqrt(dot(x, x))
const cosine = (x: Float64Array, y: Float64Array): number => dot(x, y) / (length(x) * length(y))
