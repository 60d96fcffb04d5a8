import { describe, expect, it } from 'vitest'
import type { Evidence, Trace } from '../../core/words.ts'
import { alignment } from '../rules/alignment.ts'
import type { AnnotateContext } from './annotator.ts'
import { spare, spareWith } from './spare.ts'

const context: AnnotateContext = { seed: '0', allowCode: false, allowLocalExec: false, spend: () => {} }
const reference = ['17+28=45', '45-9=36', '=36']
const traceOf = (steps: string[], solution?: string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt: '17+28-9', ...(solution && { solution }) },
  steps: steps.map((text) => ({ text, kind: 'thought' })),
  source: { generator: '', dataset: '', licence: 'MIT' },
})
const labels = (evidence: Evidence[], steps: number) =>
  alignment.apply(steps, evidence, {}).map((l) => l.value ?? l.reason)

describe('spare', () => {
  it('says of every step which reference step it is and why', async () => {
    const trace = traceOf(['17+28=46', '46-9=37', 'Hence', '=37'], reference)
    const evidence = await spare.annotate(trace, context)
    expect(evidence.map((e) => e.kind === 'alignment' && [e.step, e.reference, e.verdict])).toEqual([
      [0, 0, 'incorrect'],
      [1, 1, 'correct'],
      [2, null, 'unknown'],
      [3, 2, 'correct'],
    ])
    expect(evidence[0]).toMatchObject({ reason: '17 + 28 = 46, but the calculation of reference step 0 gives 45' })
    expect(labels(evidence, 4)).toEqual([0, 1, 'not-covered', 1])
  })

  it('decides unaligned steps by a calculator when asked to', async () => {
    const trace = traceOf(['28-9=18'], reference)
    expect(labels(await spare.annotate(trace, context), 1)).toEqual(['not-covered'])
    expect(labels(await spare.annotate(trace, context, { fallback: true }), 1)).toEqual([0])
  })

  it('judges by the reference that fits best', async () => {
    const other = ['28-9=19', '17+19=36', '=36']
    const trace = traceOf(['28-9=18', '17+18=35', '=35'])
    const evidence = await spareWith(() => [reference, other]).annotate(trace, context)
    expect(labels(evidence, 3)).toEqual([0, 1, 1])
  })

  it('does not apply without a reference, and refuses with a way out', async () => {
    expect([spare.applies(traceOf(['=1'])), spare.applies(traceOf(['=1'], []))]).toEqual([false, false])
    await expect(spare.annotate(traceOf(['=1']), context)).rejects.toMatchObject({ code: 'GRD-LABEL-004' })
  })
})

describe('the alignment rule', () => {
  it('abstains where nothing aligned, and lets no source outvote a contradiction', () => {
    const seen = (step: number, verdict: 'correct' | 'incorrect' | 'unknown', source = 'spare'): Evidence => ({
      kind: 'alignment',
      source,
      step,
      reference: null,
      verdict,
      reason: '',
    })
    const evidence = [seen(0, 'correct'), seen(1, 'unknown'), seen(2, 'correct'), seen(2, 'incorrect', 'other')]
    expect(labels(evidence, 4)).toEqual([1, 'not-covered', 0, 'no-evidence'])
  })
})
