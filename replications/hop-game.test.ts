import { describe, expect, it } from 'vitest'
import { random } from '../src/core/seeds.ts'
import { type Attempt, outcomeAdvantages } from '../src/improve/credit/credit.ts'
import { renorm } from '../src/improve/credit/renorm.ts'
import { hopworld } from '../src/worlds/tasks/hopworld.ts'
import { exactly, worthOf } from './hop-exact.ts'
import {
  type Game,
  isSearch,
  MOVES,
  type Move,
  play,
  policyOf,
  questionsOf,
  rowOf,
  type State,
  tableOf,
} from './hop-game.ts'
import { gradientOf } from './hop-training.ts'
import { PAYOFFS, pointsOf, rubric } from './ppr-renorm.ts'

const game: Game = { hops: 3, limit: 6, slip: 0.2, familiar: 0.3 }
const noise = random('hop-game')
const table = tableOf(
  game,
  (move) => ({ next: 2, astray: 0.5, aside: 0.5, answer: 0.3 })[move as string] ?? noise.normal(),
)
const policy = policyOf(game, table)
const outcome = PAYOFFS['outcomes alone']!
const runs = questionsOf(game, 'test', 100).flatMap((question, i) => {
  const draw = random(`runs/${i}`)
  // Whether a question is known is drawn anew, so that a hundred questions do not decide how many are.
  return Array.from({ length: 60 }, () =>
    play(game, { ...question, familiar: draw.next() < game.familiar }, policy, draw),
  )
})

describe('the policy in HopWorld', () => {
  it('is right, searches and guesses as often as is computed without a run', () => {
    const exact = exactly(game, table, pointsOf, outcome)
    const share = (of: (run: (typeof runs)[number]) => number): number =>
      runs.reduce((s, run) => s + of(run), 0) / runs.length
    const near = 4 * Math.sqrt(0.25 / runs.length)
    expect(Math.abs(share((run) => run.outcome) - exact.right)).toBeLessThan(near)
    expect(
      Math.abs(share((run) => Number(run.outcome === 1 && run.turns.at(-1)?.move === 'guess')) - exact.guessed),
    ).toBeLessThan(near)
    expect(Math.abs(share((run) => run.turns.length - 1) - exact.searches)).toBeLessThan(0.1)
    const points = share((run) => rubric(run).reduce<number>((sum, x) => sum + (x ?? 0), 0))
    expect(Math.abs(points - exact.score)).toBeLessThan(0.1)
  })

  it('is never right by luck, nor wrong where it kept to the path and said where it led', () => {
    for (const { turns, outcome: right, question } of runs) {
      const last = turns.at(-1)!
      const { lost, state } = last.place
      expect(right).toBe(Number(hopworld.check(question.problem, last.text.slice(1))))
      expect(right).toBe(Number(last.move === 'answer' ? state.hop === game.hops && !lost : question.familiar))
    }
  })

  it('is given by the judge what the exact figures count for a search', () => {
    for (const run of runs) {
      const found = rubric(run)
      for (const [t, { move, place, text }] of run.turns.entries()) {
        // A lost run may make a search twice without meaning to.
        const vagueAgain = move === 'again' && text.startsWith('search: more')
        if (isSearch(move) && !place.lost) expect(found[t]).toBeCloseTo(vagueAgain ? 0 : pointsOf(move), 12)
        if (!isSearch(move)) expect(found[t]).toBeNull()
      }
    }
  })
})

describe('what rewards ask for', () => {
  it('has the gradient of central differences in every form', () => {
    const h = 1e-5
    const cells = [
      { familiar: false, hop: 0, turn: 0 },
      { familiar: true, hop: 1, turn: 2 },
      { familiar: false, hop: 3, turn: 4 },
    ]
    for (const payoff of Object.values(PAYOFFS)) {
      const { gradient } = exactly(game, table, pointsOf, payoff)
      for (const cell of cells) {
        for (let m = 0; m < MOVES.length; m++) {
          const at = rowOf(game, cell) + m
          const shifted = (by: number): number => {
            const moved = table.slice()
            moved[at]! += by
            return exactly(game, moved, pointsOf, payoff).payoff
          }
          expect(gradient[at]).toBeCloseTo((shifted(h) - shifted(-h)) / (2 * h), 8)
        }
      }
    }
  })

  it('pays k searches aside on failures where points are added, and by ReNorm on successes only', () => {
    const slip = 0.4
    for (const k of [0, 1, 5]) {
      const padding: Game = { hops: 1, limit: k + 1, slip, familiar: 0 }
      const plan = (move: Move, { hop, turn }: State): number =>
        move === (hop === 1 ? 'answer' : turn < k ? 'aside' : 'next') ? 60 : 0
      const paid = (name: string): number => exactly(padding, tableOf(padding, plan), () => 1, PAYOFFS[name]!).payoff
      const right = 1 - slip
      expect(paid('outcomes alone')).toBeCloseTo(right, 9)
      expect(paid('additive, weight 1')).toBeCloseTo(right + k + 1, 9)
      expect(paid('ReNorm')).toBeCloseTo(right * (1 + k + 1), 9)
      expect(paid('gated by success')).toBeCloseTo(right * (1 + k + 1), 9)
      expect(paid('ReNorm, mean of a run')).toBeCloseTo(right * 2, 9)
    }
  })

  it('is the same by ReNorm and by added points in a group whose outcomes are all equal', () => {
    for (const all of [0, 1]) {
      const group = [0.2, 0.9].map(
        (score, i): Attempt => ({
          id: String(i),
          outcome: all,
          startValue: null,
          steps: [score, 1, 1 / 3].map((s, t) => ({ text: `${t}`, tokens: 1, score: s, value: null })),
        }),
      )
      const [tied, added] = ['renorm', 'additive'].map((form) =>
        renorm.credit(group, { form }).flatMap((one) => one.advantages),
      )
      for (const [i, a] of tied!.entries()) expect(a).toBeCloseTo(added![i]!, 9)
      expect(tied!.some((a) => a > 0.5)).toBe(true)
    }
  })
})

describe('learning from sampled groups', () => {
  it('goes the way of the exact gradient, by outcomes and by exact Q', () => {
    const exact = exactly(game, table, pointsOf, outcome).gradient
    const settings = { baseline: 'group', scale: 'none' } as const
    const attempts = runs.map(
      (run, i): Attempt => ({ id: String(i), outcome: run.outcome, startValue: null, steps: [] }),
    )
    const whole = outcomeAdvantages(attempts, settings)
    const worth = worthOf(game, policy)
    const value = runs.map(({ turns }) =>
      turns.map(({ place, move }) => {
        const mean = policy(place.state).reduce((sum, p, m) => sum + (p > 0 ? p * worth(place, MOVES[m]!) : 0), 0)
        return worth(place, move) - mean
      }),
    )
    const byOutcome = gradientOf(
      game,
      policy,
      runs.map((episode, i) => ({ episode, advantages: episode.turns.map(() => whole[i]!) })),
    )
    const byWorth = gradientOf(
      game,
      policy,
      runs.map((episode, i) => ({ episode, advantages: value[i]! })),
    )
    expect(cosine(byOutcome, exact)).toBeGreaterThan(0.95)
    expect(cosine(byWorth, exact)).toBeGreaterThan(0.98)
  })
})

function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, v, i) => sum + v * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
