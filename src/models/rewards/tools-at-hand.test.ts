import { describe, expect, it } from 'vitest'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { arithmetic } from '../../worlds/verifiers/arithmetic.ts'
import { AT_HAND, isAtHand, toolReward, toolsAtHand } from './tools-at-hand.ts'

const problem = arithmeticChain.generate('at-hand', 1, 1)[0]!
const lineOf = (...texts: string[]) => ({ problem, steps: texts.map((text) => ({ text, kind: 'thought' as const })) })

describe('tools at hand', () => {
  it('are those that run no code of a trace', () => {
    expect(AT_HAND.map(({ name }) => name)).toContain('arithmetic')
    expect(AT_HAND.map(({ name }) => name)).not.toContain('python-execution')
    expect(toolsAtHand(['verifier:arithmetic', 'verifier:python-execution', 'monte-carlo'])).toEqual([arithmetic])
  })

  it('only their findings are evidence that every line can have', () => {
    const finding = { kind: 'tool', step: 0, verdict: 'correct', reason: '' } as const
    expect(isAtHand({ ...finding, source: 'verifier:arithmetic' })).toBe(true)
    expect(isAtHand({ ...finding, source: 'verifier:python-execution' })).toBe(false)
    expect(isAtHand({ kind: 'rollouts', source: 'monte-carlo', step: 0, successes: 1, trials: 1 })).toBe(false)
  })

  it('as a reward: 1 for found right, 0 for found wrong, no score where they are silent', async () => {
    const [scored] = await toolReward([arithmetic]).score([lineOf('12 + 30 = 42', '42 + 5 = 48', 'so it grows')])
    expect(scored).toMatchObject({ ok: true, scores: [1, 0, null] })
  })
})
