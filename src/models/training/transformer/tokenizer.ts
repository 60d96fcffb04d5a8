import { GradusError } from '../../../core/errors.ts'

/** Fills rows behind a text; never attended to, never sampled. */
export const PAD = 0
/** Stands before every text; never sampled. */
export const START = 1
/** Ends a solution. */
export const END = 2

const SPECIAL = 3

/** One token a character: steps end with the single token of `\n`, and no merge can reach over a step's end. */
export interface Tokenizer {
  /** Characters in the order of their ids, from 3. */
  alphabet: readonly string[]
  /** Number of ids, the three special ones included. */
  size: number
  /** Ids of the characters, without start and end. @throws GradusError GRD-MODEL-001 for an unknown character */
  encode(text: string): number[]
  /** Text of the ids; special ids give nothing. */
  decode(ids: readonly number[]): string
}

/** The tokenizer of an alphabet (distinct characters). */
export function charTokenizer(alphabet: readonly string[]): Tokenizer {
  const ids = new Map(alphabet.map((char, i) => [char, i + SPECIAL]))
  return {
    alphabet,
    size: alphabet.length + SPECIAL,
    encode(text) {
      const out: number[] = []
      for (const char of text) {
        const id = ids.get(char)
        if (id === undefined) {
          throw new GradusError('GRD-MODEL-001', {
            found: `${JSON.stringify(char)} in ${JSON.stringify(text.slice(0, 60))}`,
            expected: `only ${JSON.stringify(alphabet.join(''))}`,
            try: ['use a problem of a task that the model was trained on (see its card)'],
          })
        }
        out.push(id)
      }
      return out
    },
    decode: (tokens) => tokens.map((id) => alphabet[id - SPECIAL] ?? '').join(''),
  }
}

/** Distinct characters of texts, by code point: the same texts in any order give the same alphabet. */
export function alphabetOf(texts: Iterable<string>): string[] {
  const seen = new Set<string>(['\n'])
  for (const text of texts) for (const char of text) seen.add(char)
  return [...seen].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0))
}
