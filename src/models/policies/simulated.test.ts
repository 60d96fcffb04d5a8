import { describe, expect, it } from 'vitest'
import type { Problem } from '../../core/words.ts'
import { rollout } from '../../engine/rollout.ts'
import { game24 } from '../../worlds/tasks/game24.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import { game24RandomPolicy, taskPolicy } from './simulated.ts'

describe('players by rules', () => {
  it.each(TASKS)(
    'the completer of $name is right without slips, and wrong at least at times with them',
    async (task) => {
      const problems = task.generate('simulated-test', 0, 20)
      const outcomes = async (slip: number): Promise<number[]> => {
        const policy = taskPolicy({ slip, recovery: 0 })
        const done = await Promise.all(problems.map((problem) => rollout({ problem, policy, verifier: task })))
        return done.map((one) => (one.ok ? (one.trace.outcome ?? -1) : -1))
      }
      expect(await outcomes(0)).toEqual(problems.map(() => 1))
      expect(await outcomes(0.5)).toContain(0)
    },
  )

  it('writes the same for the same seed, prefix and sample, at a known cost', async () => {
    const [problem] = game24.generate('simulated-test', 1, 1)
    if (!problem) throw new Error('no problem')
    for (const [make, calls] of [
      [(seed: string) => game24RandomPolicy(seed), 0],
      [(seed: string) => taskPolicy({ slip: 0.5 }, seed), 4],
    ] as const) {
      const write = (seed: string, sample: number) =>
        rollout({ problem, policy: make(seed), sample, stepwise: true, verifier: game24 })
      expect(await write('a', 3)).toEqual(await write('a', 3))
      const texts = await Promise.all([...Array(8).keys()].map(async (i) => JSON.stringify(await write('a', i))))
      expect(new Set(texts).size).toBeGreaterThan(1)
      expect(await write('a', 0)).toMatchObject({ trace: { usage: { calls } } })
    }
  })

  it('refuses foreign problems and impossible chances', async () => {
    const foreign: Problem = { id: 'p', prompt: 'What is love?' }
    expect(await taskPolicy().complete(foreign, [], 0)).toMatchObject({ ok: false, error: { code: 'GRD-WORLD-001' } })
    expect(await game24RandomPolicy().next(foreign, [], 0)).toMatchObject({ ok: false })
    expect(() => taskPolicy({ slip: 1 })).toThrow('GRD-CLI-002')
    expect(() => taskPolicy({ recovery: Number.NaN })).toThrow('GRD-CLI-002')
  })
})
