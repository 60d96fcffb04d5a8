import { describe, expect, it } from 'vitest'
import { searchContext } from './context.ts'
import { answerOf, byNumber, PROBLEM, scripted } from './scripted.testing.ts'
import { solveWith } from './search.ts'
import { treeOfThoughts } from './tree-of-thoughts.ts'

const solve = (table: Record<string, string[]>, options: object, budget = {}) => {
  const policy = scripted(table)
  const context = searchContext({ problem: PROBLEM, policy, reward: byNumber, answerOf, budget })
  return solveWith(treeOfThoughts, context, options)
}
const answers = (found: Awaited<ReturnType<typeof solve>>) => found.candidates.map((c) => c.trace.answer)

describe('tree-of-thoughts', () => {
  it('keeps equal values in the order of their proposals, and a repeat for nothing', async () => {
    const found = await solve({ '': ['=a50', '=b50', '=b50', '=c70', '=d20'] }, { proposals: 5, beam: 4 })
    expect(answers(found)).toEqual(['c70', 'a50', 'b50', 'd20'])
    expect(found.answer).toBe('c70')
  })

  it('lets a finished line be pushed out by better ones', async () => {
    const table = { '': ['=early60', 'x55'], x55: ['=late90', '=late80'] }
    expect(answers(await solve(table, { proposals: 2, beam: 2 }))).toEqual(['late90', 'late80'])
  })

  it('ends at a budget with what is finished', async () => {
    const table = { '': ['=early60', 'x55'], x55: ['=late90', '=late80'] }
    const short = await solve(table, { proposals: 2, beam: 2 }, { calls: 2 })
    expect(short).toMatchObject({ answer: 'early60', outOfBudget: true })
  })
})
