import { describe, expect, it } from 'vitest'
import { NO_USAGE } from '../../core/words.ts'
import { taskPolicy } from '../../models/policies/simulated.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { bestOfN } from './best-of-n.ts'
import { CandidatePool } from './candidates.ts'
import { solveWith } from './search.ts'

/** Knows the truth: 1 for a right step. */
const oracle: RewardModel = {
  name: 'oracle',
  identity: 'oracle',
  meaning: 'correctness',
  aggregate: 'min',
  score: async (lines) =>
    lines.map(({ problem, steps }) => ({
      ok: true,
      scores: arithmeticChain
        .oracle(
          problem,
          steps.map((s) => s.text),
        )
        .map(({ correct }) => Number(correct)),
      usage: { ...NO_USAGE, calls: 1 },
    })),
}

function contextOf(index: number) {
  const problem = arithmeticChain.generate('bon', 1, 8)[index]!
  const policy = taskPolicy({ slip: 0.2, recovery: 0 })
  const answerOf = (steps: readonly { text: string }[]) => arithmeticChain.answerOf(steps.map((s) => s.text))
  const pool = new CandidatePool({ problem, policy, reward: oracle, answerOf })
  const same = (a: string, b: string) => a === b
  return { problem, policy, reward: oracle, answerOf, same, budget: {}, seed: '0', pool }
}

describe('best-of-n', () => {
  it('with a perfect model finds the right answer wherever one sample has it', async () => {
    for (let i = 0; i < 8; i++) {
      const context = contextOf(i)
      const found = await solveWith(bestOfN, context, { n: 16 })
      const right = found.candidates.map((c) => arithmeticChain.check(context.problem, c.trace.answer ?? ''))
      expect(arithmeticChain.check(context.problem, found.answer ?? '')).toBe(right.includes(true))
    }
  })

  it('asks for 8 more samples after 8, and each search pays in its own books for all that it used', async () => {
    const context = contextOf(0)
    const eight = await solveWith(bestOfN, context, { n: 8 })
    const sixteen = await solveWith(bestOfN, context, { n: 16 })
    expect(sixteen.candidates.slice(0, 8)).toEqual(eight.candidates)
    expect([eight.usage.calls, sixteen.usage.calls]).toEqual([8, 16])
  })
})
