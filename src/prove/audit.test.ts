import { describe, expect, it } from 'vitest'
import type { Evidence } from '../core/words.ts'
import { NO_USAGE } from '../core/words.ts'
import { hard } from '../label/rules/hard.ts'
import { type AuditArm, type AuditItem, audit } from './audit.ts'
import { auditReport, auditText } from './report/audit-report.ts'

const rolled = (step: number, successes: number): Evidence => ({
  kind: 'rollouts',
  source: 'monte-carlo',
  step,
  successes,
  trials: 4,
})
/** Five steps of which `first` is wrong (-1 = none); rollouts say that `said` is. */
const item = (question: string, first: number, said: number | null): AuditItem => ({
  question,
  truths: Array.from({ length: 5 }, (_, step) => ({ correct: step !== first })),
  evidence:
    said === null ? [] : Array.from({ length: 5 }, (_, step) => rolled(step, said >= 0 && step >= said ? 0 : 2)),
})
// Two found, one at another step, one called clean, one not looked at; two clean kept, one accused.
const items = [
  ...[item('a', 2, 2), item('b', 0, 0), item('c', 1, 3), item('d', 4, -1), item('e', 3, null)],
  ...[item('f', -1, -1), item('g', -1, -1), item('h', -1, 2)],
]
const sources = [{ annotator: 'monte-carlo', usage: { ...NO_USAGE, completionTokens: 900, promptTokens: 100 } }]
const figureOf = (arm: AuditArm | undefined, name: string) => arm?.figures.find((f) => f.name === name)
const report = audit(items, sources, { rule: hard, options: { threshold: 0 } })
const armOf = (annotator: string, rule = '') => report.arms.find((a) => a.annotator === annotator && a.rule === rule)

describe('an audit against the exact oracle', () => {
  it('counts first errors that are named, found, missed and invented', () => {
    expect(report).toMatchObject({ traces: 8, erroneous: 5, steps: 40 })
    const arm = armOf('monte-carlo', 'hard')
    expect(figureOf(arm, 'precision')).toMatchObject({ estimate: { value: 2 / 4 }, n: 4 })
    expect(figureOf(arm, 'recall')).toMatchObject({ estimate: { value: 2 / 5 }, n: 5 })
    expect(figureOf(arm, 'F1')?.estimate.value).toBeCloseTo((2 * 0.5 * 0.4) / 0.9, 12)
    expect(figureOf(arm, 'clean kept')).toMatchObject({ estimate: { value: 2 / 3 }, n: 3 })
    expect(figureOf(arm, 'cannot say')?.estimate.value).toBe(1 / 8)
    expect(arm?.tokensPerError).toBe(500)
  })

  it('compares step labels with the steps, by position, and says how far stated chances are off', () => {
    const arm = armOf('monte-carlo', 'hard')
    // Labelled: 3 + 1 + 4 + 5 + 5 + 5 + 3 steps; untrue: steps 1 and 3 of c, 4 of d, 2 of h.
    expect(figureOf(arm, 'step labels untrue')).toMatchObject({ estimate: { value: 4 / 26 }, n: 26 })
    expect(arm?.noise).toEqual([
      { n: 7, wrong: 0 },
      { n: 6, wrong: 1 },
      { n: 6, wrong: 1 },
      { n: 4, wrong: 1 },
      { n: 3, wrong: 1 },
    ])
    expect(arm?.bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(26)
  })

  it('judges values by how well they tell lost states from others', () => {
    const arm = armOf('monte-carlo', 'soft')
    expect(arm?.figures.map((f) => f.name)).toEqual(['AUC of values'])
    expect(arm?.figures[0]?.estimate.value).toBeGreaterThan(0.8)
  })

  it('has the controls that look at nothing, and one row for rules that come to the same labels', () => {
    const controls = report.arms.filter((a) => a.control)
    expect(controls.map((a) => a.annotator)).toEqual(['always clean', 'first step', 'last step', 'random step'])
    expect(figureOf(armOf('always clean'), 'clean kept')?.estimate.value).toBe(1)
    expect(figureOf(armOf('always clean'), 'F1')?.estimate.value).toBe(0)
    expect(figureOf(armOf('first step'), 'recall')?.estimate.value).toBe(1 / 5)
    expect(armOf('monte-carlo', 'tool-veto')).toBeUndefined()
    expect(armOf('monte-carlo', 'alignment')).toBeUndefined()
  })

  it('reads as text and as a page that loads nothing', async () => {
    const text = auditText(report)
    expect(text).toContain('audit of 8 traces, 5 with an error')
    expect(text).toMatch(/monte-carlo \/ hard +\.500 +\.400 +\.444 \[/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
    const html = await auditReport('Audit <of> it', report)
    expect(html).toContain('Audit &lt;of&gt; it')
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/)
  })
})
