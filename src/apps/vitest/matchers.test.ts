import { describe, expect, it } from 'vitest'
import './index.ts'
import type { Trace } from '../../core/words.ts'

const trace = (...texts: string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt: 'q' },
  steps: texts.map((text) => ({ text, kind: 'thought' })),
  source: { generator: '', dataset: '', licence: 'MIT' },
})
const RIGHT = trace('First 17 + 28 = 45.', 'Then 45 - 5 = 40.')
const WRONG = trace('First 17 + 28 = 45.', 'Then 45 - 5 = 30.', 'So it is 30.')
const failure = (assertion: Promise<unknown>) =>
  assertion.then(
    () => 'passed',
    (error: Error) => error.message,
  )

describe('matchers for traces', () => {
  it('look at the steps with every tool that needs no model', async () => {
    await expect(RIGHT).toHaveNoWrongStep()
    await expect(WRONG).not.toHaveNoWrongStep()
    await expect(WRONG).toHaveFirstErrorAt(1)
    await expect(WRONG).not.toHaveFirstErrorAt(0)
    await expect(WRONG).toHaveRiskBelow(1)
    await expect(WRONG).not.toHaveRiskBelow(0.5)
  })

  it('say which step is wrong, and why', async () => {
    const said = await failure(expect(WRONG).toHaveNoWrongStep())
    expect(said).toMatch(/step 1 \(risk 0\.\d\d\): Then 45 - 5 = 30\.\n {2}verifier:arithmetic: .*40/)
  })

  it('take a trace at the verdict that it carries', async () => {
    const verdict = { risk: [0.1, 0.9], firstErrorProb: [0.1, 0.8, 0.1], firstError: 1 }
    await expect({ ...RIGHT, verdict }).toHaveFirstErrorAt(1)
    await expect({
      ...RIGHT,
      verdict: { risk: [null, null], firstErrorProb: [0, 0, 1], firstError: -1 },
    }).toHaveNoWrongStep()
  })

  it('fail where nobody can say, with and without not', async () => {
    const vague = trace('I like pears.')
    expect(await failure(expect(vague).toHaveNoWrongStep())).toContain('nobody can say')
    expect(await failure(expect(vague).not.toHaveNoWrongStep())).toContain('nobody can say')
    expect(await failure(expect(vague).toHaveRiskBelow(0.9))).toContain('nobody can say')
  })
})
