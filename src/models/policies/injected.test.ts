import { describe, expect, it } from 'vitest'
import { rollout } from '../../engine/rollout.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import { injectedPolicy } from './injected.ts'

describe('solutions with errors put in', () => {
  it.each(TASKS)('$name: none without a share, and in nearly every trace with all of it', async (task) => {
    const problems = task.generate('injected-test', 0, 12)
    const wrong = async (share: number): Promise<number> => {
      let count = 0
      for (const problem of problems) {
        const done = await rollout({ problem, policy: injectedPolicy(share), verifier: task })
        if (!done.ok) throw done.error
        const truths = task.oracle(
          problem,
          done.trace.steps.map((step) => step.text),
        )
        if (truths.some((truth) => !truth.correct)) count++
      }
      return count
    }
    expect(await wrong(0)).toBe(0)
    expect(await wrong(1)).toBeGreaterThan(8)
  })

  it('writes the same step by step as at once, and the same for the same seed and sample', async () => {
    const task = TASKS[0]
    const [problem] = task?.generate('injected-test', 0, 1) ?? []
    if (!task || !problem) throw new Error('no problem')
    const write = async (seed: string, sample: number, stepwise: boolean) => {
      const done = await rollout({ problem, policy: injectedPolicy(1, seed), sample, stepwise, verifier: task })
      return done.ok ? done.trace.steps.map((step) => step.text).join('/') : done.error.code
    }
    expect(await write('a', 2, true)).toBe(await write('a', 2, false))
    const texts = await Promise.all([0, 1, 2, 3, 4, 5].map((sample) => write('a', sample, false)))
    expect(new Set(texts).size).toBeGreaterThan(2)
    const foreign = { id: 'p', prompt: 'What is love?' }
    expect(await injectedPolicy().complete(foreign, [], 0)).toMatchObject({
      ok: false,
      error: { code: 'GRD-WORLD-001' },
    })
  })
})
