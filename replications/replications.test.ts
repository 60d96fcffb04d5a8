import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { replicationText } from '../src/apps/cli/show/replication.ts'
import { arithmeticChain } from '../src/worlds/tasks/arithmetic-chain.ts'
import { selfRepairingChain } from '../src/worlds/tasks/self-repairing-chain.ts'
import { rolledTraces, rolloutEvidenceOf } from './chains.ts'
import { REPLICATIONS } from './index.ts'
import { pprRenorm } from './ppr-renorm.ts'
import { onTrees } from './prl.ts'
import { prmLessons } from './prm-lessons.ts'
import { prorag } from './prorag.ts'

describe('rolled traces', () => {
  it('have the first error of the oracle, and rollouts that agree with its exact values', async () => {
    const completer = { slip: 0.15, recovery: 0, rescue: 0.08 }
    const traces = await rolledTraces(selfRepairingChain, 2, 6, completer, 's')
    expect(traces).toHaveLength(6)
    for (const trace of traces) {
      const exact = { slip: 0.15, recovery: 0 }
      const truths = selfRepairingChain.oracle(trace.problem, trace.texts, exact)
      expect(trace.firstError).toBe(truths.findIndex((t) => !t.correct))
      for (const length of [2, 5]) {
        const value = truths[length - 1]?.value || 0.08
        const share = (await trace.count(length, 400)) / 400
        expect(Math.abs(share - value)).toBeLessThan(4 * Math.sqrt(0.25 / 400))
      }
    }
  })

  it('give the same rollouts to whoever asks, and check the answer once', async () => {
    const draw = () => rolledTraces(arithmeticChain, 3, 3, { slip: 0.1 }, 's', (f) => f >= 0)
    const [a, b] = await Promise.all([draw(), draw()])
    for (const [i, trace] of a.entries()) {
      expect(trace.firstError).toBeGreaterThanOrEqual(0)
      const evidence = await rolloutEvidenceOf(trace, 4)
      expect(await rolloutEvidenceOf(b[i] ?? trace, 4)).toEqual(evidence)
      expect(evidence.at(-1)).toMatchObject({ successes: 0, trials: 1 })
    }
  })
})

describe('replications', () => {
  it('state their claim and the rule that would refute it, and have a control for every arm', () => {
    for (const one of REPLICATIONS) {
      for (const text of [one.claim, one.failsIf, one.setting]) expect(text.length).toBeGreaterThan(20)
      const file = join(import.meta.dirname, 'results', `${one.paper}.json`)
      expect(existsSync(file)).toBe(true)
      const { mode, settings, failsIf } = JSON.parse(readFileSync(file, 'utf8'))
      expect([mode, failsIf]).toEqual(['full', one.failsIf])
      for (const { arms } of settings) {
        expect(new Set(arms.map((arm: { control: boolean }) => arm.control))).toEqual(new Set([true, false]))
      }
    }
  })

  it('say what they found in the agreed form', { timeout: 120_000 }, async () => {
    const result = await prmLessons.run({ quick: true, seed: 'test', progress: () => {} })
    const text = replicationText(prmLessons, result)
    expect(text).toMatch(/claim .*\n {2}fails if .*\n/)
    expect(text).toMatch(/verdict +(holds|partly|fails): /)
    expect(text).toContain('judge (control)')
  })
  it('find that added points are collected by the exact gradient, at the cost of right answers, and tied ones are not', {
    timeout: 120_000,
  }, async () => {
    const { settings } = await pprRenorm.run({ quick: true, seed: 'test', progress: () => {} })
    const [exact] = settings
    const of = (arm: string): number[] =>
      exact?.arms.find(({ name }) => name === arm)?.figures.map(({ estimate }) => estimate.value) ?? []
    const [[right = 0, searches = 0], added, tied] = [of('outcomes alone'), of('additive, weight 1'), of('ReNorm')]
    expect(added[1]).toBeGreaterThan(1.3 * searches)
    expect(added[0]).toBeLessThan(right - 0.05)
    expect(tied[0]).toBeGreaterThan(right - 0.02)
  })
  it('find that the pull as a reward of steps leads where the pull in the reward of the run does, as released not', () => {
    const gone = Object.fromEntries(
      onTrees(3, 'test').arms.map(({ name, figures }) => [name, figures[2]!.estimate.value]),
    )
    const whole = gone['whole run in the reward']!
    expect(whole).toBeGreaterThan(0.8)
    expect(Math.abs(gone['PRL by step, from its first token']! - whole)).toBeLessThan(0.05)
    expect(gone['PRL by step, as released']).toBeLessThan(whole - 0.2)
  })

  it('find that scores of a pairwise model of steps teach more than those of a random one', {
    timeout: 120_000,
  }, async () => {
    const { settings, outcome } = await prorag.run({ quick: true, seed: 'test', progress: () => {} })
    const right = (arm: string): number =>
      settings[0]!.arms.find(({ name }) => name === arm)!.figures[0]!.estimate.value
    expect(right('ProRAG')).toBeGreaterThan(right('ProRAG, random model'))
    expect(outcome).not.toBe('fails')
  })
})
