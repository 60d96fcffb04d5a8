import { createHash } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the server treats one request. */
export type Behaviour =
  | { kind: 'answer' }
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  | { kind: 'hang' }
  /** Sends the head and this many bytes of the body, then breaks the connection. */
  | { kind: 'cut'; bytes: number }
  /** Sends the head and this many bytes of the body, then nothing more. */
  | { kind: 'stall'; bytes: number }
  | { kind: 'raw'; body: string; headers?: Record<string, string> }
  /** Changes the answer before it is sent. */
  | { kind: 'change'; change: (answer: Answer) => unknown }

export interface Answer {
  choices: Record<string, unknown>[]
  [key: string]: unknown
}

export interface ServerScript {
  latencyMs?: number
  /** Requests worked on at once. */
  slots?: number
  /** What happens to the others: they wait (default) or get 429. */
  beyond?: 'queue' | 'refuse'
  /** @param nth number of the request from 0, over all paths */
  behave?: (nth: number, body: Record<string, unknown>, path: string) => Behaviour
  /** Text of a completion; by default made from prompt, seed and choice number. */
  text?: (body: Record<string, unknown>, choice: number) => string
  maxModelLength?: number
  /** What a server of this kind does not know; such fields are answered as if they were not there. */
  lacks?: readonly (
    | 'logprobs'
    | 'n'
    | 'seed'
    | 'stop'
    | 'promptLogprobs'
    | 'echo'
    | 'completions'
    | 'chat'
    | 'embeddings'
    | 'stream'
  )[]
}

export interface TestServer {
  url: string
  /** Requests seen, also those that were never answered. */
  requests: number
  /** Requests seen, by content of the body. */
  seen: Map<string, number>
  headers: IncomingMessage['headers'][]
  /** Most requests worked on at the same time, and connections opened. */
  peak: number
  connections: number
  working: number
  refused: number
  script: ServerScript
  close(): Promise<void>
}

/** A real HTTP server on 127.0.0.1 that speaks the OpenAI protocol, and misbehaves as told. */
export async function startTestServer(script: ServerScript = {}, port = 0): Promise<TestServer> {
  const waiting: (() => void)[] = []
  const state: TestServer = {
    url: '',
    requests: 0,
    seen: new Map(),
    headers: [],
    peak: 0,
    connections: 0,
    working: 0,
    refused: 0,
    script,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      const nth = state.requests++
      state.seen.set(text, (state.seen.get(text) ?? 0) + 1)
      if (state.headers.length < 100) state.headers.push(request.headers)
      const { slots = Number.POSITIVE_INFINITY, beyond = 'queue', latencyMs = 0 } = state.script
      const work = (): void => {
        state.working++
        state.peak = Math.max(state.peak, state.working)
        const done = (): void => {
          state.working--
          waiting.shift()?.()
        }
        response.once('close', done)
        const answer = (): boolean => respond(state.script, nth, request.url ?? '', text, response)
        if (latencyMs > 0) setTimeout(answer, latencyMs)
        else answer()
      }
      if (state.working < slots) work()
      else if (beyond === 'queue') waiting.push(work)
      else {
        state.refused++
        send(response, 429, JSON.stringify({ error: { message: 'too many requests' } }))
      }
    })
  })
  server.on('connection', () => state.connections++)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return state
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): boolean {
  if (response.destroyed) return false
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body)
  return true
}

function respond(script: ServerScript, nth: number, path: string, text: string, response: ServerResponse): boolean {
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
  const behaviour = script.behave?.(nth, body, path) ?? { kind: 'answer' }
  if (behaviour.kind === 'hang') return false
  if (behaviour.kind === 'status') {
    const message = behaviour.body ?? JSON.stringify({ error: { message: `status ${behaviour.status}` } })
    return send(response, behaviour.status, message, behaviour.headers)
  }
  if (behaviour.kind === 'raw') return send(response, 200, behaviour.body, behaviour.headers)
  const lacks = new Set(script.lacks)
  if (path.endsWith('/models')) {
    const model = { id: 'test', ...(script.maxModelLength !== undefined && { max_model_len: script.maxModelLength }) }
    return send(response, 200, JSON.stringify({ data: [model] }))
  }
  const api = path.endsWith('/chat/completions') ? 'chat' : path.endsWith('/completions') ? 'completions' : 'embeddings'
  if (lacks.has(api)) return send(response, 404, JSON.stringify({ error: { message: `no ${api} here` } }))
  if (api === 'embeddings') return send(response, 200, JSON.stringify(embed(body)))
  const answer = complete(script, lacks, api, body)
  const changed = behaviour.kind === 'change' ? behaviour.change(answer) : answer
  const stream = body['stream'] === true && !lacks.has('stream')
  const payload = stream ? events(changed as Answer, api) : JSON.stringify(changed)
  const type = stream ? 'text/event-stream' : 'application/json'
  if (behaviour.kind !== 'cut' && behaviour.kind !== 'stall')
    return send(response, 200, payload, { 'content-type': type })
  response.writeHead(200, { 'content-type': type, 'content-length': String(Buffer.byteLength(payload)) })
  response.write(payload.slice(0, behaviour.bytes), () => {
    if (behaviour.kind === 'cut') response.destroy()
  })
  return true
}

/** A text that depends on prompt, seed and choice only: as a model at a fixed seed. */
function defaultText(body: Record<string, unknown>, choice: number): string {
  const prompt = JSON.stringify(body['messages'] ?? body['prompt'])
  const hash = createHash('sha256')
    .update(`${prompt}/${String(body['seed'])}/${choice}`)
    .digest('hex')
  return `Step 1: ${hash.slice(0, 8)}\nStep 2: ${hash.slice(8, 16)}\nAnswer: ${Number.parseInt(hash.slice(0, 4), 16)}`
}

function complete(
  script: ServerScript,
  lacks: ReadonlySet<string>,
  api: 'chat' | 'completions',
  body: Record<string, unknown>,
): Answer {
  const n = lacks.has('n') ? 1 : Number(body['n'] ?? 1)
  const seedless = { ...body, ...(lacks.has('seed') && { seed: Math.random() }) }
  const prompt = String(body['prompt'] ?? '')
  let completionTokens = 0
  const choices = Array.from({ length: n }, (_, index) => {
    let text = (script.text ?? defaultText)(seedless, index)
    let finish = 'stop'
    if (!lacks.has('stop')) {
      for (const stop of [body['stop'] ?? []].flat() as string[]) {
        const at = text.indexOf(stop)
        if (at >= 0) text = text.slice(0, at)
      }
    }
    let tokens = tokenise(text)
    const limit = Number(body['max_tokens'] ?? Number.POSITIVE_INFINITY)
    if (tokens.length > limit) {
      tokens = tokens.slice(0, limit)
      text = tokens.join('')
      finish = 'length'
    }
    completionTokens += tokens.length
    const wanted = body['logprobs'] !== undefined && body['logprobs'] !== false && !lacks.has('logprobs')
    const head = { index, finish_reason: finish }
    if (api === 'chat') {
      const content = tokens.map((token) => ({ token, logprob: logprob(token), top_logprobs: alternatives(token) }))
      return { ...head, message: { role: 'assistant', content: text }, ...(wanted && { logprobs: { content } }) }
    }
    const echoed = body['echo'] === true && !lacks.has('echo') ? tokenise(prompt) : []
    const all = [...echoed, ...tokens]
    return {
      ...head,
      text: echoed.join('') + text,
      ...(wanted && {
        logprobs: {
          tokens: all,
          token_logprobs: all.map((token, i) => (i === 0 && echoed.length > 0 ? null : logprob(token))),
          top_logprobs: all.map((token) => ({ [token]: logprob(token) })),
          text_offset: all.map((_, i) => all.slice(0, i).join('').length),
        },
      }),
      ...(body['prompt_logprobs'] !== undefined && !lacks.has('promptLogprobs') && { prompt_logprobs: scored(prompt) }),
    }
  })
  const promptTokens = tokenise(prompt || JSON.stringify(body['messages'] ?? '')).length
  return {
    id: 'test',
    object: api === 'chat' ? 'chat.completion' : 'text_completion',
    model: 'test',
    choices,
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  }
}

/** As vLLM writes them: null for the first token, then a record by token id, the prompt's own token first. */
function scored(prompt: string): unknown[] {
  return tokenise(prompt).map((token, i) =>
    i === 0
      ? null
      : {
          [String(1000 + token.length)]: { logprob: logprob(token), rank: 2, decoded_token: token },
          '7': { logprob: -0.1, rank: 1, decoded_token: 'x' },
        },
  )
}

/** Words with the space before them. */
export function tokenise(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

export function logprob(token: string): number {
  return -token.length / 10
}

function alternatives(token: string): unknown[] {
  return [
    { token, logprob: logprob(token) },
    { token: 'other', logprob: -9 },
  ]
}

function embed(body: Record<string, unknown>): unknown {
  const inputs = [body['input']].flat() as string[]
  return {
    data: inputs.map((text, index) => ({ index, embedding: [text.length, index, 1] })).reverse(),
    usage: { prompt_tokens: inputs.length, total_tokens: inputs.length },
  }
}

/** The same answer as a stream of events: one token an event, the choices taking turns. */
function events(answer: Answer, api: 'chat' | 'completions'): string {
  const lines: string[] = []
  const emit = (value: unknown): void => {
    lines.push(`data: ${JSON.stringify(value)}\n\n`)
  }
  const { choices, usage, ...head } = answer
  const texts = choices.map((choice) =>
    tokenise(api === 'chat' ? String((choice['message'] as { content: string }).content) : String(choice['text'])),
  )
  const longest = Math.max(0, ...texts.map((tokens) => tokens.length))
  for (let at = 0; at < longest; at++) {
    choices.forEach((choice, i) => {
      const token = texts[i]?.[at]
      if (token === undefined) return
      const logprobs = choice['logprobs'] as Record<string, unknown[]> | undefined
      const part = logprobs && Object.fromEntries(Object.entries(logprobs).map(([name, all]) => [name, [all[at]]]))
      const delta = api === 'chat' ? { delta: { content: token } } : { text: token }
      emit({
        ...head,
        choices: [{ index: choice['index'], finish_reason: null, ...delta, ...(part && { logprobs: part }) }],
      })
    })
  }
  for (const choice of choices) {
    const end = api === 'chat' ? { delta: {} } : { text: '' }
    emit({ ...head, choices: [{ index: choice['index'], finish_reason: choice['finish_reason'], ...end }] })
  }
  emit({ ...head, choices: [], usage })
  lines.push('data: [DONE]\n\n')
  return lines.join('')
}
