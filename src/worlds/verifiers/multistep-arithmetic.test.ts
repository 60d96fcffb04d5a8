import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arithmeticRuns, evaluate, write } from './bracketed-arithmetic.ts'
import { multistepArithmetic } from './multistep-arithmetic.ts'
import { findingsOf, firstWrong, surviveGarbage, traceOf, verdictsOf } from './traces-for-tests.ts'

const PROMPT = '((3 - -4 * 2) * (5 + 1 - 9)) ='
const RIGHT = [
  'This equation can be written as "A * B", where A = (3 - -4 * 2) and B = (5 + 1 - 9).',
  "Let's calculate A = (3 - -4 * 2) = (3 - (-8)) = 3 + 8 = 11.",
  "Let's calculate B = (5 + 1 - 9) = (6 - 9) = -3.",
  'Then, the final equation is A * B = 11 * -3 = -33. So the answer is -33',
]
const withStep = (i: number, text: string): string[] => RIGHT.map((s, k) => (k === i ? text : s))

describe('multistep-arithmetic', () => {
  it('follows right rewriting to the answer', async () => {
    expect(await verdictsOf(multistepArithmetic, PROMPT, RIGHT)).toEqual(['correct', 'correct', 'correct', 'correct'])
  })

  it('reads equations of several lines in one step as one each', async () => {
    const text = '17+28=45\n\n45-5=40\n\n=40'
    expect(arithmeticRuns('17+28=45\n45-5=40').map(write)).toEqual(['17 + 28 = 45', '45 - 5 = 40'])
    // A line that goes on, and one that is broken off, belong to the same.
    expect(arithmeticRuns('(1 + 2\n+ 3) =\n6').map(write)).toEqual(['(1 + 2 + 3) = 6'])
    expect(await verdictsOf(multistepArithmetic, '17 + 28 - 5', [text])).toEqual(['correct'])
    expect(await verdictsOf(multistepArithmetic, '17 + 28 - 5', [text.replace('=45', '=35')])).toEqual(['incorrect'])
  })

  it.each([
    ['a sign that gets lost', 1, 'A = (3 - -4 * 2) = (3 - 8) = -5.', '(3 - -4 * 2) is 11, but (3 - 8) is -5'],
    ['two wrongs that cancel', 1, 'A = (3 - -4 * 2) = (3 - 8) = 11.', '(3 - -4 * 2) is 11, but (3 - 8) is -5'],
    ['a part copied wrongly', 1, 'A = (3 - 4 * 2) = 3 - 8 = -5.', 'A is 11, but (3 - 4 * 2) is -5'],
    ['a wrong sum at the end of a chain', 2, 'B = (5 + 1 - 9) = 6 - 9 = -4.', '6 - 9 is -3, but -4 is -4'],
    ['a part taken up with another value', 3, 'A * B = 11 * 3 = 33.', 'A * B is -33, but 11 * 3 is 33'],
    [
      'an answer that is not the last value',
      3,
      'A * B = 11 * -3 = -33. So the answer is 33',
      'the problem is -33, so the answer is not 33',
    ],
  ])('finds %s at its step', async (_, step, text, reason) => {
    const findings = await findingsOf(multistepArithmetic, PROMPT, withStep(step, text))
    expect(findings.findIndex((f) => f.verdict === 'incorrect')).toBe(step)
    expect(findings[step]?.reason).toBe(reason)
  })

  it.each([
    [
      'that has another value',
      'It is "A + B", where A = (3 - -4 * 2) and B = (5 + 1 - 9).',
      'with these parts A + B is 8, but the problem is -33',
    ],
    [
      'with parts that nobody defines',
      'It is "A * B * C", where A = (3 - -4 * 2) and B = (5 + 1 - 9).',
      'the plan A * B * C does not say what C is',
    ],
    [
      'with a part that is none',
      'It is "A * B", where A = (3 - 4 * 2) and B = (5 + 1 - 9).',
      '(3 - 4 * 2) is no part of the problem',
    ],
  ])('leaves a trace undecided after a plan %s', async (_, plan, why) => {
    const findings = await findingsOf(multistepArithmetic, PROMPT, withStep(0, plan))
    expect(findings.map((f) => f.verdict)).toEqual(['unknown', 'unknown', 'unknown', 'unknown'])
    expect(findings[0]?.reason).toBe(`restates the problem differently: ${why}`)
  })

  it('reads chains without names, other signs and other words', async () => {
    const steps = ['First, −4 × 2 = −8.', 'So 3 − (−8) = 11, and 5 + 1 − 9 = −3.', '11 × −3 = −33', 'Answer: -33.']
    expect(await verdictsOf(multistepArithmetic, 'Compute (3 − −4 × 2) × (5 + 1 − 9).', steps)).toEqual([
      'correct',
      'correct',
      'correct',
      'correct',
    ])
    expect(await firstWrong(multistepArithmetic, 'Compute (3 − −4 × 2) × (5 + 1 − 9).', ['4 × 2 = 6.'])).toBe(0)
  })

  it('applies to expressions, not to word problems', () => {
    expect(multistepArithmetic.applies(traceOf(PROMPT, []))).toBe(true)
    expect(
      multistepArithmetic.applies(
        traceOf(
          'Ann buys 3 + 4 + 5 apples and eats 2 * 2 of them with her seven friends on the market. How many are left?',
          [],
        ),
      ),
    ).toBe(false)
    expect(multistepArithmetic.applies(traceOf('3 + 4', []))).toBe(false)
  })

  it('survives garbage', async () => {
    expect(await surviveGarbage(multistepArithmetic, [PROMPT])).toBeGreaterThan(100)
  })
})

type Expression = { text: string; value: number }
const leaf: fc.Arbitrary<Expression> = fc.integer({ min: -9, max: 9 }).map((n) => ({ text: String(n), value: n }))
const expression = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node')).map(([a, op, b]) => ({
      text: `(${a.text} ${op} ${b.text})`,
      value: op === '+' ? a.value + b.value : op === '-' ? a.value - b.value : a.value * b.value,
    })),
  ),
})).node

describe('evaluate', () => {
  const resultOf = (text: string): number | null => evaluate(arithmeticRuns(text)[0] ?? [], new Map())

  it.each([
    ['2 + 3 * 4', 14],
    ['2 - 3 - 4', -5],
    ['-2 - -3', 1],
    ['8 / 4 / 2', 1],
    ['2 ^ 3 ^ 2', 512],
    ['-(2 + 3)', -5],
    ['2(3 + 4)', 14],
    ['((1 + 2)', 3],
    ['1.5 * 2', 3],
    ['1 / 0', null],
    ['1 +', null],
    ['3 4', null],
  ])('%s', (text, value) => {
    expect(resultOf(text)).toBe(value)
  })

  it('agrees with the tree that an expression was made from, and with what it writes back', () => {
    fc.assert(
      fc.property(expression, ({ text, value }) => {
        const tokens = arithmeticRuns(text)[0] ?? []
        expect(evaluate(tokens, new Map())).toBeCloseTo(value, 6)
        expect(evaluate(arithmeticRuns(write(tokens))[0] ?? [], new Map())).toBeCloseTo(value, 6)
      }),
    )
  })

  it('accepts right chains over any expressions and finds a wrong value exactly where it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        expression,
        expression,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 2 }),
        async (a, b, off, at) => {
          const prompt = `((${a.text} + 1 - 1) + (${b.text} + 1 - 1)) =`
          const steps = (wrong: number): string[] => {
            const x = a.value + (wrong === 0 ? off : 0)
            const y = b.value + (wrong === 1 ? off : 0)
            const z = a.value + b.value + (wrong === 2 ? off : 0)
            return [
              `A = (${a.text} + 1 - 1) = ${a.value} + 1 - 1 = ${x}.`,
              `B = (${b.text} + 1 - 1) = ${b.value} + 1 - 1 = ${y}.`,
              `A + B = ${a.value} + ${b.value} = ${z}. So the answer is ${z}`,
            ]
          }
          expect(await firstWrong(multistepArithmetic, prompt, steps(-1))).toBe(-1)
          expect(await firstWrong(multistepArithmetic, prompt, steps(at))).toBe(at)
        },
      ),
      { numRuns: 150 },
    )
  })
})
