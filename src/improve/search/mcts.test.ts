import { describe, expect, it } from 'vitest'
import { Tree } from '../../core/tree.ts'
import { puct } from '../../label/annotators/mcts-search.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { searchContext } from './context.ts'
import { mcts } from './mcts.ts'
import { answerOf, byNumber, PROBLEM, scripted } from './scripted.testing.ts'
import { type SearchContext, solveWith } from './search.ts'

const context = (table: Record<string, string[]>, more: Partial<SearchContext> = {}) => {
  const policy = scripted(table)
  return { ...searchContext({ problem: PROBLEM, policy, reward: byNumber, answerOf, ...more }), asked: policy.asked }
}

describe('mcts', () => {
  it('scores a child as the paper does', () => {
    expect(puct(0.2, 0.5, 16, 3, 1.25)).toBeCloseTo(0.825, 12)
  })

  it('backs up worth to all above: 1, -1 and 1 through one edge give Q 1/3', async () => {
    const run = context({ '': ['a50', 'a50'], a50: ['=x100', '=y00', '=z100'] })
    // The step itself is worth 0 on the scale from -1 to 1.
    const found = await solveWith(
      mcts,
      { ...run, reward: { ...byNumber, score: async (l) => byNumber.score(l) } },
      { iterations: 2, children: 3 },
    )
    const tree = Tree.fromJSON(found.tree!)
    const a = tree.child(0, 'a50')!
    expect(tree.visits(a)).toBe(4)
    expect(2 * ((tree.successes(a) - 0.5) / 3) - 1).toBeCloseTo(1 / 3, 12)
  })

  it('never opens a line that has ended, and stops when all have', async () => {
    const run = context({ '': ['=a90', 'b10'], b10: ['=c20', '=d20'] })
    const found = await solveWith(mcts, run, { iterations: 50, children: 2 })
    expect(run.asked).toEqual(['#0', '#1', 'b10#0', 'b10#1'])
    expect(found.candidates.map((c) => c.trace.answer)).toEqual(['a90', 'c20', 'd20'])
    expect(found.answer).toBe('a90')
  })

  it('answers by the way of the highest mean worth, not by one lucky end', async () => {
    const table = { '': ['a60', 'b60'], a60: ['=lucky90', '=no00'], b60: ['=good85', '=good80'] }
    const found = await solveWith(mcts, context(table), { iterations: 9, children: 2 })
    expect(found.answer).toBe('good85')
  })

  it('judges a new step by a run that is finished from it, where asked to', async () => {
    const table = { '': ['trap90', 'gold20'], trap90: ['=no01'], gold20: ['=yes95'] }
    const runs = await solveWith(mcts, context(table), { iterations: 1, children: 2, leaf: 'rollout' })
    expect(runs).toMatchObject({ answer: 'yes95', usage: { calls: 4 } })
    expect(await solveWith(mcts, context(table), { iterations: 1, children: 2 })).toMatchObject({
      answer: 'no01',
      flags: ['plain-sampling'],
    })
  })

  it('ends at a budget with what it has, and counts a line without an answer as worthless', async () => {
    const table = { '': ['=a30', 'b80'], b80: ['c80'] }
    const found = await solveWith(mcts, context(table, { budget: { calls: 4 } }), { children: 2 })
    expect(found).toMatchObject({ answer: 'a30', outOfBudget: true, usage: { calls: 4 } })
    const dead = await solveWith(mcts, context({ '': ['=a30', 'b80'] }), { children: 2 })
    expect(dead).toMatchObject({ answer: 'a30', outOfBudget: false })
  })

  it('with exact values solves what the same policy hardly ever does alone, and does the same again', async () => {
    const policy = taskCompleter({ task: arithmeticChain, slip: 0.4, recovery: 0, seed: 'mcts' })
    let right = 0
    for (const problem of arithmeticChain.generate('mcts', 2, 12)) {
      const solve = () =>
        solveWith(mcts, searchContext({ problem, policy, reward: oracleReward('value', { slip: 0.4 }) }))
      const found = await solve()
      if (arithmeticChain.check(problem, found.answer ?? '')) right++
      expect(await solve()).toEqual(found)
    }
    expect(right).toBeGreaterThanOrEqual(11)
  })
})
