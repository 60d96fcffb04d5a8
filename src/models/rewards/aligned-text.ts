import { GradusError } from '../../core/errors.ts'
import type { Step } from '../../core/words.ts'
import type { Tokenizer } from '../training/transformer/tokenizer.ts'

/** Closes each step; a single token of the embedded tokenizers. */
export const SEPARATOR = '\n'

export interface AlignedText {
  text: string
  /** Number of the token that closes each step, counted in the text's tokens from 0. */
  ends: number[]
  /** Number of the first token of the steps. */
  from: number
}

/**
 * Prompt and steps as one text in which every step is closed by one separator token.
 *
 * Checked on the ids, not on the strings: the separator is one id, the ids give the same text back, and behind the
 * prompt there are as many separators as steps.
 * @throws GradusError GRD-MODEL-005 where that does not hold, GRD-MODEL-001 for characters that the model does not know
 */
export function alignedText(tokenizer: Tokenizer, prompt: string, steps: readonly Step[]): AlignedText {
  const separator = separatorId(tokenizer)
  const withReply = steps.findIndex((step) => step.observation !== undefined)
  if (withReply >= 0) {
    throw new GradusError('GRD-MODEL-005', {
      where: { field: `steps[${withReply}].observation` },
      found: 'an observation inside a step',
      expected: 'one text a step; what an environment says is a step of its own',
    })
  }
  const head = `${prompt}${SEPARATOR}`
  const text = head + steps.map((step) => step.text + SEPARATOR).join('')
  const ids = tokenizer.encode(text)
  if (tokenizer.decode(ids) !== text) {
    throw new GradusError('GRD-MODEL-005', {
      found: 'a text that its tokens do not give back',
      expected: 'the same text',
    })
  }
  const from = tokenizer.encode(head).length
  const ends = ids.flatMap((id, at) => (at >= from && id === separator ? [at] : []))
  if (ends.length !== steps.length) {
    const joined = steps.findIndex((step) => step.text.includes(SEPARATOR))
    throw new GradusError('GRD-MODEL-005', {
      ...(joined >= 0 && { where: { field: `steps[${joined}].text` } }),
      found: `${ends.length} separators for ${steps.length} steps`,
      expected: 'one line a step',
      try: ['gradus label --split lines   (cuts steps at line breaks)'],
    })
  }
  return { text, ends, from }
}

/** Tokens of a step, the one that closes it included: `[from, to)`. */
export function stepTokens({ from, ends }: { from: number; ends: readonly number[] }, step: number): [number, number] {
  return [step === 0 ? from : ends[step - 1]! + 1, ends[step]! + 1]
}

/** @throws GradusError GRD-MODEL-005 where the separator is not one token */
export function separatorId(tokenizer: Tokenizer): number {
  const [id, ...more] = tokenizer.alphabet.includes(SEPARATOR) ? tokenizer.encode(SEPARATOR) : []
  if (id !== undefined && more.length === 0) return id
  throw new GradusError('GRD-MODEL-005', {
    found: 'a tokenizer without a line break of its own',
    expected: 'one token',
  })
}
