import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import type { Trace } from '../../core/words.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { type LoadedModel, loadEmbedded } from '../policies/embedded/load.ts'
import { embeddedModel } from '../policies/embedded/model.ts'
import { trainPreference } from '../training/transformer/preference.ts'
import { joinedBody } from './bodies/body.ts'
import { embeddedBody } from './bodies/embedded.ts'
import { likelihoodBody } from './bodies/likelihood.ts'
import { stepFeatures } from './bodies/step-features.ts'
import { implicitReward, marginOf, marginText } from './implicit.ts'
import { loadReward, saveReward } from './model-file.ts'
import { trainReward } from './train-reward.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-tuned-'))
let chains: LoadedModel
beforeAll(async () => {
  chains = await loadEmbedded('chains')
})
afterAll(() => {
  chains.dispose()
  rmSync(folder, { recursive: true })
})

function labelledChains(n: number): Trace[] {
  const draw = random('tuned')
  return arithmeticChain.generate('tuned', 0, n).map((problem): Trace => {
    const texts = arithmeticChain.complete(problem, [], draw, { slip: 0.3, recovery: 0 })
    const labels = arithmeticChain.oracle(problem, texts).map(({ correct }, step) => ({
      step,
      meaning: 'correctness' as const,
      value: Number(correct),
      source: 'exact',
    }))
    const steps = texts.map((text) => ({ text, kind: 'thought' as const }))
    return { id: problem.id, problem, steps, labels, source: { generator: '', dataset: '', licence: 'MIT' } }
  })
}

describe('a transformer trained with its head', () => {
  it('tells wrong steps better than position and length do, and comes back from its file', {
    timeout: 120_000,
  }, async () => {
    const traces = labelledChains(500)
    const lines = traces.slice(0, 5).map(({ problem, steps }) => ({ problem, steps }))
    const tuned = await trainReward({
      traces,
      kind: 'process',
      body: embeddedBody(chains, { fineTune: { epochs: 3 } }),
    })
    const { model, baseline } = tuned.card.metrics ?? {}
    expect(model?.auroc).toBeGreaterThan(baseline?.auroc ?? 1)
    expect(tuned.card.body).toMatchObject({ fineTuned: true })
    await saveReward(tuned.model, join(folder, 'tuned.json'))
    const back = await loadReward(join(folder, 'tuned.json'))
    expect(await back.score(lines)).toEqual(await tuned.model.score(lines))
  })
})

describe('a transformer that has learnt right steps', () => {
  it('tells wrong steps by their likelihood, with plain features beside it, and comes back from its file', {
    timeout: 120_000,
  }, async () => {
    const traces = labelledChains(800)
    const body = joinedBody([stepFeatures([]), likelihoodBody(chains)])
    const { model, card } = await trainReward({ traces, kind: 'process', body })
    const before = await trainReward({ traces, kind: 'process', body: stepFeatures([]) })
    expect(card.metrics!.model.auroc).toBeGreaterThan(before.card.metrics!.model.auroc! + 0.1)
    await saveReward(model, join(folder, 'likely.json'))
    const back = await loadReward(join(folder, 'likely.json'))
    const lines = traces.slice(0, 5).map(({ problem, steps }) => ({ problem, steps }))
    expect(await back.score(lines)).toEqual(await model.score(lines))
  })
})

describe('implicit rewards of an embedded pair', () => {
  const lines = arithmeticChain.generate('implicit', 0, 12).map((problem) => ({
    problem,
    steps: (problem.solution ?? []).map((text) => ({ text, kind: 'thought' as const })),
  }))
  const settings = { reduce: 'sum' as const, name: 'implicit', identity: 'test' }

  it('learns to prefer: the loss starts at log 2 and falls, and better lines gain', { timeout: 120_000 }, async () => {
    const worse = lines.map((line) => ({
      ...line,
      steps: line.steps.map((step, t) => (t === 0 ? { ...step, text: step.text.replace(/\d+$/, '0') } : step)),
    }))
    const weights = await chains.weights()
    const pairs = lines.map((line, i) => ({
      better: marginText(chains, line, 0.5, 'sum'),
      worse: marginText(chains, worse[i]!, 0.5, 'sum'),
    }))
    const training = { config: chains.config, weights, pairs, epochs: 2, batch: 4, rate: 2e-3, seed: 'test' }
    const { weights: after, losses } = await trainPreference(training)
    expect(losses[0]).toBeCloseTo(Math.log(2), 5)
    expect(losses.at(-1)).toBeLessThan(0.6)
    const model = await embeddedModel(chains.config, chains.tokenizer, after)
    const reward = implicitReward({ ...settings, beta: 0.5, reader: chains, model, reference: chains })
    const [good, bad] = [await reward.rewards(lines.slice(0, 4)), await reward.rewards(worse.slice(0, 4))]
    good.forEach((one, i) => {
      const other = bad[i]!
      if (!one.ok || !other.ok) throw new Error('not scored')
      expect(marginOf(one.rewards, 'sum')).toBeGreaterThan(marginOf(other.rewards, 'sum'))
    })
    model.dispose()
  })
})
