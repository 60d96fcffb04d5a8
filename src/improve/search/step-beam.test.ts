import { describe, expect, it } from 'vitest'
import type { StepTool } from '../../label/annotators/annotator.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { searchContext } from './context.ts'
import { answerOf, byNumber, PROBLEM, scripted, texts } from './scripted.testing.ts'
import { type SearchContext, type SearchEvent, solveWith } from './search.ts'
import { stepBeam } from './step-beam.ts'

const context = (table: Record<string, string[]>, more: Partial<SearchContext> = {}) => {
  const policy = scripted(table)
  return { ...searchContext({ problem: PROBLEM, policy, reward: byNumber, answerOf, ...more }), asked: policy.asked }
}
const lines = (found: { candidates: { trace: { steps: { text: string }[] } }[] }) =>
  found.candidates.map((c) => c.trace.steps.map((s) => s.text).join(' '))
const countsOf = (asked: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(asked, (a) => a.replace(/#.*/, ''))].map(([line, all]) => [line, all.length]))

describe('step-beam', () => {
  it('asks for k next steps at the start and k / beam at each line that is kept', async () => {
    const first = ['a90', 'b80', 'c70', 'd60', 'e50']
    const table = Object.fromEntries([['', first], ...first.map((f) => [f, ['=1']])]) as Record<string, string[]>
    const run = context(table)
    const found = await solveWith(stepBeam, run, { k: 20, beam: 4, dedup: 'text' })
    expect(countsOf(run.asked)).toEqual({ '': 20, a90: 5, b80: 5, c70: 5, d60: 5 })
    expect(found.usage).toMatchObject({ calls: 40, completionTokens: 400 })
    expect(lines(found)).toHaveLength(4)
  })

  it('fills a beam with lines that differ before it takes repeats', async () => {
    const kept = async (dedup: string) => {
      const steps: SearchEvent[] = []
      const run = context(
        { '': ['a90', 'a90', 'b80', 'b80', 'c70', 'c70'], a90: ['=1'], b80: ['=1'], c70: ['=1'] },
        { stateOf: (s) => texts(s)[0]! },
      )
      for await (const event of stepBeam.solve(run, { k: 6, beam: 3, dedup })) steps.push(event)
      return steps.flatMap((e) => (e.kind === 'step' && e.depth === 1 && e.kept ? e.step.text : []))
    }
    expect(await kept('text')).toEqual(['a90', 'b80', 'c70'])
    expect(await kept('state')).toEqual(['a90', 'b80', 'c70'])
    expect(await kept('none')).toEqual(['a90', 'a90', 'b80'])
  })

  it('gives a finished line its place for good: one line less is carried on', async () => {
    const run = context({ '': ['=done90', 'b80', 'c10'], b80: ['=x70', '=y60', '=z50'] })
    const found = await solveWith(stepBeam, run, { k: 6, beam: 2 })
    expect(countsOf(run.asked)).toEqual({ '': 6, b80: 3 })
    expect(lines(found)).toEqual(['=done90', 'b80 =x70'])
    expect(found.answer).toBe('done90')
  })

  it('looks ahead: a step is judged by where it leads', async () => {
    const table = {
      '': ['trap90', 'gold20'],
      trap90: ['pit01'],
      'trap90 pit01': ['=no01'],
      gold20: ['vein95'],
      'gold20 vein95': ['=yes95'],
    }
    expect((await solveWith(stepBeam, context(table), { k: 2, beam: 1 })).answer).toBe('no01')
    expect((await solveWith(stepBeam, context(table), { k: 2, beam: 1, lookAhead: 1 })).answer).toBe('yes95')
  })

  it('says which k can be where the beam does not divide it', async () => {
    await expect(solveWith(stepBeam, context({}), { k: 17, beam: 4 })).rejects.toMatchObject({
      code: 'GRD-SEARCH-001',
      found: 'k=17',
      expected: 'a multiple of 4: k=16 or k=20',
    })
    await expect(solveWith(stepBeam, context({}), { k: 2, beam: 4 })).rejects.toMatchObject({
      expected: 'a multiple of 4: k=4',
    })
    await expect(solveWith(stepBeam, context({}), { dedup: 'state' })).rejects.toMatchObject({ code: 'GRD-SEARCH-001' })
  })

  it('prunes what a veto refutes; where all lines die it takes the best finished one, else plain samples, and says so', async () => {
    const veto: StepTool = {
      name: 'no-b',
      runsCode: false,
      applies: () => true,
      verify: ({ steps }) =>
        steps.map(({ text }) => ({ verdict: text.startsWith('b') ? 'incorrect' : 'unknown', reason: '' })),
    }
    const pruned = await solveWith(stepBeam, context({ '': ['b90', 'a10'], a10: ['=1'], b90: ['=2'] }, { veto }), {
      k: 2,
      beam: 1,
    })
    expect(pruned).toMatchObject({ answer: '1', flags: [] })
    const dead = await solveWith(stepBeam, context({ '': ['a90', '=low10'], a90: ['b50'] }, { veto }), {
      k: 2,
      beam: 1,
    })
    expect(dead).toMatchObject({ answer: 'low10', flags: ['dead-end'] })
    const lost = await solveWith(stepBeam, context({ '': ['b90'], b90: ['=2'] }, { veto }), { k: 2, beam: 1 })
    expect(lost.flags).toEqual(['plain-sampling', 'all-refuted'])
  })

  it('draws whole samples where all lines that it kept stop without an answer', async () => {
    const silent = await solveWith(stepBeam, context({ '': ['a90', 'b80', 'c10'], c10: ['=x1'] }), { k: 2, beam: 2 })
    expect(silent).toMatchObject({ answer: 'x1', flags: ['plain-sampling'] })
    expect(lines(silent)).toEqual(['a90', 'b80', 'c10 =x1', 'a90'])
  })

  it('ends at a budget with what is finished', async () => {
    const table = { '': ['=a20', 'b80'], b80: ['c80'], 'b80 c80': ['=z99'] }
    const short = await solveWith(stepBeam, context(table, { budget: { calls: 4 } }), { k: 4, beam: 2 })
    expect(short).toMatchObject({ answer: 'a20', outOfBudget: true, usage: { calls: 4 } })
    const tokens = await solveWith(stepBeam, context(table, { budget: { tokens: 55 } }), { k: 4, beam: 2 })
    expect(tokens).toMatchObject({ answer: 'a20', outOfBudget: true, usage: { calls: 6 } })
    expect(await solveWith(stepBeam, context(table), { k: 4, beam: 2 })).toMatchObject({
      answer: 'z99',
      outOfBudget: false,
    })
  })

  it('with exact values solves what the same policy hardly ever does alone, and does the same again', async () => {
    const policy = taskCompleter({ task: arithmeticChain, slip: 0.4, recovery: 0, seed: 'beam' })
    let right = 0
    for (const problem of arithmeticChain.generate('beam', 3, 20)) {
      const solve = () =>
        solveWith(stepBeam, searchContext({ problem, policy, reward: oracleReward('value', { slip: 0.4 }) }), {
          k: 8,
          beam: 2,
        })
      const found = await solve()
      if (arithmeticChain.check(problem, found.answer ?? '')) right++
      expect(await solve()).toEqual(found)
    }
    expect(right).toBeGreaterThanOrEqual(19)
  })
})
