import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../core/hash.ts'
import { random } from '../../core/seeds.ts'
import { part } from '../../core/split.ts'
import type { Trace } from '../../core/words.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { type LoadedModel, loadEmbedded } from '../policies/embedded/load.ts'
import { embeddedBody } from './bodies/embedded.ts'
import { stepFeatures } from './bodies/step-features.ts'
import { loadReward, saveReward } from './model-file.ts'
import { trainReward } from './train-reward.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-reward-'))
afterAll(() => rmSync(folder, { recursive: true }))

/**
 * Chains of the task's own completer, exactly labelled; a wrong step shows in low log-probabilities, as with a policy
 * that half knows.
 */
function tracesOf(n: number): Trace[] {
  const draw = random('train-reward')
  return arithmeticChain.generate('train-reward', 0, n).flatMap((problem) =>
    Array.from({ length: 2 }, (_, sample): Trace => {
      const texts = arithmeticChain.complete(problem, [], draw, { slip: 0.3, recovery: 0 })
      const labels = arithmeticChain.oracle(problem, texts).map(({ correct }, step) => ({
        step,
        meaning: 'correctness' as const,
        value: Number(correct),
        source: 'exact',
      }))
      const steps = texts.map((text, step) => ({
        text,
        kind: 'thought' as const,
        tokens: { ids: [0], logprobs: [(labels[step]!.value === 1 ? -0.1 : -1) + 0.3 * draw.normal()] },
      }))
      const outcome = Number(arithmeticChain.check(problem, arithmeticChain.answerOf(texts) ?? ''))
      const source = { generator: 'completer', dataset: 'chains', licence: 'MIT' }
      return { id: `${problem.id}#${sample}`, problem, steps, outcome, labels, source }
    }),
  )
}

const traces = tracesOf(150)
const lines = traces.slice(0, 5).map(({ problem, steps }) => ({ problem, steps }))

describe('training a reward model', () => {
  it('learns, is measured on questions that it has not seen, and beats position and length', async () => {
    const { card } = await trainReward({ traces, kind: 'process', body: stepFeatures(traces) })
    expect(card).toMatchObject({ meaning: 'correctness', aggregate: 'min', labels: 'labels of exact', licence: 'MIT' })
    const { fit, tune, test } = card.trainedOn.parts
    expect(fit!.traces + tune!.traces + test!.traces).toBe(300)
    expect(card.metrics?.model.auroc).toBeGreaterThan(0.85)
    expect(card.metrics?.baseline.auroc).toBeLessThan(0.75)
    expect(card.metrics?.firstError?.f1).toBeGreaterThan(0.5)
    expect(Object.keys(card.metrics?.outcome ?? {})).toEqual(['min', 'product', 'mean', 'last', 'log-odds'])
  })

  it('has an outcome twin: the same features, only the end known', async () => {
    const { model, card } = await trainReward({ traces, kind: 'outcome', body: stepFeatures(traces) })
    expect(card).toMatchObject({ kind: 'outcome', meaning: 'value', aggregate: 'last', threshold: null })
    expect(card.trainedOn.parts.fit?.steps).toBe(card.trainedOn.parts.fit?.traces)
    const [scored] = await model.score(lines)
    expect(scored?.ok && scored.scores).toHaveLength(lines[0]!.steps.length)
  })

  it('the same traces and seed give the same model, with any learner', async () => {
    const identities = new Set<string>()
    for (const learner of ['logistic', 'boosting', 'mlp']) {
      const options = { traces, kind: 'value', body: stepFeatures(traces), learner } as const
      const [a, b] = [await trainReward(options), await trainReward(options)]
      expect(a.card).toEqual(b.card)
      expect(await a.model.score(lines)).toEqual(await b.model.score(lines))
      identities.add(canonicalJson(a.model.identity))
    }
    expect(identities.size).toBe(3)
  })

  it('with few questions learns from all and measures nothing rather than noise', async () => {
    const few = traces.slice(0, 40)
    const { card } = await trainReward({ traces: few, kind: 'process', body: stepFeatures(few) })
    expect(card).toMatchObject({ metrics: null, calibration: { temperature: 1 }, threshold: null })
    expect(card.trainedOn.parts.fit?.traces).toBe(40)
  })
})

describe('a body that learns by itself', () => {
  it('is not begun where the questions kept for its head have steps of one class only', async () => {
    const clean = traces.filter(
      ({ problem, labels }) =>
        part(problem.prompt, 10) < 8 || labels?.every((label) => label.meaning === 'correctness' && label.value === 1),
    )
    const adapt = (): Promise<never> => Promise.reject(new Error('begun'))
    const train = (some: Trace[]) =>
      trainReward({ traces: some, kind: 'process', body: { ...stepFeatures(some), adapt } })
    await expect(train(clean)).rejects.toThrow(/GRD-TRAIN-001.*only targets of 1 in the \d+ traces kept for the head/)
    await expect(train(traces)).rejects.toThrow('begun')
  })
})

describe('the file of a model', () => {
  let chains: LoadedModel
  beforeAll(async () => {
    chains = await loadEmbedded('chains')
  })
  const stem = join(folder, 'model')

  it('comes back with the same scores, and nothing else is left in the folder', async () => {
    const { model } = await trainReward({ traces, kind: 'process', body: stepFeatures(traces), learner: 'boosting' })
    const card = await saveReward(model, `${stem}.json`)
    expect(readdirSync(folder).sort()).toEqual(['model.json', 'model.safetensors'])
    const back = await loadReward(stem)
    expect(back.card).toEqual(card)
    expect(back.identity).toEqual(model.identity)
    expect(await back.score(lines)).toEqual(await model.score(lines))
  })

  it('comes back on hidden states too', async () => {
    const few = traces.slice(0, 60)
    const options = { body: embeddedBody(chains), learnerOptions: { units: 8 } }
    const { model, card } = await trainReward({ traces: few, kind: 'process', ...options })
    expect(card.body).toMatchObject({ model: 'chains', fineTuned: false, separator: { text: '\n' } })
    await saveReward(model, join(folder, 'hidden.json'))
    const back = await loadReward(join(folder, 'hidden.json'))
    expect(await back.score(lines)).toEqual(await model.score(lines))
    back.dispose?.()
  })

  it('of another separator, tokenizer or weights below is refused', async () => {
    const file = join(folder, 'hidden.json')
    const whole = readFileSync(file, 'utf8')
    for (const [field, change] of [
      ['separator', (text: string) => text.replace(/("id": )\d+/, '$199')],
      ['tokenizer', (text: string) => text.replace(/("tokenizer": ")\w/, '$1_')],
      ['sha256', (text: string) => text.replace(/("sha256": ")\w/, '$1_')],
      ['renderer', (text: string) => text.replace(/("renderer": ")\w/, '$1_')],
    ] as const) {
      writeFileSync(file, change(whole))
      await expect(loadReward(file)).rejects.toMatchObject({ code: 'GRD-MODEL-005', where: { field: `body.${field}` } })
    }
    writeFileSync(file, whole)
  })

  it('cut off, changed or absent is refused', async () => {
    const bytes = readFileSync(`${stem}.safetensors`)
    writeFileSync(`${stem}.safetensors`, bytes.subarray(0, bytes.length - 4))
    await expect(loadReward(stem)).rejects.toMatchObject({ code: 'GRD-MODEL-003' })
    writeFileSync(`${stem}.safetensors`, bytes)
    writeFileSync(`${stem}.json`, readFileSync(`${stem}.json`).subarray(0, 100))
    await expect(loadReward(stem)).rejects.toMatchObject({ code: 'GRD-MODEL-003' })
    await expect(loadReward(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'GRD-MODEL-004' })
  })

  it('is not begun where it cannot be written, and the old one stays', async () => {
    const { model } = await trainReward({ traces, kind: 'process', body: stepFeatures(traces) })
    await saveReward(model, join(folder, 'kept.json'))
    const before = readFileSync(join(folder, 'kept.json'))
    await expect(saveReward(model, join(folder, 'kept.json', 'below.json'))).rejects.toMatchObject({
      code: 'GRD-IO-013',
    })
    expect(readFileSync(join(folder, 'kept.json'))).toEqual(before)
    expect(existsSync(join(folder, 'kept.json', 'below.json'))).toBe(false)
  })
})
