import { describe, expect, it } from 'vitest'
import { searchContext } from './context.ts'
import { answerOf, PROBLEM, scoring, scripted, texts } from './scripted.testing.ts'
import { solveWith } from './search.ts'
import { selfCorrection } from './self-correction.ts'

const reward = scoring((text) => (text.includes('!') ? 0.1 : 0.9), 'min')

describe('self-correction', () => {
  it('goes on from the last good step until nothing is doubted', async () => {
    const policy = scripted({ '': ['a'], a: ['b!', 'c', 'd!'], 'a b!': ['=wrong'], 'a c': ['=right'] })
    const run = searchContext({ problem: PROBLEM, policy, reward, answerOf })
    const found = await solveWith(selfCorrection, run)
    expect(policy.asked).toEqual(['…#0', 'a…#1'])
    expect(found).toMatchObject({ answer: 'right', chosen: 1, usage: { calls: 2 } })
    expect(found.candidates[1]?.trace.extra).toMatchObject({ from: 0, doubted: 1 })
  })

  it('tells a policy that can be told what is wrong, and the new words follow on the good steps', async () => {
    const told: string[] = []
    const first = scripted({ '': ['a'], a: ['b!'], 'a b!': ['=wrong'] })
    const policy: typeof first = {
      ...first,
      complete: async (problem, steps, sample) => {
        const last = steps.at(-1)
        if (last?.kind !== 'observation') return first.complete(problem, steps, sample)
        told.push(last.text)
        return {
          ok: true,
          steps: [
            { text: 'better', kind: 'thought' },
            { text: '=right', kind: 'thought' },
          ],
          end: 'stop',
          usage: { calls: 1, promptTokens: 0, completionTokens: 10, cachedTokens: 0, seconds: 0 },
        }
      },
    }
    const found = await solveWith(selfCorrection, searchContext({ problem: PROBLEM, policy, reward, answerOf }), {
      how: 'complain',
    })
    expect(told).toEqual([expect.stringContaining('Step 2 is doubtful: "b!" It is right with a chance of 0.10.')])
    expect(texts(found.candidates[1]!.trace.steps)).toBe('a better =right')
    expect(found.answer).toBe('right')
  })

  it("quotes the judge's words about the step, where it has any", async () => {
    const judge: typeof reward = {
      ...reward,
      score: async (lines, signal) =>
        (await reward.score(lines, signal)).map((one) => ({
          ...one,
          ...(one.ok && {
            evidence: [
              { kind: 'judgement', source: 'judge', step: 1, verdict: 'incorrect', reason: 'Two from five is three.' },
            ],
          }),
        })),
    }
    const policy = scripted({ '': ['a'], a: ['b!'], 'a b!': ['=wrong'] })
    const context = searchContext({ problem: PROBLEM, policy, reward: judge, answerOf })
    await solveWith(selfCorrection, context, { how: 'complain', rounds: 1 })
    expect(policy.asked[1]).toContain('Step 2 is doubtful: "b!" Two from five is three. Go on')
  })

  it('gives up after so many rounds or at a budget, with the best that it has', async () => {
    const policy = scripted({ '': ['x!'], 'x!': ['=no'] })
    const run = () => searchContext({ problem: PROBLEM, policy, reward, answerOf })
    expect((await solveWith(selfCorrection, run(), { rounds: 2 })).candidates).toHaveLength(3)
    const short = await solveWith(selfCorrection, { ...run(), budget: { calls: 2 } })
    expect(short).toMatchObject({ answer: 'no', outOfBudget: true })
    expect(short.candidates).toHaveLength(2)
  })
})
