import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { NO_USAGE } from '../../core/words.ts'
import { answersOf, searchContext, solve } from './context.ts'
import { SEARCHES } from './index.ts'
import { majority } from './majority.ts'
import { answerOf, byNumber, COST, PROBLEM, scripted, thought } from './scripted.testing.ts'
import { solveWith } from './search.ts'

const TABLE = { '': ['a60', 'b40', 'c50'], a60: ['=x70', '=y30'], b40: ['=x20'], c50: ['=y90'] }
const context = (policy = scripted(TABLE), budget = {}) =>
  searchContext({ problem: PROBLEM, policy, reward: byNumber, answerOf, budget })

describe('every search', () => {
  it.each(SEARCHES)('$name does the same again, and keeps to a budget of calls', async (search) => {
    const found = await solveWith(search, context())
    expect(found.answer).not.toBeNull()
    expect(await solveWith(search, context())).toEqual(found)
    for (const calls of [1, 2, 3, 5]) {
      const policy = scripted(TABLE)
      const short = await solveWith(search, context(policy, { calls }))
      expect(policy.asked.length).toBeLessThanOrEqual(calls)
      expect(short.usage.calls).toBe(policy.asked.length)
    }
  })

  it.each(SEARCHES)('$name does without the calls that fail, and fails where all do', async (search) => {
    const error = new GradusError('GRD-CALL-004')
    const failing = (some: boolean) => {
      const own = scripted(TABLE)
      const lost = (sample: number) => !some || sample % 3 === 1
      return {
        ...own,
        next: async (...a: Parameters<typeof own.next>) =>
          lost(a[2]) ? ({ ok: false, error, usage: COST } as const) : own.next(...a),
        complete: async (...a: Parameters<typeof own.complete>) =>
          lost(a[2]) ? ({ ok: false, error, usage: COST } as const) : own.complete(...a),
      }
    }
    expect((await solveWith(search, context(failing(true)))).answer).not.toBeNull()
    await expect(solveWith(search, context(failing(false)))).rejects.toBe(error)
  })

  it.each(SEARCHES)('$name does with a reward model that fails, and says so', async (search) => {
    const error = new GradusError('GRD-REWARD-001')
    const broken: typeof byNumber = {
      ...byNumber,
      score: async (lines) => lines.map(() => ({ ok: false, error, usage: NO_USAGE })),
    }
    const found = await solveWith(search, {
      ...context(),
      ...searchContext({ problem: PROBLEM, policy: scripted(TABLE), reward: broken, answerOf }),
    })
    expect(found.answer).not.toBeNull()
    if (search.needs.includes('reward')) expect(found.flags).toContain('unscored')
  })
})

describe('a search as an async iterator', () => {
  it('tells each candidate as it comes, and at last what it found', async () => {
    const kinds: string[] = []
    let answer: string | null = null
    for await (const event of solve(majority, { problem: PROBLEM, policy: scripted(TABLE), answerOf }, { n: 3 })) {
      kinds.push(event.kind)
      if (event.kind === 'solution') answer = event.solution.answer
    }
    expect(kinds).toEqual(['candidate', 'candidate', 'candidate', 'solution'])
    expect(answer).toBe('x70')
  })

  it('reads answers by the task that the problem belongs to, else as the text marks them', () => {
    const own = answersOf({ id: '', prompt: '4 6 1 1', domain: 'game24' })
    expect(own.answerOf([thought('=4*6*1*1')])).toBe('4*6*1*1')
    expect(own.same('4*6*1*1', '6*4*1*1')).toBe(false)
    const free = answersOf({ id: '', prompt: 'What is 1/2 + 1/4?' })
    expect(free.answerOf([thought('So we have'), thought('the answer is \\boxed{3/4}.')])).toBe('3/4')
    expect(free.same('3/4', '0.75')).toBe(true)
  })
})
