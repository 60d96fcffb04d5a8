import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Step } from '../../core/words.ts'
import { type Tokenizer, tokenizerOf } from '../training/transformer/tokenizer.ts'
import { alignedText } from './aligned-text.ts'

const tokenizer = tokenizerOf(['\n', '=', '1', '2', 'a'])
const steps = (...texts: string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))

describe('a line as text', () => {
  it('closes every step with one separator token, wherever the prompt has line breaks', () => {
    const text = fc.string({ unit: fc.constantFrom('=', '1', '2', 'a'), maxLength: 6 })
    const prompt = fc.string({ unit: fc.constantFrom('=', '1', '\n'), maxLength: 8 })
    fc.assert(
      fc.property(prompt, fc.array(text, { maxLength: 6 }), (head, texts) => {
        const { text: whole, ends, from } = alignedText(tokenizer, head, steps(...texts))
        const ids = tokenizer.encode(whole)
        expect(ends.map((end) => ids[end])).toEqual(texts.map(() => tokenizer.encode('\n')[0]))
        const pieces = ends.map((end, t) => tokenizer.decode(ids.slice(t === 0 ? from : ends[t - 1]! + 1, end)))
        expect(pieces).toEqual(texts)
      }),
    )
  })

  it.each<[string, Tokenizer, Step[], RegExp]>([
    ['a step of two lines', tokenizer, steps('1=1', '1\n2'), /3 separators for 2 steps/],
    ['a tokenizer that has no line break', tokenizerOf(['1']), steps('1'), /without a line break/],
    ['a tokenizer that loses text', { ...tokenizer, decode: () => '' }, steps('1'), /do not give back/],
    ['an observation inside a step', tokenizer, [{ text: '1', kind: 'action', observation: '2' }], /inside a step/],
  ])('refuses %s', (_, own, given, message) => {
    expect(() => alignedText(own, '1', given)).toThrow(message)
    expect(() => alignedText(own, '1', given)).toThrow(/GRD-MODEL-005/)
  })
})
