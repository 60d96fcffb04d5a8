import { type Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { Batcher } from '../../engine/batcher.ts'
import type { ChatModel, ChatModels } from './chat-models.ts'
import { guard } from './guard.ts'
import type { GenerateCall, Generated, ServedModel, TokenScore } from './model.ts'
import { wireError } from './wire-error.ts'

const Shared = z.looseObject({
  model: z.string(),
  n: z.number().int().min(1).max(128).nullish(),
  max_tokens: z.number().int().min(0).nullish(),
  max_completion_tokens: z.number().int().min(0).nullish(),
  temperature: z.number().min(0).max(5).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  seed: z.number().int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  prompt_logprobs: z.number().int().min(0).nullish(),
})
const CompletionBody = Shared.extend({
  prompt: z.union([z.string(), z.array(z.string()).min(1)]),
  logprobs: z.number().int().min(0).nullish(),
  echo: z.boolean().nullish(),
})
const Part = z.looseObject({ type: z.string(), text: z.string().optional() })
const ChatBody = Shared.extend({
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(Part)]).nullish() }))
    .min(1),
  logprobs: z.boolean().nullish(),
})
type Body = z.output<typeof Shared>

/** As many tokens as a request gets that names no limit (OpenAI's completions default). */
const DEFAULT_TOKENS = 16

/**
 * The OpenAI wire over a model in this process: completions, chat, log-probabilities of answer and prompt, `n`, `seed`,
 * `stop`, streaming.
 *
 * A sample depends on prompt, settings and seed alone. Without a seed the request's number is one. Streams are cut from
 * the finished answer, token by token. A chat is read as the problem (last user message) and the steps so far
 * (assistant messages after it).
 * @param chats models that answer chats in another way: by a search
 */
export function openaiApp(models: readonly ServedModel[], token: string, chats: ChatModels = NO_CHATS): Hono {
  const app = new Hono()
  let requests = 0
  const queues = new Map(
    models.map((m) => [m.name, new Batcher<GenerateCall, Generated[]>((calls) => m.generate(calls))]),
  )
  const scorers = new Map(models.map((m) => [m.name, new Batcher<string, TokenScore[]>((prompts) => m.score(prompts))]))

  const answer = async (model: ServedModel, body: Body, prompts: readonly string[], defaultTokens: number) => {
    const request = requests++
    const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? defaultTokens
    return await Promise.all(
      prompts.map(async (prompt, p) => {
        const call: GenerateCall = {
          prompt,
          n: body.n ?? 1,
          maxTokens,
          temperature: body.temperature ?? 1,
          stop: body.stop === undefined || body.stop === null ? [] : [body.stop].flat(),
          seed: body.seed === undefined || body.seed === null ? `request/${request}/${p}` : `seed/${body.seed}`,
        }
        const samples =
          maxTokens === 0 ? Array.from({ length: call.n }, EMPTY) : await queues.get(model.name)!.ask(call)
        return { prompt, samples }
      }),
    )
  }

  app.get('/health', (c) => c.json({ status: 'ok' }))
  app.use('/v1/*', guard(token))
  app.onError((error, c) => {
    if (error instanceof RangeError) c.header('retry-after', '1')
    return c.json(...failure(error))
  })
  app.notFound((c) => c.json(noSuchPath(c.req.path), 404))

  app.get('/v1/models', (c) =>
    c.json({
      object: 'list',
      data: [
        ...models.map((m) => ({ id: m.name, max_model_len: m.context })),
        ...chats.names.map((id) => ({ id })),
      ].map((m) => ({ ...m, object: 'model', created: 0, owned_by: 'gradus' })),
    }),
  )

  app.post('/v1/completions', async (c) => {
    const body = parse(CompletionBody, await json(c.req.raw))
    const model = find(models, body.model)
    const prompts = [body.prompt].flat()
    const answers = await answer(model, body, prompts, DEFAULT_TOKENS)
    const wantsPrompt =
      (body.prompt_logprobs ?? null) !== null || (body.echo === true && (body.logprobs ?? null) !== null)
    const scores = await Promise.all(
      prompts.map((p) => (wantsPrompt ? scorers.get(model.name)!.ask(p) : Promise.resolve([]))),
    )
    const choices = answers.flatMap(({ prompt, samples }, p) =>
      samples.map((sample, i) => ({
        index: p * samples.length + i,
        text: body.echo === true ? prompt + sample.text : sample.text,
        finish_reason: sample.finish,
        logprobs:
          (body.logprobs ?? null) === null
            ? null
            : legacyLogprobs(body.echo === true ? [...scores[p]!, ...sample.tokens] : sample.tokens),
        ...((body.prompt_logprobs ?? null) !== null && { prompt_logprobs: vllmPromptLogprobs(scores[p]!) }),
      })),
    )
    const head = { id: `cmpl-${requests}`, object: 'text_completion', created: 0, model: model.name }
    const usage = usageOf(model, answers)
    if (body.stream !== true) return c.json({ ...head, choices, usage })
    return streamSSE(c, async (stream) => {
      for (const { index, finish_reason } of choices) {
        const sample = answers[Math.floor(index / (body.n ?? 1))]!.samples[index % (body.n ?? 1)]!
        for (const t of sample.tokens)
          await stream.writeSSE({
            data: JSON.stringify({ ...head, choices: [{ index, text: t.text, finish_reason: null, logprobs: null }] }),
          })
        await stream.writeSSE({
          data: JSON.stringify({ ...head, choices: [{ index, text: '', finish_reason, logprobs: null }] }),
        })
      }
      if (body.stream_options?.include_usage)
        await stream.writeSSE({ data: JSON.stringify({ ...head, choices: [], usage }) })
      await stream.writeSSE({ data: '[DONE]' })
    })
  })

  app.post('/v1/chat/completions', async (c) => {
    const body = parse(ChatBody, await json(c.req.raw))
    const chat = chats.open(body.model)
    if (chat) return answerChat(c, body, chat, `chatcmpl-${requests++}`)
    const model = find(models, body.model, chats.names)
    const prompt = chatPrompt(body.messages)
    const answers = await answer(model, body, [prompt], model.context)
    const scores = (body.prompt_logprobs ?? null) === null ? null : await scorers.get(model.name)!.ask(prompt)
    const samples = answers[0]!.samples
    const head = { id: `chatcmpl-${requests}`, created: 0, model: model.name }
    const usage = usageOf(model, answers)
    const logprobs = (tokens: readonly TokenScore[]) =>
      body.logprobs === true ? { content: tokens.map(chatLogprob), refusal: null } : null
    if (body.stream !== true) {
      const choices = samples.map((s, index) => ({
        index,
        message: { role: 'assistant', content: s.text, refusal: null },
        logprobs: logprobs(s.tokens),
        finish_reason: s.finish,
      }))
      return c.json({
        ...head,
        object: 'chat.completion',
        choices,
        usage,
        ...(scores && { prompt_logprobs: vllmPromptLogprobs(scores) }),
      })
    }
    return streamSSE(c, async (stream) => {
      const chunk = (choice: unknown) =>
        stream.writeSSE({ data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [choice] }) })
      for (const [index, s] of samples.entries()) {
        await chunk({ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null })
        for (const t of s.tokens)
          await chunk({ index, delta: { content: t.text }, logprobs: logprobs([t]), finish_reason: null })
        await chunk({ index, delta: {}, logprobs: null, finish_reason: s.finish })
      }
      if (body.stream_options?.include_usage)
        await stream.writeSSE({
          data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage }),
        })
      await stream.writeSSE({ data: '[DONE]' })
    })
  })
  return app
}

const EMPTY = (): Generated => ({ text: '', tokens: [], finish: 'length' })

async function json(request: Request): Promise<unknown> {
  return await request.json().catch((cause: unknown) => {
    throw new GradusError('GRD-SERVE-001', { found: 'a body that is not JSON', cause })
  })
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new GradusError('GRD-SERVE-001', {
    where: { field: issue?.path.join('.') ?? '' },
    found: issue?.message ?? 'another shape',
  })
}

export function noSuchPath(path: string) {
  return { error: { message: `no such path: ${path}`, type: 'invalid_request_error', code: 'not_found' } }
}

const NO_CHATS: ChatModels = { names: [], open: () => null }

function find(models: readonly ServedModel[], name: string, others: readonly string[] = []): ServedModel {
  const found = models.find((m) => m.name === name)
  if (found) return found
  const names = [...models.map((m) => m.name), ...others]
  throw new GradusError('GRD-SERVE-002', { found: name, expected: `one of ${names.join(', ')}` })
}

/** A chat answered by a search: one choice, whole or as a stream of its steps. */
async function answerChat(c: Context, body: z.output<typeof ChatBody>, chat: ChatModel, id: string): Promise<Response> {
  if ((body.n ?? 1) !== 1 || body.logprobs === true) {
    throw new GradusError('GRD-SERVE-001', {
      where: { field: body.logprobs === true ? 'logprobs' : 'n' },
      found: 'several choices or log-probabilities of a search',
      expected: 'one choice without them',
    })
  }
  const messages = body.messages.map(({ role, content }) => ({ role, content: contentText(content) }))
  const seed = body.seed === undefined || body.seed === null ? undefined : String(body.seed)
  const { pieces, usage, gradus } = await chat({
    messages,
    ...(seed !== undefined && { seed }),
    signal: c.req.raw.signal,
  })
  const head = { id, created: 0, model: body.model }
  const counted = {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  }
  if (body.stream !== true) {
    const message = { role: 'assistant', content: pieces.join(''), refusal: null }
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
    return c.json({ ...head, object: 'chat.completion', choices, usage: counted, gradus })
  }
  return streamSSE(c, async (stream) => {
    const chunk = (delta: unknown, finish_reason: string | null, more = {}) =>
      stream.writeSSE({
        data: JSON.stringify({
          ...head,
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta, finish_reason }],
          ...more,
        }),
      })
    await chunk({ role: 'assistant', content: '' }, null)
    for (const content of pieces) await chunk({ content }, null)
    await chunk({}, 'stop', { gradus })
    if (body.stream_options?.include_usage)
      await stream.writeSSE({
        data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage: counted }),
      })
    await stream.writeSSE({ data: '[DONE]' })
  })
}

function contentText(content: z.output<typeof ChatBody>['messages'][number]['content']): string {
  return typeof content === 'string' ? content : (content ?? []).map((p) => p.text ?? '').join('')
}

/** The problem and, behind it, the steps so far, as the embedded policies were trained to read them. */
function chatPrompt(messages: z.output<typeof ChatBody>['messages']): string {
  const last = messages.findLastIndex((m) => m.role === 'user')
  const problem = contentText(messages[last]?.content)
  const steps = messages
    .slice(last + 1)
    .filter((m) => m.role === 'assistant')
    .map((m) => contentText(m.content))
  return [problem, ...steps.filter((s) => s !== '')].map((s) => `${s.replace(/\n+$/, '')}\n`).join('')
}

function usageOf(model: ServedModel, answers: readonly { prompt: string; samples: readonly Generated[] }[]) {
  const prompt_tokens = answers.reduce((n, a) => n + model.tokensIn(a.prompt), 0)
  const completion_tokens = answers.reduce((n, a) => n + a.samples.reduce((m, s) => m + s.tokens.length, 0), 0)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

function legacyLogprobs(tokens: readonly TokenScore[]) {
  let offset = 0
  return {
    tokens: tokens.map((t) => t.text),
    token_logprobs: tokens.map((t) => t.logprob),
    top_logprobs: tokens.map((t) => ({ [t.text]: t.logprob })),
    text_offset: tokens.map((t) => {
      const at = offset
      offset += t.text.length
      return at
    }),
  }
}

function chatLogprob(t: TokenScore) {
  return { token: t.text, logprob: t.logprob, bytes: [...Buffer.from(t.text)], top_logprobs: [] }
}

/** vLLM's shape: one object a prompt token, keyed by token id; nothing is known of the first in its convention. */
function vllmPromptLogprobs(tokens: readonly TokenScore[]) {
  return tokens.map((t, i) => (i === 0 ? null : { [t.id]: { logprob: t.logprob, rank: null, decoded_token: t.text } }))
}

function failure(error: unknown): [unknown, 400 | 404 | 429 | 500] {
  if (error instanceof RangeError)
    return [{ error: { message: error.message, type: 'rate_limit_error', code: 'overloaded' } }, 429]
  if (!(error instanceof GradusError))
    return [{ error: { message: 'internal error', type: 'server_error', code: 'internal' } }, 500]
  return [wireError(error), error.code === 'GRD-SERVE-002' ? 404 : 400]
}
