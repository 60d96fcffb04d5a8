import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { processorSeconds } from '../../../testing/processor-time.ts'
import { claimsOf } from './claims.ts'

type Outcome = 'holds' | 'fails' | 'silent' | 'none'

/** fails: a claim is wrong; silent: claims were read and none decided; none: no claim at all. */
function outcome(text: string): Outcome {
  const { claims } = claimsOf(text)
  if (claims.some((c) => c.holds === false)) return 'fails'
  if (claims.some((c) => c.holds === true)) return 'holds'
  return claims.length > 0 ? 'silent' : 'none'
}

const TABLE: readonly (readonly [string, Outcome])[] = [
  // Plain text, units and money.
  ['She keeps 14 - 3 - 2 = 9 plums.', 'holds'],
  ['She keeps 14 - 3 - 2 = 8 plums.', 'fails'],
  ['At $4 a jar she earns 6 * $4 = $24.', 'holds'],
  ['At $4 a jar she earns 6 * $4 = $26.', 'fails'],
  ['Mia pays $12 (lunch) + $7 (bus) = $19.', 'holds'],
  ['The crates hold 4 crates x 15 pears = 60 pears.', 'holds'],
  ['A fifth is 20% of 45 = 9.', 'holds'],
  ['The sum is 1,200 + 350 = 1,550.', 'holds'],
  ['They ran 12 miles / 3 hours = 4 miles/hour.', 'holds'],
  ['Ben has <<7*8=56>>56 stamps.', 'holds'],
  ['Ben has <<7*8=54>>54 stamps.', 'fails'],
  ['Each gets 10 / 4 = 2.5 litres.', 'holds'],
  ['It gives 7/3 = 2.33 hours.', 'holds'],
  ['It gives 7/3 = 2.53 hours.', 'fails'],
  // LaTeX.
  ['We get \\(\\frac{2}{3} \\times 18 = 12\\).', 'holds'],
  ['We get \\[ \\sqrt{49} + 3! = 13 \\]', 'holds'],
  ['We get $\\binom{6}{2} = 18$.', 'fails'],
  ['\\begin{align*} 3 + 4 &= 7 \\\\ &= 14 / 2 \\end{align*}', 'holds'],
  ['\\[ \\text{cost} = 5 \\times \\$8 = \\$45 \\]', 'fails'],
  ['First $$6 \\cdot 7$$ $$= 42$$', 'holds'],
  ['\\tan 30^\\circ = \\sqrt{3} in prose, but \\(\\tan 30^\\circ = \\sqrt{3}\\) as a formula.', 'fails'],
  ['\\(84 = 2^2 \\cdot 3 \\cdot 7\\)', 'holds'],
  ['\\(84 = 2^3 \\cdot 3 \\cdot 7\\)', 'fails'],
  // Guards: symbols outside, names with numbers, times, lists.
  ['So x + 4 = 9 and x = 5.', 'none'],
  ['The total in 6 boxes = 6 * 12 = 72.', 'holds'],
  ['Week 1 + Week 2 = 20 + 22 = 42', 'holds'],
  ['Step 2 - 15 + 4 = 19.', 'none'],
  ['He leaves at 7:40 - 30 = 7:10.', 'none'],
  ['She moves from 2nd - 1 = 1st.', 'none'],
  ['The gaps are 7 - 2, 9 - 5, 8 - 1 = 5, 4, 7.', 'none'],
  ['\\(2^{10} \\equiv 24 \\pmod{100}\\), and 7 + 8 = 3 (mod 12).', 'silent'],
  ['In base 5 we have 3 + 4 = 12.', 'silent'],
  ['If 2 + 2 = 5 then anything follows.', 'silent'],
  ['But \\(3 + 4 = 8\\) is impossible.', 'silent'],
  ['We try 6 first: \\(6^2 - 5 = 30\\). This is not correct.', 'silent'],
  ['Plugging in gives \\(9 = \\sqrt{16} + 4\\).', 'silent'],
  ['That is about 22 / 7 = 3.2.', 'none'],
  ['He walks 3 * 60 = 3 minutes.', 'silent'],
  ['They sold 3 * 5 = 15 million cans.', 'none'],
  ['Half of 30 * 2 = 60 would be wrong to read.', 'none'],
  ['\\(x = 1, 2 + 3 = 5\\)', 'holds'],
  // Other readings.
  ['\\(2\\frac{1}{3} = \\frac{7}{3}\\) and \\(2\\frac{1}{3} = \\frac{2}{3}\\)', 'holds'],
  ['3 / 1/4 = 12', 'silent'],
  ['\\(-3^2 = 9\\)', 'silent'],
  ['The slips cancel: 5 + 5 = 11 - 2 = 8 + 2.', 'silent'],
  ['4 + 5 = 3 * 4 = 9', 'silent'],
  // Identities: a slip in a transformation, not an equation to be solved.
  ['\\((x+2)^2 = x^2 + 4x + 4\\)', 'holds'],
  ['\\((x+2)^2 = x^2 + 4x + 2\\)', 'fails'],
  ['\\(2(a - 3) + 5a = 7a - 6\\)', 'holds'],
  ['\\(S = 3(a + 2b) + a + 1 = 4a + 5b + 1\\)', 'fails'],
  ['\\(x^2 + 5x = 2x + 10\\)', 'silent'],
  ['\\((y + 1)^2 = 3y + 7\\)', 'silent'],
  ['Solve the equation \\(p^3 + q^3 + 1 = (p + q)^3 + 1\\).', 'silent'],
  ['\\(\\sqrt{(a-1)^2 + 9} = \\sqrt{a^2 - 2a + 10}\\)', 'holds'],
  ['\\(\\sqrt{(a-1)^2 + 9} = \\sqrt{a^2 - 2a + 8}\\)', 'fails'],
  // Equations that follow from one another.
  ['\\(3x + 4 = 19 \\implies 3x = 15 \\implies x = 5\\)', 'holds'],
  ['\\(3x + 4 = 19 \\implies x = 6\\)', 'fails'],
  ['\\(x = 2\\) or \\(x = 3\\)', 'none'],
  ['We expand \\(x(x+3) = 10\\), which simplifies to \\(x^2 + 3x - 10 = 0\\).', 'holds'],
  ['\\(x^2 - 3x + 5 = 7\\) simplifies to \\(x^2 - 3x + 2 = 0\\).', 'fails'],
]

describe('claims of a step', () => {
  it.each(TABLE)('%s: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })

  it('follow from the last equation of the step before', () => {
    const before = claimsOf('So we have \\(4y - 3 = 13\\).').last
    expect(claimsOf('Adding 3 gives \\(4y = 16\\).', before).claims).toMatchObject([{ holds: true }])
    expect(claimsOf('Adding 3 gives \\(4y = 10\\).', before).claims).toMatchObject([{ holds: false }])
    expect(claimsOf('In the second case \\(4y = 10\\).', before).claims).toEqual([])
  })
})

/** A sum, difference or product of small numbers with its value. */
const equation = fc
  .array(fc.tuple(fc.constantFrom('+', '-', '*'), fc.integer({ min: 1, max: 99 })), { minLength: 1, maxLength: 4 })
  .chain((rest) => fc.integer({ min: 1, max: 99 }).map((first) => ({ first, rest })))
  .map(({ first, rest }) => {
    const terms: number[] = [first]
    for (const [op, n] of rest) {
      if (op === '*') terms.push((terms.pop() as number) * n)
      else terms.push(op === '-' ? -n : n)
    }
    return { items: [first, ...rest.flat()] as (string | number)[], value: terms.reduce((a, b) => a + b, 0) }
  })

const RENDERINGS: readonly ((left: string, right: string) => string)[] = [
  (l, r) => `The total is ${l} = ${r}.`,
  (l, r) => `${l} = ${r}`,
  (l, r) => `Then <<${l.replaceAll(' ', '')}=${r}>>${r} remain.`,
  (l, r) => `Adding up: \\(${l.replaceAll('*', '\\times')} = ${r}\\).`,
  (l, r) => `\\[ \\text{Total} = ${l.replaceAll('*', '\\cdot')} = \\boxed{${r}} \\]`,
  (l, r) => `\\begin{align*} t &= ${l.replaceAll('*', '\\cdot')} \\\\ &= ${r} \\end{align*}`,
  (l, r) => `So we have ${l.replaceAll('*', '×').replaceAll('-', '−')} = ${r} plums in all.`,
]

describe('properties', () => {
  it('never calls a true equation wrong, and finds every slip', () => {
    fc.assert(
      fc.property(
        equation,
        fc.nat({ max: RENDERINGS.length - 1 }),
        fc.integer({ min: 3, max: 50 }),
        ({ items, value }, style, off) => {
          const render = RENDERINGS[style] as (l: string, r: string) => string
          const left = items.join(' ')
          expect(outcome(render(left, String(value)))).toBe('holds')
          // Behind a unit a result that a change of unit explains is left alone.
          expect(outcome(render(left, String(value + off)))).toMatch(/fails|silent/)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('finds slips in formulas without exception', () => {
    fc.assert(
      fc.property(equation, fc.integer({ min: 1, max: 50 }), ({ items, value }, off) => {
        expect(outcome(`\\(${items.join(' ')} = ${value + off}\\)`)).toBe('fails')
      }),
      { numRuns: 200 },
    )
  })

  it('finds slips in expansions', () => {
    const small = fc.integer({ min: 1, max: 12 })
    fc.assert(
      fc.property(small, small, small, (a, b, off) => {
        const expanded = (c: number): string => `\\((x + ${a})(x + ${b}) = x^2 + ${a + b}x + ${c}\\)`
        expect(outcome(expanded(a * b))).toBe('holds')
        expect(outcome(expanded(a * b + off))).toBe('fails')
      }),
      { numRuns: 100 },
    )
  })

  it('reads long hostile text in bounded time', () => {
    for (const piece of ['\\[', '\\(1+1=3\\) ', '1+1=3. ', '1+1=', '(', '$1 ', '1,', '\\text{']) {
      // Some hundred milliseconds; what grows with the square of the text takes far longer.
      expect(processorSeconds(() => claimsOf(`${piece.repeat(19_000 / piece.length)}=2`))).toBeLessThan(5)
    }
  })

  it('reads any text without an error', () => {
    const piece = fc.constantFrom(
      '=',
      '$',
      '\\(',
      '\\)',
      '\\[',
      '\\]',
      '{',
      '}',
      '\\frac',
      '\\text{',
      '<<',
      '>>',
      '\\begin{align}',
      '\\\\',
      '&',
      '^',
      '_',
      '(',
      ')',
      '3',
      '4.5',
      '-',
      '+',
      '*',
      '/',
      ' x ',
      'of',
      '%',
      '!',
      ',',
      '\n',
      '\\implies',
      '\\sqrt',
      '|',
      'a',
      '9'.repeat(80),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(Array.isArray(claimsOf(pieces.join('')).claims)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (s) => Array.isArray(claimsOf(`${s}=${s}`).claims)))
  })
})
