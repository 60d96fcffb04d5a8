import { describe, expect, it } from 'vitest'
import type { Evidence, ToolVerdict } from '../../core/words.ts'
import { VERIFIERS } from '../../worlds/verifiers/index.ts'
import { toolReliability } from './tool-reliability.ts'

const found = (source: string, verdict: ToolVerdict): Evidence => ({
  kind: 'tool',
  source: `verifier:${source}`,
  step: 0,
  verdict,
  reason: '',
})
const value = (...evidence: Evidence[]) => toolReliability.apply(1, evidence, {})[0]?.value

describe('tool-reliability', () => {
  it('gives the risk of one finding as its reliability says', () => {
    expect(value(found('arithmetic', 'incorrect'))).toBeCloseTo(0.2, 9)
    expect(value(found('arithmetic', 'correct'))).toBeCloseTo(0.9, 9)
  })

  it.each(VERIFIERS.map((v) => [v.name]))('%s: a claim that holds never speaks against the step', (name) => {
    expect(value(found(name, 'correct'))).toBeGreaterThanOrEqual(0.9 - 1e-9)
    expect(value(found(name, 'incorrect'))).toBeLessThan(0.5)
  })

  it('has no value where tools are silent', () => {
    expect(toolReliability.apply(1, [found('arithmetic', 'unknown')], {})[0]).toMatchObject({
      value: null,
      reason: 'not-covered',
    })
  })
})
