import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { objectTracking } from './object-tracking.ts'
import { findingsOf, firstWrong, surviveGarbage, traceOf, verdictsOf } from './traces-for-tests.ts'

const PROMPT = `Nora, Omar, and Pia are trading books. At the start, Nora has The Hobbit, Omar has War and Peace, and Pia has Dune.
First, Nora and Omar swap books. Then, Pia and Nora swap books. At the end, Nora has
Options:
(A) The Hobbit.
(B) War and Peace.
(C) Dune.`
const RIGHT = [
  'At the start: Nora: Hobbit, Omar: War and Peace, Pia: Dune.',
  'Nora and Omar swap books: Nora: War and Peace, Omar: Hobbit, Pia: Dune.',
  'Pia and Nora swap books: Nora: Dune, Omar: Hobbit, Pia: War and Peace.',
  'At the end, Nora has Dune. So the answer is (C)',
]
const withStep = (i: number, text: string): string[] => RIGHT.map((s, k) => (k === i ? text : s))

describe('object-tracking', () => {
  it('follows right exchanges to the answer', async () => {
    expect(await verdictsOf(objectTracking, PROMPT, RIGHT)).toEqual(['correct', 'correct', 'correct', 'correct'])
  })

  it.each([
    [
      'a wrong holder',
      1,
      'Nora and Omar swap: Nora: Hobbit, Omar: War and Peace, Pia: Dune.',
      'Nora and Omar exchange what they hold, so Nora holds War and Peace, not Hobbit',
    ],
    [
      'a thing in two hands',
      2,
      'Pia and Nora swap: Nora: Dune, Omar: Hobbit, Pia: Dune.',
      'Pia and Nora exchange what they hold, so Pia holds War and Peace, not Dune',
    ],
    [
      'a skipped exchange',
      1,
      'Pia and Nora swap: Nora: Dune, Omar: War and Peace, Pia: Hobbit.',
      'exchange 1 is between Nora and Omar, not Pia and Nora',
    ],
    [
      'a repeated exchange',
      2,
      'Nora and Omar swap: Nora: Hobbit, Omar: War and Peace, Pia: Dune.',
      'exchange 2 is between Pia and Nora, not Nora and Omar',
    ],
    ['a partner left out', 2, 'Pia and Nora swap: Nora: Dune, Omar: Hobbit.', 'the list leaves out what Pia now holds'],
    [
      'a thing that nobody has',
      1,
      'Nora and Omar swap: Nora: Moby Dick, Omar: Hobbit, Pia: Dune.',
      'Nora and Omar exchange what they hold, so Nora holds War and Peace, not Moby Dick',
    ],
    [
      'a wrong end',
      3,
      'At the end, Nora has War and Peace. So the answer is (B)',
      'Nora holds Dune, not War and Peace',
    ],
    ['a wrong option', 3, 'So the answer is (A)', 'at the end Nora holds Dune, so the answer is not The Hobbit.'],
  ])('finds %s at its step', async (_, step, text, reason) => {
    const findings = await findingsOf(objectTracking, PROMPT, withStep(step, text))
    expect(findings.findIndex((f) => f.verdict === 'incorrect')).toBe(step)
    expect(findings[step]?.reason).toBe(reason)
  })

  it('leaves a trace undecided that starts from another problem', async () => {
    const findings = await findingsOf(
      objectTracking,
      PROMPT,
      withStep(0, 'At the start: Nora: Dune, Omar: War and Peace, Pia: Hobbit.'),
    )
    expect(findings.map((f) => f.verdict)).toEqual(['unknown', 'unknown', 'unknown', 'unknown'])
    expect(findings[0]?.reason).toContain('restates the problem differently')
  })

  it('tells a wrong start from a first exchange by what it is nearer to', async () => {
    const wrongStart = await findingsOf(objectTracking, PROMPT, [
      'N: Hobbit, O: Dune, P: War',
      'N: War, O: Hobbit, P: Dune',
    ])
    expect(wrongStart.map((f) => f.verdict)).toEqual(['unknown', 'unknown'])
    expect(await verdictsOf(objectTracking, PROMPT, ['N: War, O: Hobbit', 'P: War, N: Dune'])).toEqual([
      'correct',
      'correct',
    ])
  })

  it('reads initials, sentences, exchanges without a list, and lists without an exchange', async () => {
    for (const steps of [
      [
        'N: Hobbit, O: War, P: Dune',
        'N: War, O: Hobbit, P: Dune',
        'N: Dune, O: Hobbit, P: War',
        'So the answer is (C)',
      ],
      [
        'Nora swaps her book with Omar: Nora: War and Peace, Omar: Hobbit.',
        "Pia trades Dune with Nora's War and Peace: Pia: War and Peace, Nora: Dune.",
        'So the answer is (C)',
      ],
      ['N O: N War, O Hobbit', 'P N: P War, N Dune', 'So the answer is (C)'],
      [
        'Nora and Omar trade: Nora has War and Peace, Omar has The Hobbit, and Pia has Dune.',
        'Pia and Nora then switch: Pia has War and Peace and Nora has Dune.',
        'The answer is Dune.',
      ],
      [
        'Nora and Omar swap books, Pia and Nora swap books.',
        'Nora has Dune, Omar has The Hobbit, Pia has War and Peace.',
        'So the answer is (C)',
      ],
    ]) {
      expect(await verdictsOf(objectTracking, PROMPT, steps), steps[0]).toEqual(steps.map(() => 'correct'))
    }
  })

  it('wants a list without a named exchange to be complete', async () => {
    const steps = ['N: Hobbit, O: War, P: Dune', 'N: War, O: Hobbit, P: Dune', 'N: Dune, P: War']
    expect(await firstWrong(objectTracking, PROMPT, steps)).toBe(-1)
    expect(await firstWrong(objectTracking, PROMPT, [...steps.slice(0, 2), 'N: Dune, O: Hobbit'])).toBe(2)
  })

  it('applies to series of exchanges only', () => {
    expect(objectTracking.applies(traceOf(PROMPT, []))).toBe(true)
    expect(objectTracking.applies(traceOf('Nora and Omar swap books. Who is happier?', []))).toBe(false)
    expect(objectTracking.applies(traceOf('How many apples has Pia?', []))).toBe(false)
  })

  it('survives garbage', async () => {
    expect(await surviveGarbage(objectTracking, [PROMPT])).toBeGreaterThan(100)
  })

  it('accepts every right replay and finds an exchanged pair of holdings exactly where it is', async () => {
    const people = ['Ida', 'Jon', 'Kim', 'Lea', 'Max']
    const things = ['red', 'blue', 'green', 'white', 'black']
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.array(fc.tuple(fc.nat(4), fc.nat(3)), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        async (n, raw, where) => {
          const held = things.slice(0, n)
          const list = (): string => held.map((t, i) => `${people[i]}: ${t}`).join(', ')
          const start = held.map((t, i) => `${people[i]} has a ${t} ball`).join(', ')
          const exchanges = raw.map(([a, b]) => [a % n, (a + 1 + (b % (n - 1))) % n] as const)
          const said = exchanges.map(([a, b]) => `${people[a]} and ${people[b]}`)
          const prompt = `They play. At the start, ${start}. ${said.map((s) => `Then, ${s} swap balls.`).join(' ')} At the end, Ida has the`
          const steps = [`At the start: ${list()}.`]
          const wrongs: string[] = []
          exchanges.forEach(([a, b], i) => {
            const before = [...held]
            held[a] = before[b] ?? ''
            held[b] = before[a] ?? ''
            steps.push(`${said[i]} swap balls: ${list()}.`)
            const kept = [...held]
            held.splice(0, n, ...before)
            wrongs.push(`${said[i]} swap balls: ${list()}.`)
            held.splice(0, n, ...kept)
          })
          expect(await firstWrong(objectTracking, prompt, steps)).toBe(-1)
          const at = 1 + (where % exchanges.length)
          expect(
            await firstWrong(
              objectTracking,
              prompt,
              steps.map((s, i) => (i === at ? (wrongs[at - 1] ?? '') : s)),
            ),
          ).toBe(at)
        },
      ),
      { numRuns: 150 },
    )
  })
})
