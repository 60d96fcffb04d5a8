import { GradusError } from '../../../core/errors.ts'
import { addUsage, NO_USAGE, type Usage } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Sampler } from '../../../engine/sampler.ts'
import type { Message } from '../../endpoints/endpoint.ts'
import type { Tokenised, VllmServer, Weighed } from '../../endpoints/vllm.ts'
import type { Form, Separator } from './form.ts'

/** A problem and its steps as text. */
export interface Solution {
  problem: string
  steps: readonly string[]
}

/** Calls of one solution; what they cost is added up. */
export class Calls {
  usage: Usage = NO_USAGE
  readonly #engine: Engine
  readonly #signal: AbortSignal | undefined

  constructor(engine: Engine, signal?: AbortSignal) {
    this.#engine = engine
    this.#signal = signal
  }

  /** @throws GradusError of the call */
  async ask<Q, A>(sampler: Sampler<Q, A>, request: Q): Promise<A> {
    const signal = this.#signal
    const [outcome] = await this.#engine.sample(sampler, request, { ...(signal && { signal }) })
    if (!outcome?.ok) throw outcome?.error ?? new GradusError('GRD-CALL-008')
    this.usage = addUsage(this.usage, outcome.usage)
    return outcome.value
  }
}

/** Reads the scores of a solution, one a step; null = cannot say. @throws GradusError GRD-REWARD-001, GRD-CALL-* */
export type Reader = (solution: Solution, calls: Calls) => Promise<(number | null)[]>

/** @param reference the model that a log-ratio is taken to */
export function readerOf(form: Form, server: VllmServer, reference: VllmServer | undefined): Reader {
  switch (form.kind) {
    case 'pooled':
      return async ({ problem, steps }, calls) => {
        const ids = await calls.ask(server.tokens, { messages: form.chat(problem, steps) })
        const id = await separatorId(form.separator, { plain: true }, server, calls)
        return pooledScores(ids, places(ids, id, steps.length), server, calls)
      }
    case 'pooled-pieces':
      return async ({ problem, steps }, calls) => {
        const id = await separatorId(form.separator, { plain: true }, server, calls)
        const ids = await calls.ask(server.tokens, { prompt: form.before(problem) })
        const pieces = await Promise.all(steps.map((step) => calls.ask(server.tokens, { prompt: step })))
        const at: number[] = []
        const all = [...ids]
        for (const piece of pieces) at.push(all.push(...piece, id) - 1)
        return pooledScores(all, at, server, calls)
      }
    case 'next-token':
      return async ({ problem, steps }, calls) => {
        const id = await separatorId(form.separator, { plain: false }, server, calls)
        const ids = await calls.ask(server.tokens, { prompt: form.text(problem, steps) })
        const at = places(ids, id, steps.length)
        const { good, bad } = form
        const weighed = await calls.ask(server.weighed, { ids, watch: [good.id, bad.id] })
        // The token after the separator is weighed one place further.
        return at.map((place) => ofTwo(weighed[place + 1]))
      }
    case 'turns':
      return async ({ problem, steps }, calls) => {
        const chat = (answer: string): Message[] =>
          steps.flatMap((step, i): Message[] => [
            { role: 'user', content: i === 0 ? `${problem} ${step}` : step },
            { role: 'assistant', content: answer },
          ])
        const good = await calls.ask(server.tokens, { messages: chat(form.good) })
        const bad = await calls.ask(server.tokens, { messages: chat(form.bad) })
        const { at, ids } = differences(good, bad, steps.length)
        const weighed = await calls.ask(server.weighed, { ids: good, watch: ids })
        return at.map((place) => ofTwo(weighed[place]))
      }
    case 'log-ratio':
      return (solution, calls) => logRatio(form, solution, server, reference, calls)
  }
}

/**
 * The token id of a separator, checked: it is one token, and the published one.
 * @param how.plain as a text of its own; else behind another text, as a tokenizer sees it that marks blanks
 * @throws GradusError GRD-MODEL-005
 */
async function separatorId(
  { text, id }: Separator,
  how: { plain: boolean },
  server: VllmServer,
  calls: Calls,
): Promise<number> {
  const whole = await calls.ask(server.tokens, { prompt: how.plain ? text : `a${text}` })
  const before = await calls.ask(server.tokens, { prompt: how.plain ? '' : 'a' })
  const own = whole.slice(before.length)
  const same = before.every((token, i) => whole[i] === token)
  const [found] = own
  if (same && own.length === 1 && found !== undefined && (id === undefined || found === id)) return found
  throw new GradusError('GRD-MODEL-005', {
    found: `${JSON.stringify(text)} is ${own.length === 1 ? 'token' : 'tokens'} ${own.join(', ')} at ${server.name}`,
    expected: id === undefined ? 'one token' : `one token, ${id}`,
    try: ['the adapter of the model that the server really has', 'the tokenizer that the model was published with'],
  })
}

/** @throws GradusError GRD-REWARD-001 where the separator stands more or less often than there are steps */
function places(ids: readonly number[], separator: number, steps: number): number[] {
  const at = ids.flatMap((id, i) => (id === separator ? [i] : []))
  if (at.length === steps) return at
  throw new GradusError('GRD-REWARD-001', {
    found: `${at.length} separators for ${steps} steps`,
    expected: 'one behind each step',
    try: ['look for the separator inside the text of a step'],
  })
}

/** A row at each place: of a pooler that keeps the separators only, or every token. */
async function pooledScores(
  ids: readonly number[],
  at: readonly number[],
  server: VllmServer,
  calls: Calls,
): Promise<number[]> {
  const rows = await calls.ask(server.pooled, { ids: [...ids] })
  const own = rows.length === ids.length ? at.map((place) => rows[place] ?? []) : rows
  const widths = new Set(own.map((row) => row.length))
  if (own.length !== at.length || widths.size !== 1 || !(widths.has(1) || widths.has(2))) {
    throw new GradusError('GRD-REWARD-001', {
      found: `${rows.length} rows of ${[...widths].join(', ')} numbers for ${at.length} steps in ${ids.length} tokens`,
      expected: 'a row for each step or for each token, of one or two numbers',
      try: ['serve the model with its own pooler (vLLM: --runner pooling)'],
    })
  }
  const numbers = own.map((row) => row.map((value) => value ?? Number.NaN))
  const chances = numbers.every(
    (row) => row.length === 2 && Math.abs(row[0]! + row[1]! - 1) < 1e-3 && row[0]! >= 0 && row[1]! >= 0,
  )
  return numbers.map((row) => {
    const [first = Number.NaN, second] = row
    // Softmax of two is the sigmoid of their difference.
    return second === undefined ? sigmoid(first) : chances ? second : sigmoid(second - first)
  })
}

/** How far a bound on P(good) may lie from the truth, half its width. */
const BOUND = 0.01

/**
 * P(good) among good and bad. Where the server names one of them only, the other is at most as probable as the least
 * that it names; a bound that is tight enough counts, else nobody can say.
 */
function ofTwo(weighed: Weighed | undefined): number | null {
  const [good = null, bad = null] = weighed?.watched ?? []
  if (good !== null && bad !== null) return sigmoid(good - bad)
  const least = weighed?.least ?? null
  if ((good === null && bad === null) || least === null) return null
  const low = good === null ? 0 : sigmoid(good - least)
  const high = bad === null ? 1 : sigmoid(least - bad)
  return (high - low) / 2 <= BOUND ? (low + high) / 2 : null
}

/** Where two renderings of one chat differ: at the answers, by one token each, the same two everywhere. */
function differences(
  good: readonly number[],
  bad: readonly number[],
  steps: number,
): { at: number[]; ids: [number, number] } {
  const at = good.flatMap((id, i) => (bad[i] === id ? [] : [i]))
  const pairs = new Set(at.map((i) => `${good[i]} ${bad[i]}`))
  const [first = 0] = at
  const [plus, minus] = [good[first], bad[first]]
  if (
    good.length === bad.length &&
    at.length === steps &&
    pairs.size === 1 &&
    plus !== undefined &&
    minus !== undefined
  ) {
    return { at, ids: [plus, minus] }
  }
  throw new GradusError('GRD-MODEL-005', {
    found: `answers that differ at ${at.length} tokens in ${pairs.size} ways, for ${steps} steps`,
    expected: 'one token an answer, the same two everywhere',
    try: ['the adapter of the model that the server really has'],
  })
}

/**
 * Sigmoid of beta times the summed log-ratio of the answer's tokens up to the end of each step. A token across the
 * border of two steps belongs to the later one.
 */
async function logRatio(
  form: Extract<Form, { kind: 'log-ratio' }>,
  { problem, steps }: Solution,
  server: VllmServer,
  reference: VllmServer | undefined,
  calls: Calls,
): Promise<number[]> {
  if (!reference) throw new GradusError('GRD-LABEL-004', { found: 'no reference model', expected: 'ref=URL#model' })
  const texts = form.steps(steps)
  const prefixes = Array.from({ length: steps.length + 1 }, (_, n) => texts.slice(0, n).join(form.joiner))
  const render = (to: VllmServer, answer: string): Promise<number[]> => {
    const request: Tokenised = { messages: form.chat(problem, answer) }
    return calls.ask(to.tokens, request)
  }
  const [ids = [], ...parts] = await Promise.all(
    [prefixes.at(-1) ?? '', ...prefixes].map((text) => render(server, text)),
  )
  const theirs = await render(reference, prefixes.at(-1) ?? '')
  if (ids.length !== theirs.length || ids.some((id, i) => id !== theirs[i])) {
    throw new GradusError('GRD-MODEL-005', {
      found: `${server.model} and ${reference.model} cut the same chat into other tokens`,
      expected: 'a reference with the tokenizer and chat template of the model',
    })
  }
  const [own, base] = await Promise.all([server, reference].map((one) => calls.ask(one.weighed, { ids, watch: [] })))
  const ends = parts.map((part) => commonLength(ids, part))
  const from = ends[0] ?? 0
  return ends.slice(1).map((end) => {
    let sum = 0
    for (let i = from; i < end; i++) sum += (own?.[i]?.own ?? Number.NaN) - (base?.[i]?.own ?? Number.NaN)
    return sigmoid(form.beta * sum)
  })
}

/** Tokens that two lists begin with alike. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  let n = 0
  while (n < a.length && n < b.length && a[n] === b[n]) n++
  return n
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
