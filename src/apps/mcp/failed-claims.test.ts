import { describe, expect, it } from 'vitest'
import type { Step, Trace } from '../../core/words.ts'
import { OFFLINE_ANNOTATORS } from '../../label/annotators/index.ts'
import { type FailedClaim, failedClaims } from './failed-claims.ts'

const TOOLS = [
  { name: 'search', parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] } },
]

/** What the tool of that name finds wrong in the last step. */
async function claims(annotator: string, prompt: string, ...steps: (string | Step)[]): Promise<FailedClaim[]> {
  const trace: Trace = {
    id: 'a',
    problem: { id: 'a', prompt, context: [{ kind: 'tools', tools: TOOLS }] },
    steps: steps.map((step) => (typeof step === 'string' ? { text: step, kind: 'thought' } : step)),
    source: { generator: '', dataset: '', licence: '' },
  }
  const looking = OFFLINE_ANNOTATORS.find((a) => a.name === `verifier:${annotator}`)
  const context = { allowCode: true, allowLocalExec: false, seed: '0', spend: () => {} }
  const evidence = (await looking?.annotate(trace, context)) ?? []
  const last = evidence.find((e) => e.step === steps.length - 1)
  expect(last).toMatchObject({ kind: 'tool', verdict: 'incorrect' })
  return last?.kind === 'tool' ? failedClaims(last.detail) : []
}

const calling = (tool: string, input: unknown): Step => ({ text: '', kind: 'action', action: { tool, input } })

describe('what a tool found to be wrong', () => {
  it('is told with what is right instead, of every kind of tool', async () => {
    expect(await claims('arithmetic', 'Add.', '2 + 3 = 5 and 17 + 28 = 35')).toEqual([
      { found: '17+28 = 35', expected: '45' },
    ])
    expect(await claims('multistep-arithmetic', 'What is 17+28-5?', '17+28=45', '45-5=30')).toEqual([
      { found: '45 - 5 = 30', expected: '45 - 5 is 40, but 30 is 30' },
    ])
    expect(await claims('tool-schema', 'Search.', calling('search', { q: 1 }))).toEqual([{ found: 'q must be string' }])
    expect(await claims('tool-schema', 'Search.', calling('find', {}))).toEqual([
      { found: 'a tool that is not offered', expected: 'one of search' },
    ])
    const program = '```javascript\nconsole.log(6 * 7)\n```\nOutput:\n```\n41\n```'
    expect(await claims('javascript-execution', 'Multiply.', program)).toEqual([{ found: '41', expected: '42' }])
  })

  it('is nothing where a detail says nothing of claims', () => {
    for (const detail of [
      undefined,
      null,
      'text',
      7,
      [],
      {},
      [1, null],
      { claims: 'none' },
      { claims: [{ holds: false }] },
    ]) {
      expect(failedClaims(detail)).toEqual([])
    }
    expect(failedClaims({ claims: [{ text: 'a = a', holds: true, value: 'a' }] })).toEqual([])
  })
})
