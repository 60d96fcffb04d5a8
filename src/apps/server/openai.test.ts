import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embeddedModel } from '../../models/policies/embedded/index.ts'
import { initialWeights } from '../../models/training/transformer/params.ts'
import { tokenizerOf } from '../../models/training/transformer/tokenizer.ts'
import { servedByTask, servedEmbedded } from './model.ts'
import { openaiApp } from './openai.ts'

/** A real transformer with untrained weights: what it says is noise, how it is served is not. */
const TOKEN = 'test-token'
let server: ServerType
let base = ''
let client: OpenAI

beforeAll(async () => {
  const tokenizer = tokenizerOf(['\n', ...'0123456789+-=~abc '])
  const config = { vocab: tokenizer.size, width: 16, layers: 1, heads: 2, hidden: 32, context: 64 }
  const model = await embeddedModel(config, tokenizer, initialWeights(config, 'server-test'))
  server = serve({ fetch: openaiApp([servedEmbedded('noise', model)], TOKEN).fetch, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  client = new OpenAI({ baseURL: `${base}/v1`, apiKey: TOKEN, maxRetries: 0 })
})
afterAll(() => server.close())

describe('the official client', () => {
  it('gets n seeded samples with log-probabilities, the same again for the same seed', async () => {
    const ask = () =>
      client.completions.create({ model: 'noise', prompt: '1+2=\n', n: 3, max_tokens: 8, seed: 7, logprobs: 0 })
    const [first, second] = [await ask(), await ask()]
    expect(first.choices).toHaveLength(3)
    expect(second.choices.map((c) => c.text)).toEqual(first.choices.map((c) => c.text))
    expect(new Set(first.choices.map((c) => c.text)).size).toBeGreaterThan(1)
    for (const c of first.choices) {
      expect(c.logprobs?.tokens?.join('')).toBe(c.text)
      expect(c.logprobs?.token_logprobs?.every((l) => l <= 0)).toBe(true)
    }
    expect(first.usage?.prompt_tokens).toBe(5)
    expect(first.usage?.completion_tokens).toBe(first.choices.reduce((n, c) => n + c.text.length, 0))
  })

  it('a sample is the same alone and beside others that are asked for at once', async () => {
    const ask = (seed: number) => client.completions.create({ model: 'noise', prompt: 'abc', max_tokens: 12, seed })
    const alone = (await ask(3)).choices[0]?.text
    const together = await Promise.all([1, 2, 3, 4, 5].map(ask))
    expect(together[2]?.choices[0]?.text).toBe(alone)
  })

  it('scores a prompt: echoed log-probabilities and vLLM prompt_logprobs agree', async () => {
    const body = { model: 'noise', prompt: '12+3', max_tokens: 0, echo: true, logprobs: 0, prompt_logprobs: 0 }
    const answer = await client.completions.create(body)
    const choice = answer.choices[0] as (typeof answer.choices)[0] & {
      prompt_logprobs: (Record<string, { logprob: number }> | null)[]
    }
    const echoed = choice.logprobs?.token_logprobs ?? []
    expect(choice.text).toBe('12+3')
    expect(echoed).toHaveLength(4)
    expect(choice.prompt_logprobs[0]).toBeNull()
    expect(choice.prompt_logprobs.slice(1).map((p) => Object.values(p!)[0]!.logprob)).toEqual(echoed.slice(1))
  })

  it('streams what it would have answered at once', async () => {
    const body = { model: 'noise', messages: [{ role: 'user' as const, content: '1+1' }], max_tokens: 10, seed: 5 }
    const whole = await client.chat.completions.create({ ...body, logprobs: true })
    let streamed = ''
    let end: string | null = null
    for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? ''
      end = chunk.choices[0]?.finish_reason ?? end
    }
    expect(streamed).toBe(whole.choices[0]?.message.content)
    expect(end).toBe(whole.choices[0]?.finish_reason)
    expect(whole.choices[0]?.logprobs?.content?.map((t) => t.token).join('')).toBe(streamed)
  })

  it('ends at a stop string, which is left out', async () => {
    const long = await client.completions.create({ model: 'noise', prompt: 'a', max_tokens: 40, seed: 11 })
    const text = long.choices[0]?.text ?? ''
    const stop = text[5]!
    const cut = await client.completions.create({ model: 'noise', prompt: 'a', max_tokens: 40, seed: 11, stop })
    expect(cut.choices[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' })
  })

  it('explains what cannot be done, in the errors that clients know', async () => {
    const code = async (promise: Promise<unknown>): Promise<unknown> =>
      await promise.then(
        () => 'no error',
        (e: { status: number; code: string }) => [e.status, e.code],
      )
    expect(await code(client.completions.create({ model: 'other', prompt: 'a' }))).toEqual([404, 'GRD-SERVE-002'])
    expect(await code(client.completions.create({ model: 'noise', prompt: 'a'.repeat(100) }))).toEqual([
      400,
      'context_length_exceeded',
    ])
    expect(await code(client.completions.create({ model: 'noise', prompt: 'Ω' }))).toEqual([400, 'GRD-MODEL-001'])
    expect(await code(client.completions.create({ model: 'noise', prompt: 'a', n: 0 }))).toEqual([400, 'GRD-SERVE-001'])
    // With the client's own retries: it fails at once.
    let asked = 0
    const counting: typeof fetch = (...args) => {
      asked++
      return fetch(...args)
    }
    const usual = new OpenAI({ baseURL: `${base}/v1`, apiKey: TOKEN, fetch: counting })
    const long = { role: 'user' as const, content: 'a'.repeat(100) }
    const failed = await usual.chat.completions.create({ model: 'noise', messages: [long] }).catch((e: unknown) => e)
    expect(failed).toBeInstanceOf(OpenAI.BadRequestError)
    expect(failed).toMatchObject({ code: 'context_length_exceeded', type: 'invalid_request_error', param: null })
    expect(asked).toBe(1)
    const bad = client.completions.create({ model: 'noise', prompt: 'a'.repeat(100) }).catch(() => 'failed')
    const good = client.completions.create({ model: 'noise', prompt: 'a', max_tokens: 3, seed: 1 })
    expect(await bad).toBe('failed')
    expect((await good).choices).toHaveLength(1)
  })
})

describe('the door', () => {
  const models = (headers: Record<string, string>) => fetch(`${base}/v1/models`, { headers }).then((r) => r.status)

  it('needs the token', async () => {
    expect(await models({ authorization: `Bearer ${TOKEN}` })).toBe(200)
    expect(await models({})).toBe(401)
    expect(await models({ authorization: 'Bearer wrong-token' })).toBe(401)
  })

  it('is shut to other sites, whatever they know', async () => {
    expect(await models({ authorization: `Bearer ${TOKEN}`, origin: 'https://example.com' })).toBe(403)
    expect(await models({ authorization: `Bearer ${TOKEN}`, origin: base })).toBe(200)
    const app = openaiApp([], TOKEN)
    const rebound = await app.request('/v1/models', {
      headers: { host: 'evil.example:8321', authorization: `Bearer ${TOKEN}` },
    })
    expect(rebound.status).toBe(403)
    expect(
      (
        await app.request('/v1/models', {
          headers: { host: '127.0.0.1.evil.example', authorization: `Bearer ${TOKEN}` },
        })
      ).status,
    ).toBe(403)
  })
})

describe('the model `embedded`', () => {
  it('answers each prompt by the weights for its task, and by the usual ones where it is of none', async () => {
    const tokenizer = tokenizerOf(['\n', ...'0123456789+-=~abc; ', 'a='])
    const config = { vocab: tokenizer.size, width: 16, layers: 1, heads: 2, hidden: 32, context: 64 }
    const served = async (name: string) =>
      servedEmbedded(name, await embeddedModel(config, tokenizer, initialWeights(config, name)))
    const [chains, registers] = [await served('chains'), await served('registers')]
    const byTask = new Map([
      ['arithmetic-chain', 'chains'],
      ['register-program', 'registers'],
    ])
    const all = servedByTask([registers, chains], byTask, chains)
    const prompts = ['1+2+3\n', 'a=1;a+2\n', '~1+2\n']
    const calls = prompts.map((prompt) => ({ prompt, n: 2, maxTokens: 8, temperature: 1, stop: [], seed: '1' }))
    const answers = await all.generate(calls)
    expect(answers[0]).toEqual((await chains.generate([calls[0]!]))[0])
    expect(answers[1]).toEqual((await registers.generate([calls[1]!]))[0])
    expect(answers[1]).not.toEqual((await chains.generate([calls[1]!]))[0])
    expect(answers[2]).toEqual((await chains.generate([calls[2]!]))[0])
    expect((await all.score(prompts))[1]).toEqual((await registers.score(['a=1;a+2\n']))[0])
    expect(all.tokensIn('a=1')).toBe(2)
    for (const { text, tokens } of answers.flat()) expect(tokens.map((token) => token.text).join('')).toBe(text)
  })
})
