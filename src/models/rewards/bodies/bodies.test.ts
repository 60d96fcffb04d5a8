import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Evidence, Step } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import { startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { openAiCompatible } from '../../endpoints/openai-compatible.ts'
import { type LoadedModel, loadEmbedded } from '../../policies/embedded/load.ts'
import type { Line } from '../reward.ts'
import { type Body, type Featured, joinedBody } from './body.ts'
import { embeddedBody } from './embedded.ts'
import { endpointBody } from './endpoint.ts'
import { likelihoodBody } from './likelihood.ts'
import { STEP_COLUMNS, stepFeatures, stepFeaturesOf } from './step-features.ts'

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const lines: Line[] = arithmeticChain
  .generate('bodies', 0, 3)
  .map((problem) => ({ problem, steps: thoughts(problem.solution ?? []) }))
const [line] = lines as [Line]

function numbers(featured: Featured | undefined): number[] {
  if (!featured?.ok) throw featured?.error ?? new Error('nothing')
  return [...featured.features]
}

/** The promise behind every use in a search. */
async function seesNoFuture(body: Body): Promise<void> {
  const whole = numbers((await body.features([line]))[0])
  for (let n = 1; n <= line.steps.length; n++) {
    const [prefix] = await body.features([{ ...line, steps: line.steps.slice(0, n) }])
    numbers(prefix).forEach((x, i) => {
      expect(x).toBeCloseTo(whole[i]!, 4)
    })
  }
}

describe('the embedded transformer as a body', () => {
  let chains: LoadedModel
  beforeAll(async () => {
    chains = await loadEmbedded('chains')
  })
  afterAll(() => chains.dispose())

  it('gives the normalised state at the token that closes each step, which has seen nothing after it', async () => {
    const body = embeddedBody(chains)
    await seesNoFuture(body)
    const text = `${line.problem.prompt}\n${line.steps.map((step) => `${step.text}\n`).join('')}`
    const [state] = await chains.hidden([text], chains.config.layers)
    const end = text.indexOf('\n', text.indexOf('\n') + 1)
    const own = [...state!.states.subarray(end * body.width, (end + 1) * body.width)]
    const size = Math.sqrt(own.reduce((sum, x) => sum + x * x, 0) / own.length)
    numbers((await body.features([line]))[0])
      .slice(0, body.width)
      .forEach((x, i) => {
        expect(x).toBeCloseTo(own[i]! / size, 4)
      })
  })

  it('says of each line why it cannot be read, and reads the others', async () => {
    const given: Line[] = [
      { ...line, steps: thoughts(['1+1=2\n2+2=4']) },
      line,
      { ...line, steps: thoughts(['1 § 2']) },
      { ...line, steps: thoughts(Array.from({ length: 40 }, () => '1+1=2')) },
      { problem: { id: 'q', prompt: 'Why?' }, steps: [] },
    ]
    const codes = (await embeddedBody(chains).features(given)).map((one) => (one.ok ? 'ok' : one.error.code))
    expect(codes).toEqual(['GRD-MODEL-005', 'ok', 'GRD-MODEL-001', 'GRD-MODEL-002', 'GRD-WORLD-001'])
  })
})

describe('the likelihood under the transformer as a body', () => {
  let chains: LoadedModel
  beforeAll(async () => {
    chains = await loadEmbedded('chains')
  })
  afterAll(() => chains.dispose())

  it('is sum, mean and lowest of the log-likelihoods of the tokens of a step, and those up to it', async () => {
    const body = likelihoodBody(chains)
    await seesNoFuture(body)
    const head = `${line.problem.prompt}\n`
    const [scored] = await chains.score([head + line.steps.map((step) => `${step.text}\n`).join('')])
    const split = head.length + line.steps[0]!.text.length + 1
    const first = scored!.logprobs.slice(head.length, split)
    const own = scored!.logprobs.slice(split, split + line.steps[1]!.text.length + 1)
    const sum = own.reduce((a, b) => a + b, 0)
    const soFar = [...first, ...own]
    const expected = [sum, sum / own.length, Math.min(...own), soFar.reduce((a, b) => a + b, 0), Math.min(...soFar)]
    numbers((await body.features([line]))[0])
      .slice(body.width, 2 * body.width)
      .forEach((x, i) => {
        expect(x).toBeCloseTo(expected[i]!, 4)
      })
  })

  it('learns right steps only: they become likelier, the wrong one beside them does not', async () => {
    const wrong: Line = { ...line, steps: line.steps.with(1, { ...line.steps[1]!, text: '7-8=3' }) }
    const lessons = Array.from({ length: 12 }, () => ({
      line: wrong,
      steps: wrong.steps.map((_, step) => ({ step, target: step === 1 ? 0 : 1, weight: 1 })),
    }))
    const body = joinedBody([stepFeatures([]), likelihoodBody(chains)])
    const adapted = await body.adapt!(lessons, 'test')
    const sumOf = async (one: Body, step: number): Promise<number> =>
      numbers((await one.features([wrong]))[0])[step * one.width + one.width - 5]!
    expect(await sumOf(adapted, 2)).toBeGreaterThan(await sumOf(body, 2))
    expect(await sumOf(adapted, 1)).toBeLessThan(-5)
    expect(Object.keys(adapted.tensors ?? {}).every((name) => name.startsWith('1.'))).toBe(true)
  })
})

describe('step features', () => {
  it('have a documented column each, and see no future', async () => {
    const body = stepFeatures([])
    expect(body.spec).toMatchObject({ columns: Object.keys(STEP_COLUMNS) })
    await seesNoFuture(body)
  })

  it('read log-probabilities, tools, judges and repetitions', async () => {
    const steps: Step[] = [
      { text: 'a = 12', kind: 'thought', tokens: { ids: [1, 2], logprobs: [-1, -3] } },
      { text: 'a = 12', kind: 'thought' },
    ]
    const evidence: Evidence[] = [
      { kind: 'tool', source: 'lab', step: 0, verdict: 'incorrect', reason: '' },
      { kind: 'judgement', source: 'a', step: 0, verdict: 'correct', reason: '', logprob: Math.log(0.8) },
      { kind: 'judgement', source: 'b', step: 0, verdict: null, reason: 'unreadable' },
    ]
    const body = stepFeatures([{ evidence }])
    if (body.spec.kind !== 'features') throw new Error('another body')
    const { columns } = body.spec
    const all = numbers((await body.features([{ problem: line.problem, steps, evidence }]))[0])
    const rows = steps.map((_, t) => Object.fromEntries(columns.map((name, c) => [name, all[t * body.width + c]])))
    expect(rows[0]).toMatchObject({
      'logprob-mean': -2,
      'logprob-min': -3,
      'logprob-sum': -4,
      'tools-incorrect': 1,
      'lab:incorrect': 1,
      judged: 1,
      repeated: 0,
      numbers: 1,
    })
    expect(rows[0]?.['judge-mean']).toBeCloseTo(0.8, 6)
    expect(rows[1]).toMatchObject({
      'has-logprobs': 0,
      'logprob-min-so-far': -3,
      'tools-incorrect': 0,
      'tools-incorrect-so-far': 1,
      judged: 0,
      repeated: 1,
    })
  })

  it('look themselves where a line comes without evidence, as in a search', async () => {
    const body = stepFeaturesOf(['verifier:arithmetic'])
    const steps = thoughts(['1 + 1 = 2', '2 + 2 = 5'])
    const found = numbers((await body.features([{ problem: line.problem, steps }]))[0])
    const at = Object.keys(STEP_COLUMNS).length
    expect([0, 1].map((t) => found.slice(t * body.width + at, (t + 1) * body.width))).toEqual([
      [1, 0],
      [0, 1],
    ])
  })
})

describe('an endpoint as a body', () => {
  let server: TestServer
  let engine: Engine
  beforeAll(async () => {
    server = await startTestServer({})
    engine = new Engine({})
  })
  afterAll(async () => {
    await engine.close()
    await server.close()
  })
  const open = (): Promise<Body> =>
    endpointBody({ engine, endpoint: openAiCompatible({ url: server.url, model: 'test' }), url: server.url })

  it('embeds each step with all that stands before it, in one call a line', async () => {
    const body = await open()
    const before = server.requests
    const found = numbers((await body.features([line]))[0])
    expect(server.requests - before).toBe(1)
    // The test server's vectors begin with the length of the text.
    let length = line.problem.prompt.length + 1
    line.steps.forEach(({ text }, t) => {
      expect(found[t * body.width]).toBe((length += text.length + 1))
    })
  })

  it('stands beside step features in one row', async () => {
    const [one, other] = [await open(), stepFeatures([])]
    const body = joinedBody([one, other])
    const row = numbers((await body.features([line]))[0]).slice(0, body.width)
    const parts = [numbers((await one.features([line]))[0]), numbers((await other.features([line]))[0])]
    expect(row).toEqual([...parts[0]!.slice(0, one.width), ...parts[1]!.slice(0, other.width)])
  })

  it('with vectors of another length is refused, not padded', async () => {
    const data = line.steps.map((_, index) => ({ index, embedding: [1] }))
    const wrong = await startTestServer({
      behave: (nth) => (nth === 0 ? { kind: 'answer' } : { kind: 'raw', body: JSON.stringify({ data }) }),
    })
    const endpoint = openAiCompatible({ url: wrong.url, model: 'test' })
    const [said] = await (await endpointBody({ engine, endpoint, url: wrong.url })).features([line])
    expect(said?.ok ? 'ok' : said?.error.code).toBe('GRD-REWARD-001')
    await wrong.close()
  })
})
