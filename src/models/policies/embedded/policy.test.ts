import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem, Step } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import { rollout, rollouts, type Written } from '../../../engine/rollout.ts'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { hopworld } from '../../../worlds/tasks/hopworld.ts'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import { initialWeights } from '../../training/transformer/params.ts'
import { tokenizerOf } from '../../training/transformer/tokenizer.ts'
import type { Policy } from '../policy.ts'
import { heldOutProblems, lessonsOf } from './lessons.ts'
import { type LoadedModel, loadEmbedded } from './load.ts'
import { embeddedModel } from './model.ts'
import { policyOf } from './policy.ts'
import { RECIPES } from './recipes.ts'

const lessons = RECIPES.flatMap(lessonsOf)
const problems = heldOutProblems(game24, 1, 'policy-test', 12)

let model: LoadedModel
let engine: Engine
let batches: number[]
let policy: Policy

/** The model, noting how many rows each batch has. */
const watched = (): LoadedModel => ({
  ...model,
  generate(options) {
    batches.push(options.prompts.length)
    return model.generate(options)
  },
})
const open: Engine[] = []
function fresh(seed?: string): Policy {
  engine = new Engine()
  open.push(engine)
  batches = []
  return policyOf(watched(), lessons, { engine, ...(seed !== undefined && { seed }) })
}

const steps = (written: Written | undefined) => (written?.ok ? written.steps : written?.error)

beforeAll(async () => {
  model = await loadEmbedded('game24')
  policy = fresh()
})
afterAll(async () => {
  for (const one of open) await one.close()
  model.dispose()
})

describe('the embedded policy', () => {
  it('writes the same alone, together, in one call of many and step by step again', async () => {
    const together = await Promise.all(problems.map((problem) => policy.complete(problem, [], 0)))
    // The engine begins with eight calls at a time.
    expect(batches).toEqual([8, 4])
    const one = problems[3]!
    expect(steps(await fresh().complete(one, [], 0))).toEqual(steps(together[3]))
    const many = await fresh().completeMany?.(one, [], { from: 0, count: 5 })
    expect(steps(many?.[0])).toEqual(steps(together[3]))
    expect(new Set(many?.map((w) => w.ok && w.steps.map((s) => s.text).join('\n'))).size).toBeGreaterThan(1)
    const walked = await rollout({ problem: one, policy: fresh(), verifier: game24, stepwise: true })
    const again = await rollout({ problem: one, policy: fresh(), verifier: game24, stepwise: true })
    expect(walked).toEqual(again)
    expect(steps(await fresh('other').complete(one, [], 0))).not.toEqual(steps(together[3]))
  })

  it('gives steps whose log-probabilities add up to that of the text, and whose tokens are its own', async () => {
    const written = await policy.complete(problems[0]!, [], 1)
    if (!written.ok || written.end !== 'stop') throw new Error('expected a finished run')
    const text = written.steps.map((step) => step.text).join('\n')
    const prompt = `${problems[0]?.prompt}\n`
    const [scored] = await model.score([prompt + text])
    const tokens = written.steps.flatMap((step) => step.tokens?.logprobs ?? [])
    // The end token is sampled, but is no part of the text.
    const sum = tokens.slice(0, -1).reduce((a, b) => a + b, 0)
    expect(tokens).toHaveLength(text.length + 1)
    expect(sum).toBeCloseTo(scored?.logprobs.slice(prompt.length).reduce((a, b) => a + b, 0) ?? 0, 3)
    for (const step of written.steps) expect(model.tokenizer.decode(step.tokens?.ids ?? [])).toContain(step.text)
    expect(written.usage).toMatchObject({ calls: 1, promptTokens: prompt.length, completionTokens: text.length + 1 })
  })

  it('solves about as often as its card says', async () => {
    const many = heldOutProblems(game24, 1, 'policy-rate', 60)
    const own = fresh()
    const done = await Promise.all(
      many.map((problem) => rollouts({ problem, policy: own, verifier: game24 }, { from: 0, count: 4 })),
    )
    const outcomes = done.flat().map((one) => (one.ok ? (one.trace.outcome ?? 0) : 0))
    const rate = outcomes.reduce((a, b) => a + b, 0) / outcomes.length
    const card = model.card.measured.rates.find(({ level }) => level === 1)
    expect(Math.abs(rate - (card?.passAt1 ?? -1))).toBeLessThan(0.1)
  })

  it('refuses problems that it has not learnt, and text that it cannot read', async () => {
    const foreign: Problem = { id: 'x', prompt: '1 2 3 4', domain: 'poetry' }
    expect(await policy.complete(foreign, [], 0)).toMatchObject({ ok: false, error: { code: 'GRD-WORLD-001' } })
    expect(await policy.next({ ...foreign, domain: 'game24', prompt: 'Ω' }, [], 0)).toMatchObject({
      ok: false,
      error: { code: 'GRD-MODEL-001' },
    })
  })

  it('stops where its context is full', async () => {
    const full: Step = { text: '1'.repeat(model.config.context), kind: 'thought' }
    expect(await policy.next(problems[0]!, [full], 0)).toMatchObject({ ok: true, steps: [], end: 'length' })
  })
})

describe('with untrained weights', () => {
  const letters = [...new Set(`${'\n'}~=|:+-*/,.; 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`)]
  const tokenizer = tokenizerOf(letters)
  const config = { vocab: tokenizer.size, width: 16, layers: 1, heads: 2, hidden: 32, context: 160 }
  let noise: Policy
  let seen: string[]
  beforeAll(async () => {
    const small = await embeddedModel(config, tokenizer, initialWeights(config, 'policy-test'))
    seen = []
    const noisy = {
      ...small,
      name: 'noise',
      card: { sha256: 'none' },
      generate(options: Parameters<typeof small.generate>[0]) {
        seen.push(...options.prompts)
        return small.generate(options)
      },
    }
    const own = new Engine()
    open.push(own)
    noise = policyOf(noisy, lessons, { engine: own })
  })

  it('the world answers a search with a line of its own, free of charge, and the model goes on from there', async () => {
    const [problem] = hopworld.generate('policy-test', 0, 1)
    if (!problem) throw new Error('no problem')
    const [search, found] = (problem.solution ?? []).map((text): Step => ({ text, kind: 'action' }))
    if (!search || !found) throw new Error('a solution begins with a search')
    const reply = await noise.next(problem, [search], 0)
    expect(reply).toMatchObject({ ok: true, steps: [{ text: found.text, kind: 'observation' }], usage: { calls: 0 } })
    const rest = await noise.complete(problem, [search], 0)
    expect(rest.ok && rest.steps[0]).toEqual({ text: found.text, kind: 'observation' })
    expect(seen).toContain(`${problem.prompt}\n${search.text}\n${found.text}\n`)
  })

  it("problems stand behind their task's mark", async () => {
    const [problem] = selfRepairingChain.generate('policy-test', 0, 1)
    if (!problem) throw new Error('no problem')
    await noise.next(problem, [], 0)
    expect(seen).toContain(`~${problem.prompt}\n`)
  })
})
