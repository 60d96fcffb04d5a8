import { describe, expect, it } from 'vitest'
import type { Step } from '../../core/words.ts'
import { rollout, rollouts } from '../../engine/rollout.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import { taskCompleter } from './task-completer.ts'

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const problem = task.generate('completer', 4, 1)[0]!

async function rate(policy: ReturnType<typeof taskCompleter>, prefix: readonly string[], n = 2_000) {
  const done = await rollouts({ problem, policy, prefix: thoughts(prefix), verifier: task }, { from: 0, count: n })
  return done.filter((r) => r.ok && r.trace.outcome === 1).length / n
}

describe('task completer', () => {
  it('succeeds from any prefix as often as the oracle says', async () => {
    const options = { slip: 0.1, recovery: 0.4 }
    const policy = taskCompleter({ task, ...options, seed: 's' })
    const wrong = task.inject(problem, 'result', 3, 'x')?.steps ?? []
    for (const prefix of [problem.solution?.slice(0, 2) ?? [], wrong.slice(0, 4), wrong.slice(0, 5)]) {
      const value = task.oracle(problem, prefix, options).at(-1)?.value ?? Number.NaN
      expect(Math.abs((await rate(policy, prefix)) - value)).toBeLessThan(4 * Math.sqrt(0.25 / 2_000))
    }
  })

  it('is rescued from a lost prefix exactly as often as asked, however far the error is back', async () => {
    const policy = taskCompleter({ task, slip: 0.1, recovery: 0, rescue: 0.05, seed: 's' })
    const wrong = task.inject(problem, 'operand', 1, 'x')?.steps ?? []
    for (const length of [2, 4, 8]) {
      expect(Math.abs((await rate(policy, wrong.slice(0, length))) - 0.05)).toBeLessThan(4 * Math.sqrt(0.05 / 2_000))
    }
    // a good prefix is not helped
    const value = 0.9 ** ((problem.solution?.length ?? 0) - 2)
    expect(Math.abs((await rate(policy, problem.solution?.slice(0, 2) ?? [])) - value)).toBeLessThan(0.045)
  })

  it('says the same for the same seed and sample, step by step or in one go, and something else otherwise', async () => {
    for (const one of TASKS) {
      const [p] = one.generate('same', 0, 1)
      if (!p) throw new Error('no problem')
      const policy = taskCompleter({ task: one, slip: 0.3, seed: 'a' })
      const [whole, again] = await Promise.all([1, 2].map(() => rollout({ problem: p, policy, verifier: one })))
      expect(again).toEqual(whole)
      const first = await policy.next(p, [], 0)
      expect(first.ok && first.steps[0]).toEqual(whole?.ok && whole.trace.steps[0])
      expect(whole?.ok && whole.trace.usage?.completionTokens).toBeGreaterThan(0)
    }
    const texts = await Promise.all(
      ['a', 'b'].flatMap((seed) =>
        [0, 1].map(async (sample) => {
          const done = await taskCompleter({ task, slip: 0.5, seed }).complete(problem, [], sample)
          return JSON.stringify(done.ok && done.steps)
        }),
      ),
    )
    expect(new Set(texts).size).toBe(4)
  })
})
