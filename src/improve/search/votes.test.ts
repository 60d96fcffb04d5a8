import { describe, expect, it } from 'vitest'
import { searchContext } from './context.ts'
import { majority } from './majority.ts'
import { answerOf, byNumber, PROBLEM, scoring, scripted } from './scripted.testing.ts'
import { type SearchContext, solveWith } from './search.ts'
import { weightedVote } from './weighted-vote.ts'

const context = (answers: string[], more: Partial<SearchContext> = {}): SearchContext =>
  searchContext({
    problem: PROBLEM,
    policy: scripted({ '': answers.map((a) => `=${a}`) }),
    answerOf,
    reward: byNumber,
    ...more,
  })

describe('majority', () => {
  it('takes what most say, and of equally many what was said first', async () => {
    expect(await solveWith(majority, context(['1', '2', '2', '3', '3', '3']), { n: 6 })).toMatchObject({
      answer: '3',
      chosen: 3,
    })
    expect(await solveWith(majority, context(['1', '2', '2', '1']), { n: 4 })).toMatchObject({ answer: '1', chosen: 0 })
  })

  it('counts answers that are written differently as one', async () => {
    expect(await solveWith(majority, context(['3', '1/2', '0.5', '3.5']), { n: 4 })).toMatchObject({ answer: '1/2' })
  })

  it('never pays for a reward model, gives a sample without an answer no vote, and none an answer where nobody has one', async () => {
    const spent = { ...byNumber, score: () => Promise.reject(new Error('asked')) }
    const some = context([], { policy: scripted({ '': ['x', 'y', '=1', 'z'] }), reward: spent })
    expect(await solveWith(majority, some, { n: 4 })).toMatchObject({ answer: '1', chosen: 2 })
    const none = context([], { policy: scripted({ '': ['x'] }) })
    expect(await solveWith(majority, none, { n: 2 })).toMatchObject({ answer: null, chosen: null })
    await expect(solveWith(majority, none, { n: 1 })).rejects.toMatchObject({ code: 'GRD-SEARCH-001' })
  })
})

describe('weighted-vote', () => {
  it('lets two good samples outvote three bad ones, and shows the best of the winners', async () => {
    const answers = ['a10', 'a11', 'a12', 'b70', 'b80']
    const same = (a: string, b: string) => a[0] === b[0]
    expect(await solveWith(weightedVote, context(answers, { same }), { n: 5 })).toMatchObject({
      answer: 'b80',
      chosen: 4,
    })
  })

  it('is the majority where nothing has a score, and says so', async () => {
    const blind = context(['1', '2', '2'], { reward: scoring(() => null) })
    expect(await solveWith(weightedVote, blind, { n: 3 })).toMatchObject({ answer: '2', flags: ['unscored'] })
  })

  it('weighs sums of log-odds as the probabilities that they stand for, so that doubt never counts against a bloc', async () => {
    const doubtful = context(['1', '2', '2'], {
      reward: scoring((t) => (t === '=1' ? 0.6 : 0.4)),
      aggregate: 'log-odds',
    })
    expect(await solveWith(weightedVote, doubtful, { n: 3 })).toMatchObject({ answer: '2' })
  })
})
