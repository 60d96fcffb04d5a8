import { describe, expect, it } from 'vitest'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { oracleReward } from './oracle.ts'
import { selfLogprob } from './self-logprob.ts'

const problem = arithmeticChain.generate('free', 1, 1)[0]!

describe('free reward models', () => {
  it('logprob is the mean probability of the tokens of a step, and abstains where they are not known', async () => {
    const tokens = { ids: [1, 2], logprobs: [Math.log(0.9), Math.log(0.4)] }
    const steps = [
      { text: 'a', kind: 'thought' as const, tokens },
      { text: 'b', kind: 'thought' as const },
    ]
    const [said] = await selfLogprob.score([{ problem, steps }])
    expect(said).toEqual({ ok: true, scores: [expect.closeTo(0.6, 12), null], usage: expect.anything() })
  })

  it('the oracle knows the truth of built-in tasks, and says why it knows no other', async () => {
    const right = problem.solution!.map((text) => ({ text, kind: 'thought' as const }))
    const wrong = arithmeticChain.inject(problem, 'result', 1, 's')!
    const bad = wrong.steps.map((text) => ({ text, kind: 'thought' as const }))
    const lines = [
      { problem, steps: right },
      { problem, steps: bad },
      { problem: { ...problem, domain: 'tea' }, steps: right },
    ]
    const [a, b, c] = await oracleReward().score(lines)
    expect(a?.ok && a.scores.every((s) => s === 1)).toBe(true)
    expect(b?.ok && b.scores.indexOf(0)).toBe(wrong.firstError)
    expect(c).toMatchObject({ ok: false, error: { code: 'GRD-WORLD-001' } })
    const [, value] = await oracleReward('value', { slip: 0.1, recovery: 0 }).score(lines)
    expect(value?.ok && value.scores[wrong.firstError]).toBe(0)
  })
})
