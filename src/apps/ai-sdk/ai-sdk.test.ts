import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
} from '@ai-sdk/provider'
import { generateText, isStepCount, streamText, tool, wrapLanguageModel } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NO_USAGE } from '../../core/words.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { bestOfN, judgeOf, stepBeam } from './index.ts'
import { type GuardFinding, stepGuard } from './step-guard.ts'

const usage = {
  inputTokens: { total: 10, noCache: 10, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 5, text: 5, reasoning: undefined },
}
const result = (
  content: LanguageModelV4Content[],
  unified: 'stop' | 'tool-calls' = 'stop',
): LanguageModelV4GenerateResult => ({
  content,
  finishReason: { unified, raw: undefined },
  usage,
  warnings: [],
})
const text = (said: string) => result([{ type: 'text', text: said }])
/** A model object for the wiring; what it says is fixed by the number of the call. */
const scripted = (answer: (nth: number, options: LanguageModelV4CallOptions) => LanguageModelV4GenerateResult) => {
  let calls = 0
  return new MockLanguageModelV4({ doGenerate: async (options) => answer(calls++, options) })
}
const sums: RewardModel = {
  name: 'sums',
  identity: 'sums',
  meaning: 'correctness',
  aggregate: 'min',
  score: async (all) =>
    all.map(({ steps }) => {
      const scores = steps.map((step) => {
        const sum = /(\d+) \+ (\d+) = (\d+)/.exec(step.text)
        return sum ? Number(Number(sum[1]) + Number(sum[2]) === Number(sum[3])) : 0.5
      })
      return { ok: true, scores, usage: NO_USAGE }
    }),
}

describe('best of n as middleware', () => {
  it('gives the answer with the highest score, whole as the model wrote it, and the bill of all', async () => {
    const model = scripted((nth) =>
      nth === 2
        ? result([
            { type: 'reasoning', text: 'let me see' },
            { type: 'text', text: '2 + 2 = 4\n\nThe answer is 4.' },
          ])
        : text('2 + 2 = 5\n\nThe answer is 5.'),
    )
    const wrapped = wrapLanguageModel({ model, middleware: bestOfN({ n: 4, reward: sums }) })
    const answer = await generateText({ model: wrapped, prompt: 'What is 2 + 2?', seed: 7 })
    expect(answer.text).toBe('2 + 2 = 4\n\nThe answer is 4.')
    expect(answer.reasoningText).toBe('let me see')
    expect(answer.usage).toMatchObject({ inputTokens: 40, outputTokens: 20 })
    expect(answer.providerMetadata?.['gradus']).toMatchObject({ search: 'best-of-n', chosen: 2 })
    expect(model.doGenerateCalls.map((call) => call.seed)).toEqual([7, 8, 9, 10])
  })

  it('chooses among tool calls too', async () => {
    const call = (city: string) =>
      result(
        [{ type: 'tool-call', toolCallId: 'c', toolName: 'weather', input: JSON.stringify({ city }) }],
        'tool-calls',
      )
    const model = scripted((nth) => call(['Rome', 'Bonn', 'Oslo'][nth] ?? ''))
    const bonn: RewardModel = {
      ...sums,
      score: async (all) =>
        all.map(({ steps }) => ({
          ok: true,
          scores: steps.map((s) => Number(s.text.includes('Bonn'))),
          usage: NO_USAGE,
        })),
    }
    const answer = await generateText({
      model: wrapLanguageModel({ model, middleware: bestOfN({ n: 3, reward: bonn }) }),
      prompt: 'Weather in Bonn?',
      tools: { weather: tool({ inputSchema: z.object({ city: z.string() }) }) },
    })
    expect(answer.toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Bonn' } }])
  })

  it('streams the same answer', async () => {
    const model = scripted((nth) => text(nth === 1 ? '1 + 1 = 2' : '1 + 1 = 3'))
    const streamed = streamText({
      model: wrapLanguageModel({ model, middleware: bestOfN({ n: 2, reward: sums }) }),
      prompt: 'x',
    })
    expect(await streamed.text).toBe('1 + 1 = 2')
    expect(await streamed.totalUsage).toMatchObject({ inputTokens: 20 })
  })

  it('leaves out answers that failed, and fails where all did or one answer only is asked for', async () => {
    const half = scripted((nth) => {
      if (nth % 2 === 0) throw new Error('no')
      return text('1 + 1 = 2')
    })
    const ask = (model: LanguageModelV4, n: number) =>
      generateText({
        model: wrapLanguageModel({ model, middleware: bestOfN({ n, reward: sums }) }),
        prompt: 'x',
        maxRetries: 0,
      })
    expect((await ask(half, 4)).text).toBe('1 + 1 = 2')
    const dead = scripted(() => {
      throw new Error('no')
    })
    await expect(ask(dead, 2)).rejects.toThrow('GRD-CALL-004')
    await expect(ask(half, 1)).rejects.toThrow('GRD-SEARCH-001')
  })
})

describe('a step beam as middleware', () => {
  /** Writes one step more than the prompt holds; sums are right where the number of the call is even. */
  const walker = () =>
    scripted((nth, { prompt }) => {
      const said = prompt
        .flatMap((m) => (m.role === 'assistant' ? m.content : []))
        .flatMap((p) => (p.type === 'text' ? [p.text] : []))
      const step =
        said
          .join('')
          .split('\n\n')
          .filter((s) => s !== '').length + 1
      return text(step > 2 ? 'The answer is \\boxed{7}.' : `${step} + 1 = ${step + (nth % 2 === 0 ? 1 : 2)}`)
    })

  it('goes on from the best steps only', async () => {
    const model = walker()
    const wrapped = wrapLanguageModel({ model, middleware: stepBeam({ k: 4, beam: 2, reward: sums }) })
    const answer = await generateText({ model: wrapped, prompt: 'Count.' })
    expect(answer.text).toBe('1 + 1 = 2\n\n2 + 1 = 3\n\nThe answer is \\boxed{7}.')
    expect(model.doGenerateCalls.every((call) => call.stopSequences?.[0] === '\n\n')).toBe(true)
    expect(answer.providerMetadata?.['gradus']).toMatchObject({ search: 'step-beam' })
  })

  it('passes calls with tools on, and says so', async () => {
    const model = scripted(() => text('hello'))
    const answer = await generateText({
      model: wrapLanguageModel({ model, middleware: stepBeam({ reward: sums }) }),
      prompt: 'x',
      tools: { t: tool({ inputSchema: z.object({}) }) },
    })
    expect(answer.text).toBe('hello')
    expect(answer.warnings).toMatchObject([{ type: 'other', message: expect.stringContaining('without a search') }])
  })
})

describe('a judge from a model object', () => {
  it('scores steps by what the model says of them', async () => {
    const judging = scripted((_, { prompt }) => {
      const asked = JSON.stringify(prompt)
      const key = /<<([0-9a-f]{16}) problem/.exec(asked)?.[1]
      return text(
        JSON.stringify({
          key,
          steps: [
            { step: 1, reason: '', verdict: 'correct' },
            { step: 2, reason: 'no', verdict: 'incorrect' },
          ],
        }),
      )
    })
    const [scored] = await judgeOf(judging).score([
      {
        problem: { id: 'p', prompt: 'q' },
        steps: [
          { text: 'a', kind: 'thought' },
          { text: 'b', kind: 'thought' },
        ],
      },
    ])
    expect(scored).toMatchObject({ ok: true, scores: [1, 0] })
  })
})

describe('a guard of the steps of an agent', () => {
  const done: string[] = []
  const tools = {
    book: tool({
      inputSchema: z.object({ seats: z.number(), name: z.string() }),
      execute: async ({ name }) => {
        done.push(name)
        return { booked: true }
      },
    }),
  }
  const call = (input: unknown) =>
    result(
      [{ type: 'tool-call', toolCallId: `c${done.length}`, toolName: 'book', input: JSON.stringify(input) }],
      'tool-calls',
    )
  /** Books rightly, then calls the tool with what it does not take. */
  const agent = () =>
    scripted(
      (nth) =>
        [call({ seats: 2, name: 'Ann' }), call({ seats: 2, name: 'Bob', cabin: 'first' }), text('All booked.')][nth] ??
        text(''),
    )
  const run = (model: LanguageModelV4, guard: ReturnType<typeof stepGuard>) => {
    done.length = 0
    return generateText({
      model: wrapLanguageModel({ model, middleware: guard }),
      prompt: 'Book for Ann and Bob.',
      tools,
      stopWhen: isStepCount(5),
    })
  }

  it('stops the loop before a wrong call is carried out, and says why', async () => {
    const found: GuardFinding[] = []
    const answer = await run(agent(), stepGuard({ action: 'stop', onFinding: (f) => found.push(f) }))
    expect(done).toEqual(['Ann'])
    expect(answer.steps).toHaveLength(2)
    expect(answer.text).toMatch(/Stopped before a step that is probably wrong.*tool-schema.*cabin/s)
    expect(found).toMatchObject([{ risk: expect.any(Number), step: { action: { tool: 'book' } } }])
  })

  it('or warns and lets it go on', async () => {
    const answer = await run(agent(), stepGuard({ action: 'warn' }))
    expect(answer.steps[1]?.warnings).toMatchObject([{ message: expect.stringContaining('cabin') }])
    expect(answer.text).toBe('All booked.')
  })

  it('looks at what is said now, not at what was said before, and lets pass what nobody can judge', async () => {
    const found: GuardFinding[] = []
    const model = scripted((nth) => (nth === 0 ? text('I see 2 + 2 = 5.') : text('Let me think of something nice.')))
    const wrapped = wrapLanguageModel({
      model,
      middleware: stepGuard({ action: 'warn', onFinding: (f) => found.push(f) }),
    })
    await generateText({ model: wrapped, prompt: 'x' })
    const messages = [
      { role: 'user' as const, content: 'x' },
      { role: 'assistant' as const, content: 'I see 2 + 2 = 5.' },
      { role: 'user' as const, content: 'go on' },
    ]
    await generateText({ model: wrapped, messages })
    expect(found.map((f) => f.step.text)).toEqual(['I see 2 + 2 = 5.'])
  })

  it('takes a reward model beside the tools', async () => {
    const low: RewardModel = {
      ...sums,
      name: 'low',
      score: async (all) => all.map(({ steps }) => ({ ok: true, scores: steps.map(() => 0.1), usage: NO_USAGE })),
    }
    const found: GuardFinding[] = []
    const model = scripted(() => text('Something nice.'))
    const wrapped = wrapLanguageModel({
      model,
      middleware: stepGuard({ action: 'warn', reward: low, onFinding: (f) => found.push(f) }),
    })
    await generateText({ model: wrapped, prompt: 'x' })
    expect(found).toMatchObject([{ risk: expect.closeTo(0.9), reasons: ['low: score 0.10'] }])
  })
})
