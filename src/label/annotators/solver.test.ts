import { describe, expect, it } from 'vitest'
import type { Evidence, Trace } from '../../core/words.ts'
import type { AnnotateContext } from './annotator.ts'
import { solver } from './solver.ts'

const context: AnnotateContext = { allowCode: false, allowLocalExec: false, seed: 'test', spend: () => {} }
const REFERENCE = ['maximize 50 rickshaws + 30 carts', '10 rickshaws + 8 carts <= 200', 'rickshaws <= carts']

const traceOf = (steps: readonly string[], solution?: string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt: 'How many coconuts?', ...(solution && { solution }) },
  steps: steps.map((text, i) => ({ text, kind: i === steps.length - 1 ? 'answer' : 'thought' })),
  source: { generator: '', dataset: 'nl4opt', licence: 'MIT' },
})

const said = (evidence: readonly Evidence[]): string[] =>
  evidence.map((e) => (e.kind === 'tool' ? `${e.step} ${e.verdict}` : e.kind))

describe('solver', () => {
  const intro = 'Let x be the rickshaws and y the ox carts.'

  it('blames the step that states a flawed part, and no other', async () => {
    const steps = [intro, 'Maximize 50x + 30y', '10x + 8y <= 180', 'x <= y', 'Answer: 900']
    const evidence = await solver.annotate(traceOf(steps, REFERENCE), context)
    expect(said(evidence)).toEqual(['1 correct', '2 incorrect', '3 correct'])
    expect(evidence[1]).toMatchObject({
      reason: expect.stringContaining('10 x + 8 y <= 180 should be 10 x + 8 y <= 200'),
    })
  })

  it('tells a missing part of the step that uses the model without it', async () => {
    const steps = [intro, 'Maximize 50x + 30y', '10x + 8y <= 200', 'Answer: x = 20, 1000 coconuts']
    expect(said(await solver.annotate(traceOf(steps, REFERENCE), context))).toEqual([
      '1 correct',
      '2 correct',
      '3 incorrect',
    ])
  })

  it('says so where the optimum is right and the model is not', async () => {
    const steps = ['min 2x + 3y', 'x + y >= 4', 'x <= 3', 'Answer: 9']
    const evidence = await solver.annotate(traceOf(steps, ['min 2x + 3y', 'x + y >= 4; x <= 3; x, y integer']), context)
    expect(evidence.at(-1)).toMatchObject({
      step: 3,
      verdict: 'incorrect',
      reason: expect.stringContaining('although the optimum of the given data is right'),
      detail: { sameOptimum: true, optima: expect.arrayContaining([{ reference: 9, candidate: 9 }]) },
    })
  })

  it('finds an equivalent model as JSON right', async () => {
    const json = JSON.stringify({
      sense: 'max',
      variables: [{ name: 'a' }, { name: 'b' }],
      objective: { terms: { a: 30, b: 50 } },
      constraints: [
        { terms: { b: 5, a: 4 }, relation: '<=', constant: 100 },
        { terms: { a: 1, b: -1 }, relation: '>=', constant: 0 },
      ],
    })
    const evidence = await solver.annotate(traceOf([`\`\`\`json\n${json}\n\`\`\``, 'Answer'], REFERENCE), context)
    expect(said(evidence)).toEqual(['0 correct'])
  })

  it('abstains without a reference, and says why where a line cannot be read', async () => {
    const steps = ['Maximize 50x + 30y', '10x * 8y <= 200', 'Answer: 1000']
    expect(solver.applies(traceOf(steps))).toBe(false)
    expect(await solver.annotate(traceOf(steps), context)).toEqual([])
    expect(said(await solver.annotate(traceOf(steps, REFERENCE), context))).toEqual(['1 unknown'])
  })

  it('gives equal bytes for equal inputs', async () => {
    const trace = traceOf(['Maximize 50x + 30y', '10x + 8y <= 180', 'x <= y', 'Answer: 900'], REFERENCE)
    const [a, b] = [await solver.annotate(trace, context), await solver.annotate(trace, context)]
    expect(JSON.stringify(a)).toBe(JSON.stringify(b))
  })
})
