import { GradusError } from '../../../core/errors.ts'

/** Fills rows behind a text; never attended to, never sampled. */
export const PAD = 0
/** Stands before every text; never sampled. */
export const START = 1
/** Ends a solution. */
export const END = 2

const SPECIAL = 3

/**
 * One token a character or a known word: steps end with the single token of `\n`, and no word reaches over a step's
 * end.
 */
export interface Tokenizer {
  /** Characters and words in the order of their ids, from 3. */
  alphabet: readonly string[]
  /** Number of ids, the three special ones included. */
  size: number
  /** Ids of a text, the longest word first, without start and end. @throws GradusError GRD-MODEL-001 */
  encode(text: string): number[]
  /** Text of the ids; special ids give nothing. */
  decode(ids: readonly number[]): string
}

/** The tokenizer of an alphabet: distinct characters and words. @throws RangeError for a word with a line break */
export function tokenizerOf(alphabet: readonly string[]): Tokenizer {
  const ids = new Map(alphabet.map((piece, i) => [piece, i + SPECIAL]))
  const split = splitter(alphabet)
  return {
    alphabet,
    size: alphabet.length + SPECIAL,
    encode: (text) =>
      split(text).map((piece) => {
        const id = ids.get(piece)
        if (id !== undefined) return id
        throw new GradusError('GRD-MODEL-001', {
          found: `${JSON.stringify(piece)} in ${JSON.stringify(text.slice(0, 60))}`,
          expected: `only ${JSON.stringify(alphabet.length > 60 ? alphabet.slice(0, 60) : alphabet.join(''))}`,
          try: ['use a problem of a task that the model was trained on (see its card)'],
        })
      }),
    decode: (tokens) => tokens.map((id) => alphabet[id - SPECIAL] ?? '').join(''),
  }
}

/**
 * Cuts texts into words, the longest that fits first, and characters (code points).
 * @throws RangeError for a word with a line break
 */
export function splitter(words: readonly string[]): (text: string) => string[] {
  const byStart = new Map<string, string[]>()
  for (const word of [...words].sort((a, b) => b.length - a.length)) {
    if (word.length > 1 && word.includes('\n')) throw new RangeError(`a word with a line break: ${word}`)
    const start = word.charAt(0)
    byStart.set(start, [...(byStart.get(start) ?? []), word])
  }
  return (text) => {
    const pieces: string[] = []
    for (let at = 0; at < text.length; ) {
      const word = byStart.get(text.charAt(at))?.find((each) => text.startsWith(each, at))
      const piece = word ?? String.fromCodePoint(text.codePointAt(at) ?? 0)
      pieces.push(piece)
      at += piece.length
    }
    return pieces
  }
}

/**
 * The words, their characters, and the distinct characters of texts beside words, in the order of their code units. A
 * sample may join words so that they are cut in another way when read: with their characters it can be read all the same.
 */
export function alphabetOf(texts: Iterable<string>, words: readonly string[] = []): string[] {
  const split = splitter(words)
  const seen = new Set<string>(['\n', ...words, ...words.flatMap((word) => [...word])])
  for (const text of texts) for (const piece of split(text)) seen.add(piece)
  return [...seen].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
