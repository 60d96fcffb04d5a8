import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columns, harmless, oneLine, paint, sparkline, wrapped } from './style.ts'

const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
/** Text with many of the characters that matter. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u001b',
      '[',
      '3',
      '1',
      'm',
      '\u202e',
      '\u061c',
      '\u0007',
      '\u009b',
      '\n',
      '\t',
      ' ',
      '"',
      '\\',
      '😀',
    ),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
})

describe('harmless', () => {
  it('leaves nothing harmful but the colours that Gradus itself writes', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(harmless(text).replaceAll(/\u001b\[(?:0|1|2|31|32|33|36)m/g, '')).not.toMatch(HARMFUL)
      }),
    )
  })

  it('changes no value inside JSON and no painted text', () => {
    fc.assert(fc.property(nasty, (text) => JSON.parse(harmless(JSON.stringify(text))) === text))
    const painted = paint({ colour: true }, 'red', 'wrong')
    expect(harmless(painted)).toBe(painted)
    expect(harmless('\u001b[8mhidden')).toBe('\\u001b[8mhidden')
  })
})

describe('text of traces', () => {
  it('is one harmless line of at most the width', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 2, max: 30 }), (text, width) => {
        const line = oneLine(text, width)
        expect([...line].length).toBeLessThanOrEqual(width)
        expect(line).not.toMatch(HARMFUL)
        expect(line).not.toContain('\n')
      }),
    )
  })

  it('wraps into lines of at most the width that say the same', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 4, max: 30 }), (text, width) => {
        const lines = wrapped(text, width, 1_000)
        expect(lines.every((line) => [...line].length <= width)).toBe(true)
        const bare = (s: string): string => s.replaceAll(/\s/g, '')
        expect(bare(lines.join(''))).toBe(bare(oneLine(text, Number.POSITIVE_INFINITY)))
      }),
    )
    expect(wrapped('one two three four', 9, 2)).toEqual(['one two', 'three fo…'])
  })
})

describe('tables and strips', () => {
  it('align columns and show what is not known as a dot', () => {
    expect(
      columns([
        ['', 'found'],
        ['code', '7'],
      ]),
    ).toEqual(['       found', 'code       7'])
    expect(sparkline([0, null, 0.5, 1])).toBe('▁·▅█')
  })
})
