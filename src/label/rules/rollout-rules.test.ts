import { describe, expect, it } from 'vitest'
import type { Evidence, StepLabel } from '../../core/words.ts'
import { locator } from '../first-error-locator.ts'
import { recoveryPrior } from '../recovery-rate.ts'
import { risksOf, verdictFromRisks } from '../verdict.ts'
import { averaged } from './averaged.ts'
import { consensus, disagreement } from './consensus.ts'
import { firstErrorPosterior } from './first-error-posterior.ts'
import { hard } from './hard.ts'
import { RULES } from './index.ts'
import { relativeProgress } from './relative-progress.ts'
import type { LabelRule } from './rule.ts'
import { soft } from './soft.ts'
import { toolVeto } from './tool-veto.ts'

const rolled = (step: number, successes: number, trials = 8): Evidence => ({
  kind: 'rollouts',
  source: 'monte-carlo',
  step,
  successes,
  trials,
})
const judged = (step: number, verdict: 'correct' | 'incorrect' | null): Evidence => ({
  kind: 'judgement',
  source: 'judge',
  step,
  verdict,
  reason: '',
})
const tool = (step: number, verdict: 'correct' | 'incorrect' | 'unknown'): Evidence => ({
  kind: 'tool',
  source: 'verifier:arithmetic',
  step,
  verdict,
  reason: '',
})
const said = (labels: readonly StepLabel[]) => labels.map((l) => l.value ?? l.reason)
const apply = (rule: LabelRule, steps: number, evidence: Evidence[], options: Record<string, unknown> = {}) =>
  said(rule.apply(steps, evidence, rule.options.parse(options)))

/** The golden example of the GenPRM card: start .5, then .5, .45, .2, .2, 0. */
const golden = [0.5, 0.5, 0.45, 0.2, 0.2, 0].map((rate, i) => rolled(i - 1, rate * 20, 20))

describe('hard', () => {
  it('needs one success, or a share; steps after the first wrong one have no label', () => {
    const evidence = [rolled(0, 5), rolled(1, 1), rolled(2, 0), rolled(3, 3)]
    expect(apply(hard, 4, evidence)).toEqual([1, 1, 0, 'after-first-error'])
    expect(apply(hard, 4, evidence, { threshold: 0.5 })).toEqual([1, 0, 'after-first-error', 'after-first-error'])
    expect(apply(hard, 5, golden)).toEqual([1, 1, 1, 1, 0])
  })

  it('takes a success after a later step as proof for the earlier ones, and claims nothing else about them', () => {
    expect(apply(hard, 5, [rolled(2, 1), rolled(3, 0)])).toEqual([1, 1, 1, 0, 'after-first-error'])
    expect(apply(hard, 3, [rolled(1, 4)])).toEqual([1, 1, 'not-covered'])
    expect(apply(hard, 3, [rolled(1, 4)], { threshold: 0.5 })).toEqual(['not-covered', 1, 'not-covered'])
    expect(apply(hard, 1, [])).toEqual(['no-evidence'])
  })

  it('pools the rollouts of several sources', () => {
    const other = { ...rolled(0, 4), source: 'omegaprm' }
    expect(apply(hard, 1, [rolled(0, 0), other], { threshold: 0.25 })).toEqual([1])
    expect(apply(hard, 1, [rolled(0, 0), other], { threshold: 0.26 })).toEqual([0])
  })
})

describe('soft', () => {
  it('is the share of successes, as a value and never as a risk', () => {
    const labels = soft.apply(5, golden, {})
    expect(said(labels)).toEqual([0.5, 0.45, 0.2, 0.2, 0])
    expect(risksOf(labels)).toEqual([null, null, null, null, null])
    expect(apply(soft, 2, [rolled(0, 2)])).toEqual([0.25, 'no-evidence'])
  })
})

describe('relative-progress', () => {
  it('gives the labels of the published example in both forms', () => {
    expect(apply(relativeProgress, 5, golden)).toEqual([1, 1, 0, 1, 0])
    expect(apply(relativeProgress, 5, golden, { form: 'difference' })).toEqual([1, 1, 0, 1, 0])
    expect(apply(relativeProgress, 5, golden, { eps: 0.95 })).toEqual([1, 0, 0, 1, 0])
  })

  it('has no label after a step from which nothing succeeds, and none where the start is not known', () => {
    expect(apply(relativeProgress, 3, [rolled(-1, 4), rolled(0, 0), rolled(1, 1), rolled(2, 1)])).toEqual([
      0,
      'after-first-error',
      'after-first-error',
    ])
    expect(apply(relativeProgress, 3, [rolled(0, 4), rolled(2, 4)])).toEqual(['not-covered', 'no-evidence', 1])
  })
})

describe('consensus', () => {
  it('labels what both sources say, and abstains with a reason elsewhere', () => {
    const evidence = [
      ...[rolled(0, 5), judged(0, 'correct'), rolled(1, 0), judged(1, 'incorrect')],
      ...[rolled(2, 1), judged(2, 'incorrect'), rolled(3, 3)],
    ]
    expect(apply(consensus, 4, evidence)).toEqual([1, 0, 'sources-disagree', 'no-evidence'])
  })

  it('takes the verdict that most samples of the judge gave, and none where they are even', () => {
    const samples = [judged(0, 'incorrect'), judged(0, 'correct'), judged(0, 'correct')]
    expect(apply(consensus, 1, [rolled(0, 4), ...samples])).toEqual([1])
    expect(apply(consensus, 1, [rolled(0, 4), ...samples.slice(0, 2)])).toEqual(['no-evidence'])
  })

  it('never reads an unparsed judgement as a verdict, and asks a tool only where no judge has spoken', () => {
    expect(apply(consensus, 1, [rolled(0, 4), judged(0, null)])).toEqual(['no-evidence'])
    expect(apply(consensus, 1, [rolled(0, 4), judged(0, null), tool(0, 'correct')])).toEqual([1])
    expect(apply(consensus, 1, [rolled(0, 4), judged(0, 'correct'), tool(0, 'incorrect')])).toEqual([1])
  })

  it('on the first error, keeps a trace whole or not at all, and says how sources differ', () => {
    const lines = (judge: number) =>
      [0, 1, 2, 3, 4].flatMap((s) => [rolled(s, s < 3 ? 2 : 0), judged(s, s === judge ? 'incorrect' : 'correct')])
    const by = { agree: 'first-error' }
    expect(apply(consensus, 5, lines(3), by)).toEqual([1, 1, 1, 0, 'after-first-error'])
    expect(apply(consensus, 5, lines(2), by)).toEqual(new Array(5).fill('sources-disagree'))
    const firstAt = (n: number) => [0, 1, 2, 3, 4].map((s) => s !== n)
    expect(disagreement(firstAt(3), firstAt(3))).toBeNull()
    expect(disagreement(firstAt(3), firstAt(2))).toBe('position')
    expect(disagreement(firstAt(-1), firstAt(4))).toBe('existence')
  })
})

describe('tool-veto and averaged', () => {
  /** Tools say +, +, -, +; the answer is right and every rollout succeeds. */
  const lucky = [
    ...(['correct', 'correct', 'incorrect', 'correct'] as const).map((v, s) => tool(s, v)),
    ...[0, 1, 2, 3].map((s) => rolled(s, 8)),
  ]

  it('differ on a refuted step with a right outcome, and each says its own', () => {
    expect(apply(hard, 4, lucky)).toEqual([1, 1, 1, 1])
    expect(apply(toolVeto, 4, lucky)).toEqual([1, 1, 0, 'after-first-error'])
    expect(apply(averaged, 4, lucky)).toEqual([1, 1, 0, 1])
    expect(apply(averaged, 4, lucky, { local: false })).toEqual([1, 1, 1, 1])
  })

  it('averaged is the published formula', () => {
    // step 0 of 3: (.9 * 1 + .81 * -1) / 2 - .5 * 1 < 0; step 1: .9 * -1 / 1 - .5 < 0; step 2: -.5
    const wrong = [tool(0, 'correct'), tool(1, 'correct'), tool(2, 'incorrect'), rolled(2, 0, 1)]
    expect(apply(averaged, 3, wrong)).toEqual([0, 0, 0])
    expect(apply(averaged, 3, wrong, { beta: 0.04 })).toEqual([1, 0, 0])
    expect(apply(averaged, 2, [tool(0, 'unknown')])).toEqual(['no-evidence', 'no-evidence'])
  })

  it('veto lets a tool speak where nothing was rolled out, and never reads "unknown" as a verdict', () => {
    expect(apply(toolVeto, 3, [tool(0, 'correct'), tool(1, 'unknown'), tool(2, 'incorrect')])).toEqual([
      1,
      'no-evidence',
      0,
    ])
    expect(apply(toolVeto, 1, [tool(0, 'correct'), rolled(0, 0)])).toEqual([0])
  })

  it('tool-veto asks rollouts to confirm a refutation, where it is told to and they are there', () => {
    const alarm = [rolled(-1, 8), rolled(0, 7), tool(0, 'incorrect'), rolled(1, 2), tool(1, 'incorrect')]
    expect(apply(toolVeto, 2, alarm)).toEqual([0, 'after-first-error'])
    expect(apply(toolVeto, 2, alarm, { confirm: true })).toEqual([1, 0])
    expect(apply(toolVeto, 1, [tool(0, 'incorrect')], { confirm: true })).toEqual([0])
  })
})

describe('first-error-posterior', () => {
  it("makes a verdict whose first-error distribution is the locator's posterior", () => {
    const counts = [3, 5, 1, 0, 2, 0, 0]
    const evidence = counts.map((k, i) => rolled(i - 1, k)).concat(rolled(6, 0, 1))
    const labels = firstErrorPosterior.apply(7, evidence, { recovery: 0.05, trials: 100 })
    const direct = locator({ steps: 7, recovery: recoveryPrior(5, 100) })
    counts.forEach((k, length) => {
      direct.observe(length, k, 8)
    })
    const { firstErrorProb } = verdictFromRisks(risksOf(labels), 'x')
    direct.posterior().forEach((p, t) => {
      expect(firstErrorProb[t]).toBeCloseTo(p, 9)
    })
  })

  it('sees no error in a trace that ended right, and says nothing without its outcome', () => {
    expect(apply(firstErrorPosterior, 2, [rolled(0, 0), rolled(1, 1, 1)])).toEqual([1, 1])
    expect(apply(firstErrorPosterior, 2, [rolled(0, 0)])).toEqual(['no-evidence', 'no-evidence'])
  })

  it('weighs tools in by how often they are right, and gives none the last word', () => {
    // Rollouts alone cannot tell steps 1 and 2 apart.
    const evidence = [rolled(0, 6), rolled(1, 0, 1), rolled(2, 0), rolled(3, 0, 1)]
    const hazardAt = (tools: Evidence[], step: number, accuracy: number): number => {
      const labels = firstErrorPosterior.apply(4, [...evidence, ...tools], {
        recovery: 0.1,
        trials: 100,
        tool: accuracy,
      })
      return 1 - (labels[step]?.value ?? Number.NaN)
    }
    const before = hazardAt([], 1, 0.95)
    const after = hazardAt([tool(1, 'incorrect')], 1, 0.95)
    // Odds go up by .95 / .05 = 19.
    expect(after / (1 - after) / (before / (1 - before))).toBeGreaterThan(10)
    expect(hazardAt([tool(1, 'correct')], 1, 0.95)).toBeLessThan(before)
    expect(hazardAt([tool(1, 'incorrect')], 1, 0.5)).toBeCloseTo(before, 12)
    // A run that ends right has no wrong step, whatever a tool says.
    expect(apply(firstErrorPosterior, 2, [tool(0, 'incorrect'), rolled(1, 1, 1)], { tool: 0.95 })).toEqual([1, 1])
  })
})

describe('every rule', () => {
  it('gives one label a step, says why there is no value, and never changes the evidence', () => {
    const evidence = [...golden, judged(2, null), tool(9, 'correct'), rolled(7, 1)]
    const before = JSON.stringify(evidence)
    for (const rule of RULES) {
      for (const steps of [0, 1, 5]) {
        const labels = rule.apply(steps, evidence, rule.options.parse({}))
        expect(labels.map((l) => l.step)).toEqual([...Array(steps).keys()])
        for (const l of labels) {
          expect(l.value === null).toBe(l.reason !== undefined)
          expect(l.source).toBe(rule.name)
        }
      }
    }
    expect(JSON.stringify(evidence)).toBe(before)
  })
})
