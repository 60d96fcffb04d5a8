import { describe, expect, it } from 'vitest'
import { taskPolicy } from '../../models/policies/simulated.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { arithmetic } from '../../worlds/verifiers/arithmetic.ts'
import { bestOfN } from './best-of-n.ts'
import { searchContext } from './context.ts'
import { answerOf, byNumber, PROBLEM, scripted } from './scripted.testing.ts'
import { solveWith } from './search.ts'

function contextOf(index: number) {
  const problem = arithmeticChain.generate('bon', 1, 8)[index]!
  return searchContext({ problem, policy: taskPolicy({ slip: 0.2, recovery: 0 }), reward: oracleReward() })
}

const samples = scripted({ '': ['=a10', '=b90', '=c40', '=d90', '=e95'] })
const scriptedContext = (budget = {}) =>
  searchContext({ problem: PROBLEM, policy: samples, reward: byNumber, answerOf, budget })

describe('best-of-n', () => {
  it('with a perfect model finds the right answer wherever one sample has it', async () => {
    for (let i = 0; i < 8; i++) {
      const context = contextOf(i)
      const found = await solveWith(bestOfN, context, { n: 16 })
      const right = found.candidates.map((c) => arithmeticChain.check(context.problem, c.trace.answer ?? ''))
      expect(arithmeticChain.check(context.problem, found.answer ?? '')).toBe(right.includes(true))
    }
  })

  it('takes the earlier of equal scores', async () => {
    expect(await solveWith(bestOfN, scriptedContext(), { n: 4 })).toMatchObject({ answer: 'b90', chosen: 1 })
  })

  it('asks for 8 more samples after 8, and each search pays in its own books for all that it used', async () => {
    const context = scriptedContext()
    samples.asked.length = 0
    const eight = await solveWith(bestOfN, context, { n: 8 })
    const sixteen = await solveWith(bestOfN, context, { n: 16 })
    expect(sixteen.candidates.slice(0, 8)).toEqual(eight.candidates)
    expect([eight.usage.calls, sixteen.usage.calls, samples.asked.length]).toEqual([8, 16, 16])
  })

  it('ends at a budget of calls or tokens with what it has, however much others have drawn already', async () => {
    const context = scriptedContext({ calls: 3 })
    await context.pool.take(8)
    for (const one of [context, scriptedContext({ tokens: 30 }), scriptedContext({ tokens: 29 })]) {
      const found = await solveWith(bestOfN, one, { n: 5 })
      expect(found).toMatchObject({ answer: 'b90', outOfBudget: true, usage: { calls: 3, completionTokens: 30 } })
    }
  })

  it('leaves out what a veto refutes, unless it refutes all', async () => {
    const problem = { id: 'v', prompt: '2 + 2' }
    const policy = scripted({ '': ['2 + 2 = 5', '2 + 2 = 4'], '2 + 2 = 5': ['=5'], '2 + 2 = 4': ['=4'] })
    const reward = { ...byNumber, name: 'larger is better' }
    const context = searchContext({ problem, policy, reward, veto: arithmetic, answerOf })
    const found = await solveWith(bestOfN, context, { n: 2 })
    expect(found).toMatchObject({ answer: '4', chosen: 1, flags: [] })
    expect(found.candidates.map((c) => c.refuted)).toEqual([0, undefined])
    const wrong = {
      ...context,
      pool: searchContext({ problem, policy: scripted({ '': ['2 + 2 = 5'], '2 + 2 = 5': ['=5'] }), answerOf }).pool,
    }
    expect(await solveWith(bestOfN, wrong, { n: 2 })).toMatchObject({ answer: '5', flags: ['all-refuted'] })
  })

  it('refuses to choose from one, and without a reward model', async () => {
    await expect(solveWith(bestOfN, scriptedContext(), { n: 1 })).rejects.toMatchObject({
      code: 'GRD-SEARCH-001',
      where: { field: 'best-of-n:n' },
      found: '1',
    })
    const blind = searchContext({ problem: PROBLEM, policy: samples, answerOf })
    await expect(solveWith(bestOfN, blind)).rejects.toMatchObject({ code: 'GRD-SEARCH-001' })
  })
})
