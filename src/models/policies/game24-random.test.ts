import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { game24 } from '../../worlds/tasks/game24.ts'
import { game24Random } from './game24-random.ts'

describe('game24-random', () => {
  const problems = game24.generate('random-player', 1, 60)
  const runs = problems.flatMap((problem) =>
    Array.from({ length: 20 }, (_, i) => ({
      problem,
      steps: game24Random.complete(problem, [], random(`${problem.id}/${i}`)),
    })),
  )

  it('makes legal moves of which one in ten is miscalculated, by the oracle of the task', () => {
    const moves = runs.flatMap(({ problem, steps }) => game24.oracle(problem, steps).slice(0, -1))
    const wrong = moves.filter(({ correct }) => !correct).length / moves.length
    expect(moves).toHaveLength(60 * 20 * 3)
    expect(wrong).toBeGreaterThan(0.08)
    expect(wrong).toBeLessThan(0.12)
  })

  it('answers always, and rarely right', () => {
    const right = runs.filter(({ problem, steps }) => game24.check(problem, game24.answerOf(steps) ?? '')).length
    expect(runs.every(({ steps }) => steps.at(-1)?.startsWith('='))).toBe(true)
    expect(right / runs.length).toBeLessThan(0.05)
    expect(right).toBeGreaterThan(0)
  })

  it('plays on from a prefix as stated', () => {
    const problem = { prompt: '1 2 5 11' }
    const steps = ['11-5=6 (left: 6 1 2)', '6*2=12 (left: 12 1)', '12-1=11 (left: 11)', '=((11-5)*2)-1']
    const go = (n: number) => game24Random.complete(problem, steps.slice(0, n), random(`prefix/${n}`))
    expect([0, 1, 2, 3, 4].map((n) => go(n).length)).toEqual([4, 3, 2, 1, 0])
    expect(go(3)).toEqual(['=((11-5)*2)-1'])
    expect(go(2).at(-1)).toMatch(/\(\(11-5\)\*2\)/)
  })
})
