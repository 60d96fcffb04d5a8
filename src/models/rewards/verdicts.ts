import { z } from 'zod'
import type { TokenLogprob } from '../endpoints/endpoint.ts'
import { tryParse } from '../endpoints/wire.ts'
import type { JudgeVerdict, Range } from './judge-prompt.ts'

/** One verdict of a judge; null = it gave none for this step that can be read. */
export interface StepVerdict {
  verdict: JudgeVerdict
  reason: string
  /** Log-probability of the words of the verdict, where the endpoint gives log-probabilities. */
  logprob?: number
}

export interface ReadVerdicts {
  /** One for each step of the range. */
  steps: (StepVerdict | null)[]
  /** Why not every step has one; null = all is well. */
  wrong: string | null
}

const Entry = z.object({
  step: z.int(),
  reason: z.string().default(''),
  verdict: z.enum(['correct', 'incorrect', 'unsure']),
})

/**
 * Verdicts of the last JSON object in an answer that has the right form and bears the key.
 *
 * An object without the key is somebody else's: quoted from the data, or an example. The count is enforced: a step that
 * is missing or named twice has no verdict, and where a step is named that does not exist, the numbering cannot be
 * trusted and no step has one.
 */
export function readVerdicts(
  answer: string,
  key: string,
  { from: start, to: end }: Range,
  tokens: readonly TokenLogprob[] = [],
): ReadVerdicts {
  const steps = end - start
  const none = (wrong: string): ReadVerdicts => ({ steps: new Array<null>(steps).fill(null), wrong })
  const Answer = z.object({ key: z.literal(key), steps: z.array(Entry) })
  const found = lastObject(answer, (value) => Answer.safeParse(value).data)
  if (!found) return none('it holds no JSON object of the form with the key')
  const { value, from, to } = found
  const strange = value.steps.find(({ step }) => step <= start || step > end)
  if (strange) return none(`it names step ${strange.step}, and asked for were ${start + 1} to ${end}`)
  const logprobs = verdictLogprobs(answer.slice(from, to), from, answer, tokens)
  const read = Array.from({ length: steps }, (_, i): StepVerdict | null => {
    const own = value.steps.flatMap((entry, at) => (entry.step === start + i + 1 ? [{ ...entry, at }] : []))
    const [one] = own
    if (one === undefined || own.length > 1) return null
    // Where a verdict is missing or written in another way, the places cannot be told apart.
    const logprob = logprobs.length === value.steps.length ? logprobs[one.at] : undefined
    return { verdict: one.verdict, reason: one.reason, ...(logprob != null && { logprob }) }
  })
  const missing = read.filter((v) => v === null).length
  return { steps: read, wrong: missing === 0 ? null : `${missing} of ${steps} steps are missing or named twice` }
}

/** Braces tried, and characters looked at in all, before an answer counts as unreadable. */
const LOOK = { braces: 2_000, characters: 4_000_000 }

/** The last object in a text that `read` accepts; an object inside another accepted one is a part of it. */
export function lastObject<T>(
  text: string,
  read: (value: unknown) => T | undefined,
): { value: T; from: number; to: number } | null {
  let last: { value: T; from: number; to: number } | null = null
  let from = text.indexOf('{')
  let looked = 0
  for (let tries = 0; from >= 0 && tries < LOOK.braces && looked < LOOK.characters; tries++) {
    const to = endOfObject(text, from)
    looked += (to ?? text.length) - from
    const value = to === null ? undefined : read(tryParse(text.slice(from, to)))
    if (value !== undefined && to !== null) last = { value, from, to }
    from = text.indexOf('{', value !== undefined && to !== null ? to : from + 1)
  }
  return last
}

/** Behind the brace that closes the one at `from`, strings of JSON heeded; null where none does. */
function endOfObject(text: string, from: number): number | null {
  let depth = 0
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const c = text[i]
    if (quoted) {
      if (c === '\\') i++
      else if (c === '"') quoted = false
    } else if (c === '"') quoted = true
    else if (c === '{') depth++
    else if (c === '}' && --depth === 0) return i + 1
  }
  return null
}

/** A verdict as it stands in the object; inside a reason the quotes would be escaped. */
const VERDICT = /"verdict"\s*:\s*"(\w+)"/g

/**
 * For each verdict in the object the summed log-probability of the tokens that its word touches. null = not known, as
 * where one token holds other words too: its log-probability is not that of the decision.
 */
function verdictLogprobs(
  object: string,
  offset: number,
  answer: string,
  tokens: readonly TokenLogprob[],
): (number | null)[] {
  if (tokens.length === 0 || tokens.map((t) => t.token).join('') !== answer) return []
  const starts: number[] = []
  let at = 0
  for (const { token } of tokens) {
    starts.push(at)
    at += token.length
  }
  return [...object.matchAll(VERDICT)].map((m) => {
    const word = m[1] ?? ''
    const begin = offset + m.index + m[0].length - 1 - word.length
    const end = begin + word.length
    let sum: number | null = null
    for (const [i, start] of starts.entries()) {
      const { token, logprob } = tokens[i]!
      if (start >= end || start + token.length <= begin) continue
      const around = token.slice(0, Math.max(0, begin - start)) + token.slice(Math.max(0, end - start))
      if (/\w/.test(around)) return null
      sum = (sum ?? 0) + logprob
    }
    return sum
  })
}
