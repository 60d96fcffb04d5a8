import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { letterSorting } from './letter-sorting.ts'
import { findingsOf, firstWrong, surviveGarbage, traceOf, verdictsOf } from './traces-for-tests.ts'

const PROMPT = 'pear plum apple fig pea'
const RIGHT = [
  'I look at the first letter of each word. The first letter: "pear": "p" (16). "plum": "p" (16). "apple": "a" (1). "fig": "f" (6). "pea": "p" (16).',
  'We now have: (1) "apple" < (6) "fig" < (16) ["pear" ? "plum" ? "pea"].',
  'Now let\'s sort this subpart ["pear" ? "plum" ? "pea"] by looking at their second letters. The second letter: "pear": "e" (5). "plum": "l" (12). "pea": "e" (5).',
  'We now have: (5) ["pear" ? "pea"] < (12) "plum" for the subpart. Hence, we have "apple" < "fig" < ["pear" ? "pea"] < "plum".',
  'Now let\'s sort this subpart ["pear" ? "pea"] by looking at their fourth letters. The fourth letter: "pear": "r" (18). "pea": "" (0).',
  'We now have: (0) "pea" < (18) "pear" for the subpart. Hence, we have "apple" < "fig" < "pea" < "pear" < "plum".',
  'I have now sorted all the words. The answer is apple fig pea pear plum',
]
const withStep = (i: number, text: string): string[] => RIGHT.map((s, k) => (k === i ? text : s))

describe('letter-sorting', () => {
  it('follows a right sorting to the answer; a word ends before it goes on', async () => {
    expect(await verdictsOf(letterSorting, PROMPT, RIGHT)).toEqual(Array(7).fill('correct'))
  })

  it.each([
    ['a wrong place in the alphabet', 0, RIGHT[0]?.replace('(6)', '(7)'), 'f is letter 6 of the alphabet, not 7'],
    ['a wrong letter', 2, RIGHT[2]?.replace('"l" (12)', '"u" (21)'), 'letter 2 of plum is l, not u'],
    [
      'a word missing from the order',
      1,
      'We now have: (1) "apple" < (16) ["pear" ? "plum" ? "pea"].',
      'fig is missing from the order',
    ],
    [
      'a word in the wrong group',
      1,
      'We now have: (1) ["apple" ? "fig"] < (16) ["pear" ? "plum" ? "pea"].',
      'after these letters the order is apple < fig < [pear ? plum ? pea]',
    ],
    [
      'an order that no letter has shown',
      1,
      'We now have: (1) "apple" < (6) "fig" < (16) "pea" < "pear" < "plum".',
      'after these letters the order is apple < fig < [pear ? plum ? pea]',
    ],
    [
      'a group that is not open',
      2,
      'Now let\'s sort this subpart ["apple" ? "fig"] by looking at their second letters. The second letter: "apple": "p" (16). "fig": "i" (9).',
      'apple and fig is no group that is still open; open is pear, plum and pea',
    ],
    [
      'a letter of a group left out',
      2,
      'Now let\'s sort this subpart ["pear" ? "plum" ? "pea"] by looking at their second letters. The second letter: "pear": "e" (5). "plum": "l" (12).',
      'the letter of pea is left out',
    ],
    [
      'a letter that cannot decide',
      2,
      'Now let\'s sort this subpart ["pear" ? "plum" ? "pea"] by looking at their third letters. The third letter: "pear": "a" (1). "plum": "u" (21). "pea": "a" (1).',
      'letter 2 already differs, so letter 3 does not decide',
    ],
    [
      'a group order against the letters',
      3,
      'We now have: (5) "plum" < (12) ["pear" ? "pea"] for the subpart.',
      'after these letters the order is [pear ? pea] < plum',
    ],
    [
      'a whole order that loses the group order',
      3,
      'We now have: (5) ["pear" ? "pea"] < (12) "plum" for the subpart. Hence, we have "apple" < "fig" < ["pear" ? "pea" ? "plum"].',
      'after these letters the order is apple < fig < [pear ? pea] < plum',
    ],
    [
      'a word twice',
      5,
      'We now have: (0) "pea" < (18) "pear" for the subpart. Hence, we have "apple" < "fig" < "pea" < "pear" < "pea" < "plum".',
      'pea comes twice',
    ],
    ['an answer out of order', 6, 'The answer is apple fig pear pea plum', 'word 3 of the order is pea, not pear'],
    ['an answer without a word', 6, 'The answer is apple fig pea pear', 'plum is missing from the answer'],
  ])('finds %s at its step', async (_, step, text, reason) => {
    const findings = await findingsOf(letterSorting, PROMPT, withStep(step, text ?? ''))
    expect(findings.findIndex((f) => f.verdict === 'incorrect')).toBe(step)
    expect(findings[step]?.reason).toBe(reason)
  })

  it('finds an answer that comes before the words are told apart', async () => {
    const steps = [...RIGHT.slice(0, 4), 'The answer is apple fig pea pear plum']
    expect((await findingsOf(letterSorting, PROMPT, steps))[4]).toMatchObject({
      verdict: 'incorrect',
      reason: 'pear and pea are not yet told apart, so there is no answer yet',
    })
  })

  it('finds an open group that is passed over', async () => {
    const prompt = 'cab cat dig dog'
    const first = 'The first letter: "cab": "c" (3). "cat": "c" (3). "dig": "d" (4). "dog": "d" (4).'
    const order = 'We now have: (3) ["cab" ? "cat"] < (4) ["dig" ? "dog"].'
    const second =
      'Now let\'s sort this subpart ["dig" ? "dog"] by looking at their second letters. The second letter: "dig": "i" (9). "dog": "o" (15).'
    expect(await firstWrong(letterSorting, prompt, [first, order, second])).toBe(2)
  })

  it('takes a slip of spelling for the word, and leaves undecided what sorts other words', async () => {
    const slip = RIGHT.map((s) => s.replaceAll('"apple"', '"aple"'))
    expect(await firstWrong(letterSorting, PROMPT, slip)).toBe(-1)
    const other = await findingsOf(
      letterSorting,
      PROMPT,
      RIGHT.map((s) => s.replaceAll('fig', 'foo')),
    )
    expect(other.every((f) => f.verdict !== 'incorrect')).toBe(true)
    expect(other[0]?.reason).toBe('restates the problem differently: fig is left out; foo is not in the list')
  })

  it('applies to lists of words that are sorted by letters', () => {
    expect(
      letterSorting.applies(
        traceOf(
          PROMPT,
          RIGHT.map((s) => s),
        ),
      ),
    ).toBe(true)
    expect(letterSorting.applies(traceOf('Sort the following words alphabetically: List: pear plum fig', RIGHT))).toBe(
      true,
    )
    expect(letterSorting.applies(traceOf('pear plum', ['The answer is pear plum']))).toBe(false)
    expect(letterSorting.applies(traceOf('What is the Capital of France?', RIGHT))).toBe(false)
  })

  it('survives garbage', async () => {
    expect(await surviveGarbage(letterSorting, [PROMPT])).toBeGreaterThan(100)
  })

  it('accepts every right replay and finds a changed letter exactly where it is', async () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 5 })
    const names = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth']
    const place = (c: string): number => (c === '' ? 0 : c.charCodeAt(0) - 96)
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(word, { minLength: 2, maxLength: 8 }), fc.nat(), async (words, where) => {
        const show = (g: readonly string[]): string =>
          g.length === 1 ? `"${g[0]}"` : `[${g.map((w) => `"${w}"`).join(' ? ')}]`
        const letters = (g: readonly string[], n: number): string =>
          `The ${names[n]} letter: ${g.map((w) => `"${w}": "${w[n] ?? ''}" (${place(w[n] ?? '')})`).join('. ')}.`
        const split = (g: readonly string[], n: number): string[][] =>
          [...new Set(g.map((w) => place(w[n] ?? '')))]
            .sort((x, y) => x - y)
            .map((p) => g.filter((w) => place(w[n] ?? '') === p))
        const order = (gs: readonly string[][], n: number): string =>
          gs.map((g) => `(${place(g[0]?.[n] ?? '')}) ${show(g)}`).join(' < ')
        let chain: { words: string[]; depth: number }[] = split(words, 0).map((g) => ({ words: g, depth: 1 }))
        const steps = [
          letters(words, 0),
          `We now have: ${order(
            chain.map((g) => g.words),
            0,
          )}.`,
        ]
        for (
          let at = chain.findIndex((g) => g.words.length > 1);
          at >= 0;
          at = chain.findIndex((g) => g.words.length > 1)
        ) {
          const { words: group, depth } = chain[at] ?? { words: [], depth: 0 }
          const parts = split(group, depth)
          steps.push(
            `Now let's sort this subpart ${show(group)} by looking at their ${names[depth]} letters. ${letters(group, depth)}`,
          )
          chain = [...chain.slice(0, at), ...parts.map((g) => ({ words: g, depth: depth + 1 })), ...chain.slice(at + 1)]
          steps.push(
            `We now have: ${order(parts, depth)} for the subpart. Hence, we have ${chain.map((g) => show(g.words)).join(' < ')}.`,
          )
        }
        steps.push(`I have now sorted all the words. The answer is ${[...words].sort().join(' ')}`)
        const prompt = words.join(' ')
        expect(await firstWrong(letterSorting, prompt, steps)).toBe(-1)
        const lettered = steps.flatMap((s, i) => (/letter/.test(s) ? [i] : []))
        const at = lettered[where % lettered.length] ?? 0
        const wrong = steps.map((s, i) =>
          i === at ? s.replace(/: "(\w?)" \(/, (_, c) => `: "${c === 'z' ? 'y' : 'z'}" (`) : s,
        )
        expect(await firstWrong(letterSorting, prompt, wrong)).toBe(at)
      }),
      { numRuns: 150 },
    )
  })
})
