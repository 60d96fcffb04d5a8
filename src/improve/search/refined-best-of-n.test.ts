import { describe, expect, it } from 'vitest'
import { NO_USAGE } from '../../core/words.ts'
import type { StepTool } from '../../label/annotators/annotator.ts'
import { searchContext } from './context.ts'
import { refinedBestOfN } from './refined-best-of-n.ts'
import { answerOf, byNumber, PROBLEM, scoring, scripted, texts } from './scripted.testing.ts'
import { type SearchContext, solveWith } from './search.ts'

/** Three of four samples have a wrong step, marked by `!`. */
const TABLE = {
  '': ['a', 'b!', 'c', 'd'],
  a: ['=right1'],
  'b!': ['=wrong2'],
  c: ['x!'],
  'c x!': ['=wrong3'],
  d: ['y!'],
  'd y!': ['=wrong4'],
  'c mended': ['=right5'],
  'd mended': ['=right6'],
  mended: ['=right7'],
}
const reward = scoring((text) => (text.includes('!') ? 0.1 : 0.9), 'min')
const mend = async () => ({ text: 'mended', usage: { ...NO_USAGE, calls: 1 } })
const context = (more: Partial<SearchContext> = {}) => {
  const policy = scripted(TABLE)
  return {
    ...searchContext({ problem: PROBLEM, policy, reward, answerOf, correct: mend, ...more }),
    asked: policy.asked,
  }
}
const about = (found: Awaited<ReturnType<typeof solveWith>>) => found.candidates.map((c) => c.trace.extra ?? {})

describe('refined-best-of-n', () => {
  it('goes on from the steps before the first wrong one and its correction, and from nothing after it', async () => {
    const run = context()
    const found = await solveWith(refinedBestOfN, run, { n: 8 })
    expect(run.asked.slice(4)).toEqual(['mended…#4', 'c mended…#5', 'd mended…#6'])
    expect(found.candidates.slice(4).map((c) => texts(c.trace.steps))).toEqual([
      'mended =right7',
      'c mended =right5',
      'd mended =right6',
    ])
    expect(about(found).slice(4)).toMatchObject([
      { from: 1, cut: 0, rewritten: true },
      { from: 2, cut: 1, rewritten: true },
      { from: 3, cut: 1, rewritten: true },
    ])
    expect(found.usage.calls).toBe(4 + 3 + 3)
  })

  it('keeps an undoubted sample as it is, or draws a fresh one in its place', async () => {
    expect((await solveWith(refinedBestOfN, context(), { n: 8 })).candidates).toHaveLength(7)
    const fresh = await solveWith(refinedBestOfN, context(), { n: 8, onUnflagged: 'resample' })
    expect(fresh.candidates).toHaveLength(8)
    expect(about(fresh)[4]).toMatchObject({ fresh: true })
  })

  it('takes a correction that only repeats the step, or that the veto refutes, for none', async () => {
    const same = context({ correct: async ({ steps }) => ({ text: ` ${steps.at(-1)!.text} `, usage: NO_USAGE }) })
    const veto: StepTool = {
      name: 'no-mending',
      runsCode: false,
      applies: () => true,
      verify: ({ steps }) =>
        steps.map(({ text }) => ({ verdict: text === 'mended' ? 'incorrect' : 'unknown', reason: '' })),
    }
    for (const run of [same, context({ veto }), context()]) {
      const found = await solveWith(refinedBestOfN, run, {
        n: 8,
        rewrite: run.correct === mend && !run.veto ? false : undefined,
      })
      expect(about(found).slice(4)).toMatchObject([{ rewritten: false }, { rewritten: false }, { rewritten: false }])
      expect(run.asked.slice(4)).toEqual(['…#4', 'c…#5', 'd…#6'])
    }
  })

  it('as its control cuts the same samples at random steps', async () => {
    const found = await solveWith(refinedBestOfN, context(), { n: 8, cut: 'random', rewrite: false })
    expect(
      about(found)
        .slice(4)
        .map((a) => a['from']),
    ).toEqual([1, 2, 3])
    expect(found).toEqual(await solveWith(refinedBestOfN, context(), { n: 8, cut: 'random', rewrite: false }))
  })

  it('stops refining when nothing is doubted any more, and at a budget', async () => {
    const run = context()
    await solveWith(refinedBestOfN, run, { n: 100, split: 0.04, rounds: 9 })
    expect(run.asked).toHaveLength(7)
    const short = await solveWith(refinedBestOfN, context({ budget: { calls: 5 } }), { n: 8 })
    expect(short).toMatchObject({ outOfBudget: true })
    expect(short.candidates).toHaveLength(5)
  })

  it('refuses n below 2', async () => {
    await expect(solveWith(refinedBestOfN, context({ reward: byNumber }), { n: 1 })).rejects.toMatchObject({
      code: 'GRD-SEARCH-001',
    })
  })
})
