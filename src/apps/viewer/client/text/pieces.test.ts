import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Piece, pieces } from './pieces.ts'

const brief = (p: Piece): string =>
  p.kind === 'math' ? `${p.display ? 'display' : 'math'}:${p.tex}` : `${p.kind}:${'text' in p ? p.text : p.source}`

describe('pieces of a step', () => {
  it('finds formulas in all their notations', () => {
    expect(pieces('so $x^2$ and \\(y\\) give \\[z\\] or $$w$$.').map(brief)).toEqual([
      'text:so ',
      'math:x^2',
      'text: and ',
      'math:y',
      'text: give ',
      'display:z',
      'text: or ',
      'display:w',
      'text:.',
    ])
    expect(pieces('\\begin{align*}a&=b\\end{align*}!').map(brief)).toEqual([
      'display:\\begin{align*}a&=b\\end{align*}',
      'text:!',
    ])
  })

  it('leaves prices, escaped dollars and what is never closed as prose', () => {
    for (const text of [
      'it costs $5 and $6 more',
      'pays \\$3 or \\$4',
      'half $ open',
      '\\[ open',
      '`open',
      '** open',
    ]) {
      expect(pieces(text).map(brief)).toEqual([`text:${text}`])
    }
  })

  it('keeps a formula with an escaped dollar in it whole', () => {
    expect(pieces('cost $x = \\$5$ now').map(brief)).toEqual(['text:cost ', 'math:x = \\$5', 'text: now'])
  })

  it('takes fenced code as it stands, with its language; one that is cut reaches to the end', () => {
    expect(pieces('run\n```Python\nprint("$x$")\n```\ndone').map(brief)).toEqual([
      'text:run\n',
      'block:print("$x$")',
      'text:\ndone',
    ])
    expect(pieces('```sh\nls `pwd`')[0]).toMatchObject({ kind: 'block', language: 'sh', text: 'ls `pwd`' })
    expect(pieces('```\n```')[0]).toMatchObject({ kind: 'block', text: '', source: '```\n```' })
  })

  it('marks bold words and inline code', () => {
    expect(pieces('**Step 1** is `x = 1`').map(brief)).toEqual(['strong:Step 1', 'text: is ', 'code:x = 1'])
  })

  it('loses no character, whatever the text', () => {
    const text = fc
      .array(
        fc.oneof(fc.string(), fc.constantFrom('$', '$$', '\\', '\\(', '\\]', '`', '```', '\n', '**', '\\begin{align}')),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        text,
        (t) =>
          pieces(t)
            .map((p) => p.source)
            .join('') === t,
      ),
    )
  })

  it('takes no longer for hostile text than its length explains', () => {
    const hostile = ['$', '`', '**', '\\(', '\\begin{align}', '```x\n', '$a', '\\$'].map((mark) =>
      mark.repeat(400_000 / mark.length),
    )
    const { user } = process.cpuUsage()
    for (const text of hostile) pieces(text)
    // 3.2 million characters; a quadratic reading would take hours.
    expect((process.cpuUsage().user - user) / 1e3).toBeLessThan(5_000)
  })
})
