import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isRecord, tryParse } from '../../endpoints/wire.ts'

/** A family of models as far as its wire shows it: tokenizer, chat template and head. */
export interface ToyModel {
  /** Texts that are one token each, with their ids. */
  tokens: Record<string, number>
  /** Put before every prompt, as a Llama tokenizer does. */
  bos?: number
  chat?: (messages: readonly { role: string; content: string }[]) => string
  /**
   * `rows` of a pooler: two classes or one value at each place that is kept. `writes`: a language model that says `good`
   * or `bad` at the separator. `ratio`: one whose tokens are the more probable the righter the step, by so much.
   */
  head:
    | { kind: 'rows'; width: 1 | 2; pooler: 'step' | 'all'; activated?: boolean }
    | { kind: 'writes'; good: number; bad: number }
    | { kind: 'ratio'; gain: number }
    /** Four numbers a token; `both` = it looks at what stands behind a token too. */
    | { kind: 'states'; sees: 'left' | 'both' }
  /** Token id at which the model was trained to speak; elsewhere it says what it likes. */
  speaksAt?: number
}

/** What is done to an answer, for servers that misbehave. */
export type Spoil = (path: string, body: Record<string, unknown>) => { status?: number; text: string } | undefined

export interface ToyServer {
  url: string
  /** Forward passes, by path. */
  passes: Record<string, number>
  spoil: Spoil | undefined
  /** What the toy itself says. */
  answer(path: string, body: Record<string, unknown>): unknown
  close(): Promise<void>
}

/** How sure the toy is of a step whose sums all hold, and of one where a sum does not. */
export const SURE = { right: 0.9, wrong: 0.1 }

/**
 * A server that behaves like vLLM's `/tokenize`, `/pooling` and prompt log-probabilities, over a toy model that really
 * computes: at the token that it was trained on it judges the sums since the last such token, everywhere else it gives
 * numbers that look the same and mean nothing.
 */
export async function startToyServer(model: ToyModel): Promise<ToyServer> {
  const toy = new Toy(model)
  const state: ToyServer = {
    url: '',
    passes: {},
    spoil: undefined,
    answer: (path, body) => toy.answer(path, body),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const parsed = tryParse(Buffer.concat(parts).toString())
      const body = isRecord(parsed) ? parsed : {}
      const path = request.url ?? ''
      state.passes[path] = (state.passes[path] ?? 0) + 1
      const spoilt = state.spoil?.(path, body)
      if (spoilt) return send(response, spoilt.status ?? 200, spoilt.text)
      const answer = toy.answer(path, body)
      send(response, answer === null ? 404 : 200, JSON.stringify(answer ?? { error: { message: `no ${path}` } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return state
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(text)
}

class Toy {
  readonly #model: ToyModel
  readonly #ids: Map<string, number>
  readonly #texts: Map<number, string>
  readonly #known: RegExp

  constructor(model: ToyModel) {
    this.#model = model
    this.#ids = new Map(Object.entries(model.tokens))
    this.#texts = new Map([...this.#ids].map(([text, id]) => [id, text]))
    const escaped = [...this.#ids.keys()]
      .sort((a, b) => b.length - a.length)
      .map((t) => t.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    // Words with the blank before them, digits one by one, line breaks in runs, other letters one by one.
    this.#known = new RegExp([...escaped, ' ?[A-Za-z]+', '\\n+', '[\\s\\S]'].join('|'), 'gu')
  }

  answer(path: string, body: Record<string, unknown>): unknown {
    if (path === '/tokenize') {
      const tokens = this.#tokenise(body)
      return { count: tokens.length, max_model_len: 4_096, tokens }
    }
    if (path === '/pooling' && this.#model.head.kind === 'rows') {
      return { object: 'list', data: [{ index: 0, object: 'pooling', data: this.#pool(body['input'] as number[]) }] }
    }
    if (path === '/pooling' && this.#model.head.kind === 'states' && body['task'] === 'token_embed') {
      const data = this.#states(body['input'] as number[], body['use_activation'] !== false)
      return { object: 'list', data: [{ index: 0, object: 'pooling', data }] }
    }
    if (path === '/v1/completions' && (this.#model.head.kind === 'writes' || this.#model.head.kind === 'ratio')) {
      const ids = body['prompt'] as number[]
      const top = Number(body['prompt_logprobs'])
      const prompt_logprobs = ids.map((id, at) => (at === 0 ? null : this.#entry(ids, at, id, top)))
      return { choices: [{ index: 0, text: ' x', finish_reason: 'length', prompt_logprobs }] }
    }
    return null
  }

  #tokenise(body: Record<string, unknown>): number[] {
    const messages = body['messages'] as { role: string; content: string }[] | undefined
    const text = messages ? (this.#model.chat ?? plainChat)(messages) : String(body['prompt'])
    const ids = (text.match(this.#known) ?? []).map((piece) => this.#idOf(piece))
    const special = messages === undefined && body['add_special_tokens'] !== false
    return this.#model.bos !== undefined && special ? [this.#model.bos, ...ids] : ids
  }

  #idOf(piece: string): number {
    const known = this.#ids.get(piece)
    if (known !== undefined) return known
    let id = 200_000 + (hash(piece) % 50_000)
    while (this.#texts.has(id)) id++
    this.#ids.set(piece, id)
    this.#texts.set(id, piece)
    return id
  }

  /** P(right) at the token that the model speaks at, null elsewhere. */
  #judge(ids: readonly number[], at: number): number | null {
    const { speaksAt } = this.#model
    if (speaksAt === undefined || ids[at] !== speaksAt) return null
    const from = ids.lastIndexOf(speaksAt, at - 1) + 1
    const text = ids
      .slice(from, at)
      .map((id) => this.#texts.get(id) ?? '')
      .join('')
    return sumsHold(text) ? SURE.right : SURE.wrong
  }

  #pool(ids: readonly number[]): number[][] {
    const { head, speaksAt } = this.#model
    if (head.kind !== 'rows') return []
    const rows = ids.map((id, at) => {
      const p = this.#judge(ids, at) ?? 0.3 + (hash(`${id}/${at}`) % 400) / 1_000
      if (head.activated) return head.width === 1 ? [p] : [1 - p, p]
      const logit = Math.log(p / (1 - p))
      return head.width === 1 ? [logit] : [-logit / 2, logit / 2]
    })
    return head.pooler === 'all' ? rows : rows.filter((_, at) => ids[at] === speaksAt)
  }

  /**
   * The state at a token knows whether the sums since the last line break hold, how far it is into the text, and the
   * token itself.
   */
  #states(ids: readonly number[], unit: boolean): number[][] {
    const behind =
      this.#model.head.kind === 'states' && this.#model.head.sees === 'both' ? (hash(ids.join()) % 1_000) / 250 : 0
    return ids.map((id, at) => {
      const text = ids.slice(0, at + 1).map((one) => this.#texts.get(one) ?? '')
      const line = text.join('').trimEnd().split('\n').at(-1) ?? ''
      const state = [sumsHold(line) ? 2 : -2, (at + 1) / 100, (hash(`${id}`) % 100) / 100, behind]
      const length = Math.hypot(...state)
      return unit ? state.map((x) => x / length) : state
    })
  }

  /** The distribution after the tokens before `at`, as its most probable tokens and the one that stands there. */
  #entry(ids: readonly number[], at: number, own: number, top: number): Record<string, { logprob: number }> {
    const { head } = this.#model
    const chances = new Map<number, number>()
    if (head.kind === 'writes') {
      const p = this.#judge(ids, at - 1)
      if (p !== null) {
        chances.set(head.good, 0.98 * p)
        chances.set(head.bad, 0.98 * (1 - p))
      }
      // Nothing is certain: the rest is shared by tokens that nobody asks about, and the one that stands there.
      const rest = p === null ? 1 : 0.02
      for (let i = 0; i < 30; i++) chances.set(300_000 + i, rest / 40)
      if (!chances.has(own)) chances.set(own, rest / 4)
    } else if (head.kind === 'ratio') {
      const line = ids
        .slice(0, at + 1)
        .map((id) => this.#texts.get(id) ?? '')
        .join('')
      const step = line.split('\n\n').at(-1) ?? ''
      chances.set(own, Math.exp(-1 + (sumsHold(step) ? head.gain : -head.gain)))
    }
    const sorted = [...chances].sort((a, b) => b[1] - a[1])
    const named = sorted.filter(([id], i) => i < top || id === own)
    return Object.fromEntries(named.map(([id, p]) => [String(id), { logprob: Math.log(p) }]))
  }
}

const plainChat: NonNullable<ToyModel['chat']> = (messages) =>
  messages.map(({ role, content }) => `<${role}>${content}</${role}>`).join('')

/** Are all sums in a text right? */
function sumsHold(text: string): boolean {
  return [...text.matchAll(/(\d+) ([+-]) (\d+) = (\d+)/g)].every(
    ([, a, sign, b, c]) => Number(a) + (sign === '+' ? 1 : -1) * Number(b) === Number(c),
  )
}

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE(0)
}
