import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { constraintSatisfaction } from './constraint-satisfaction.ts'
import { type Linear, orderSolver } from './linear.ts'
import { findingsOf, firstWrong, surviveGarbage, traceOf, verdictsOf } from './traces-for-tests.ts'
import { placesOf, z3Solver } from './z3-linear.ts'

const SHELF = `The following statements each describe a set of four objects arranged in a fixed order. The statements are logically consistent.
- On a shelf, there are four books: a red book, a blue book, a green book, and a gray book.
- The gray book is the second from the left.
- The red book is to the left of the gray book.
- The blue book is to the right of the green book.
Q: Given the above statements, which of the following is correct?
Options:
(A) The green book is the rightmost.
(B) The blue book is the rightmost.`
const RIGHT = [
  'I need to find the places of all four books.',
  'The gray book is the second from the left. So from left to right: first can be any book, then second is the gray book, then third and fourth can be any book.',
  'The red book is to the left of the gray book. So from left to right: first is the red book, then second is the gray book, then third and fourth can be any book.',
  'The blue book is to the right of the green book, so the green book cannot be the rightmost. So from left to right: first is the red book, then second is the gray book, then third is the green book, then fourth is the blue book.',
  'According to this ordering, the rightmost book is the blue book. So the answer is (B)',
]
const withStep = (i: number, text: string): string[] => RIGHT.map((s, k) => (k === i ? text : s))

describe('constraint-satisfaction on orders', () => {
  it('follows a right deduction to the answer', async () => {
    expect(await verdictsOf(constraintSatisfaction, SHELF, RIGHT)).toEqual([
      'unknown',
      'correct',
      'correct',
      'correct',
      'correct',
    ])
  })

  it.each([
    [
      'a place counted from the wrong end',
      1,
      'The gray book is the second from the left. So from left to right: first and second can be any book, then third is the gray book, then fourth can be any book.',
      '"gray book is second from right" contradicts the facts of the problem',
    ],
    [
      'a place that does not follow yet',
      1,
      'The gray book is the second from the left. So from left to right: first is the red book, then second is the gray book, then third and fourth can be any book.',
      '"red book is first from left" does not follow from the facts taken up so far',
    ],
    [
      'a stated fact that the order leaves out',
      1,
      'The gray book is the second from the left. So from left to right: first, second, third, and fourth can be any book.',
      'the order leaves out that gray book is second from left',
    ],
    [
      'a place that gets lost',
      2,
      'The red book is to the left of the gray book. So from left to right: first is the red book, then second, third, and fourth can be any book.',
      'the order leaves out that gray book is second from left',
    ],
    [
      'a choice that is too narrow',
      2,
      'The red book is to the left of the gray book. So from left to right: first is the red book, then second is the gray book, then third can be the green book, then fourth can be any book.',
      '"green book is second from right" does not follow from the facts taken up so far',
    ],
    [
      'a fact turned round',
      3,
      'The green book is to the right of the blue book.',
      '"blue book comes before green book (left first)" contradicts the facts of the problem',
    ],
    [
      'a place too many',
      3,
      'So from left to right: first is the red book, then second is the gray book, then third is the green book, then fourth can be any book, then fifth is the blue book.',
      'there are 4 places, not 5',
    ],
    [
      'a wrong answer',
      4,
      'So the answer is (A)',
      '"green book is first from right" contradicts the facts of the problem',
    ],
  ])('finds %s at its step', async (_, step, text, reason) => {
    const findings = await findingsOf(constraintSatisfaction, SHELF, withStep(step, text))
    expect(findings.findIndex((f) => f.verdict === 'incorrect')).toBe(step)
    expect(findings[step]?.reason).toBe(reason)
  })

  it.each([
    [
      '- In a race, there were three runners: Ann, Bea, and Cy.\n- Ann finished above Bea.\n- Cy finished last.',
      [
        'Cy finished last.',
        'Ann finished above Bea, so Bea cannot be first.',
        'So from first to last: first is Ann, then second is Bea, then third is Cy.',
      ],
      'By process of elimination, Bea must be first.',
    ],
    [
      '- A stand sells three fruits: figs, kiwis, and plums.\n- The figs are more expensive than the kiwis.\n- The plums are the cheapest.',
      [
        'The plums are the cheapest. The figs are more expensive than the kiwis.',
        'So from most expensive to least expensive: first is figs, then second is kiwis, then third is plums.',
      ],
      'The kiwis are the most expensive.',
    ],
    [
      '- In a car show, there are three cars: a coupe, a van, and a sedan.\n- The van is newer than the coupe.\n- The sedan is the oldest.',
      [
        'The sedan is the oldest. The van is newer than the coupe.',
        'The van must be the newest, and the coupe must be the second-newest.',
      ],
      'So the second-oldest car is either the van or the sedan.',
    ],
  ])('reads races, prices and ages: %s', async (prompt, right, wrong) => {
    const verdicts = await verdictsOf(constraintSatisfaction, prompt, [...right, wrong])
    expect(verdicts).toEqual([...right.map(() => 'correct'), 'incorrect'])
  })

  it('abstains where one sentence of the problem is not understood', async () => {
    const prompt = SHELF.replace(
      'The red book is to the left of the gray book.',
      'The red book looks older than the gray book.',
    )
    expect(constraintSatisfaction.applies(traceOf(prompt, []))).toBe(false)
    expect(await verdictsOf(constraintSatisfaction, prompt, RIGHT)).toEqual(RIGHT.map(() => 'unknown'))
  })

  it('survives garbage', async () => {
    expect(await surviveGarbage(constraintSatisfaction, [SHELF])).toBeGreaterThan(100)
  })

  it('accepts every listing of the true order and finds two exchanged things exactly where they are', async () => {
    const names = ['Ann', 'Bea', 'Cy', 'Dov', 'Eli', 'Fay']
    const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth']
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(names, { minLength: 3 }), fc.nat(), async (order, where) => {
        const listed = [...order].sort()
        const facts = order.slice(1).map((name, i) => `${order[i]} finished above ${name}.`)
        const prompt = `- In a race, there were ${['', '', '', 'three', 'four', 'five', 'six'][order.length]} runners: ${listed.slice(0, -1).join(', ')}, and ${listed.at(-1)}.\n${facts.map((f) => `- ${f}`).join('\n')}`
        const show = (o: readonly string[]): string =>
          `So from first to last: ${o.map((name, i) => `${ordinals[i]} is ${name}`).join(', then ')}.`
        expect(await firstWrong(constraintSatisfaction, prompt, [...facts, show(order)])).toBe(-1)
        const at = where % (order.length - 1)
        const swapped = [...order]
        ;[swapped[at], swapped[at + 1]] = [order[at + 1] ?? '', order[at] ?? '']
        expect(await firstWrong(constraintSatisfaction, prompt, [...facts, show(swapped)])).toBe(facts.length)
      }),
      { numRuns: 100 },
    )
  })
})

describe('constraint-satisfaction on quantities', () => {
  const AGES =
    'Ann is 5 years older than Bob. Bob is twice as old as Cy. Together, Ann, Bob and Cy are 45 years old. How old is Ann?'

  it('decides ages, prices and counts', async () => {
    expect(
      await verdictsOf(constraintSatisfaction, AGES, [
        'We look at the ages.',
        'Cy is 8 years old. So Bob is 16.',
        'Bob is older than Ann.',
      ]),
    ).toEqual(['unknown', 'correct', 'incorrect'])
    const prices = 'A pen costs $3 more than a pencil. A pencil costs half as much as a ruler. How much is a pen?'
    expect(
      await verdictsOf(constraintSatisfaction, prices, [
        'The ruler costs $4.',
        'The pen costs more than the pencil.',
        'The pencil costs $2 more than the pen.',
      ]),
    ).toEqual(['unknown', 'correct', 'incorrect'])
    const counts = 'Mia has 4 fewer apples than Noa. Noa has three times as many apples as Mia. Who has more apples?'
    expect(
      await verdictsOf(constraintSatisfaction, counts, [
        'Mia has 2 apples.',
        'Noa has 6 apples.',
        'Mia and Noa have 9 apples together.',
      ]),
    ).toEqual(['correct', 'correct', 'incorrect'])
  })

  it('does not read word problems that say more than such facts', () => {
    expect(constraintSatisfaction.applies(traceOf(AGES, []))).toBe(true)
    expect(
      constraintSatisfaction.applies(traceOf('Ann has 5 apples. She gives two of them to Bob. How many are left?', [])),
    ).toBe(false)
  })
})

describe('solvers', () => {
  it('Z3 and enumeration agree on any facts about an order', async () => {
    const names = ['p', 'q', 'r', 's']
    const byOrder = orderSolver(names)
    const byZ3 = z3Solver('integer', placesOf(names))
    const fact: fc.Arbitrary<Linear> = fc
      .tuple(
        fc.nat(3),
        fc.nat(3),
        fc.integer({ min: -3, max: 4 }),
        fc.constantFrom<Linear['relation'][]>('=', '<', '<=', '!='),
      )
      .map(([a, b, constant, relation]) => ({
        terms: new Map(
          a === b
            ? [[names[a] ?? '', 1]]
            : [
                [names[a] ?? '', 1],
                [names[b] ?? '', -1],
              ],
        ),
        relation,
        constant,
        says: '',
      }))
    const either = fc.oneof(
      fact,
      fc.tuple(fact, fact).map(([a, b]) => ({ ...a, or: [b] })),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(either, { maxLength: 3 }), either, async (premises, claim) => {
        expect(await byZ3.standing(premises, claim)).toBe(await byOrder.standing(premises, claim))
      }),
      { numRuns: 15 },
    )
  })

  it('Z3 decides orders that are too long to enumerate', async () => {
    const colours = ['red', 'blue', 'green', 'gray', 'pink', 'white', 'black', 'brown', 'teal', 'plum']
    const prompt = `On a shelf, there are ten books: ${colours.map((c) => `a ${c} book`).join(', ')}.\nThe red book is the leftmost.\nThe blue book is to the right of the green book.`
    const steps = [
      'The red book is the leftmost. So from left to right: first is the red book.',
      'The blue book is to the right of the green book, so the blue book cannot be the second from the left.',
      'The green book is the second from the left.',
    ]
    expect(await verdictsOf(constraintSatisfaction, prompt, steps)).toEqual(['correct', 'correct', 'incorrect'])
  })
})
