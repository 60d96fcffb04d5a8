import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bracketStack } from './bracket-stack.ts'
import { findingsOf, firstWrong, surviveGarbage, traceOf, verdictsOf } from './traces-for-tests.ts'

const PROMPT = '[ { ( ) <'
const RIGHT = [
  'We go through the symbols and keep a stack.',
  'stack: empty',
  '[ ; stack: [',
  '{ ; stack: [ {',
  '( ; stack: [ { (',
  ') ; stack: [ {',
  '< ; stack: [ { <',
  'Now we have reached the end. The final stack is "[ { <".',
  'We will need to pop out "<", "{", "[" one by one in that order.',
  'So we need ">", "}", "]". So the answer is > } ]',
]
const withStep = (i: number, text: string): string[] => RIGHT.map((s, k) => (k === i ? text : s))

describe('bracket-stack', () => {
  it('follows a right stack to the answer', async () => {
    expect(await verdictsOf(bracketStack, PROMPT, RIGHT)).toEqual(['unknown', ...Array<string>(9).fill('correct')])
  })

  it.each([
    ['a symbol that is not the next one', 3, '( ; stack: [ (', 'symbol 2 of the input is {, not ('],
    ['a stack that lost its bottom', 3, '{ ; stack: {', 'after { the stack is [ {, not {'],
    ['a closing bracket that does not pop', 5, ') ; stack: [ { (', 'after ) the stack is [ {, not [ { ('],
    [
      'an end that comes too early',
      6,
      'We have reached the end. The final stack is "[ {".',
      'the input has not ended: symbol 5 of 5 is <',
    ],
    ['another final stack', 7, 'The final stack is "[ {".', 'the stack is [ { <, not [ {'],
    [
      'a list in the wrong order',
      8,
      'We will need to pop out "[", "{", "<".',
      'what is still open, from the top, is < { [, not [ { <',
    ],
    ['a missing closer', 9, 'So we need ">", "}".', 'what closes it is > } ], not > }'],
    ['a wrong answer', 9, 'The answer is > ] }', 'the answer is > } ], not > ] }'],
  ])('finds %s at its step', async (_, step, text, reason) => {
    const findings = await findingsOf(bracketStack, PROMPT, withStep(step, text))
    expect(findings.findIndex((f) => f.verdict === 'incorrect')).toBe(step)
    expect(findings[step]?.reason).toBe(reason)
    expect(findings.slice(step + 1).every((f) => f.verdict === 'unknown')).toBe(true)
  })

  it('reads other wordings', async () => {
    const prompt = 'Close the brackets properly. Input: ( [ ]'
    const steps = [
      'Read (. The stack is now (.',
      'Push [ so the stack becomes ( [',
      '] pops [; stack is now (',
      'Answer: )',
    ]
    expect(await verdictsOf(bracketStack, prompt, steps)).toEqual(['correct', 'correct', 'correct', 'correct'])
    expect(await firstWrong(bracketStack, prompt, [...steps.slice(0, 2), '] ; stack = ( [', 'Answer: )'])).toBe(2)
  })

  it('reads the answer up to the first word after it', async () => {
    expect((await verdictsOf(bracketStack, '( [', ['So the answer is ] )\nQ: Now close ( {']))[0]).toBe('correct')
    expect((await verdictsOf(bracketStack, '( [', ['So the answer is ] ) as ( is open']))[0]).toBe('correct')
  })

  it('does not judge what stands after a step that it cannot read, but for the answer', async () => {
    const steps = ['[ ; stack: [', 'Then { and ( and ) come and go.', '< ; stack: [ { <', 'The answer is > } ]']
    expect(await verdictsOf(bracketStack, PROMPT, steps)).toEqual(['correct', 'unknown', 'unknown', 'correct'])
  })

  it('applies to bracket problems only', () => {
    expect(bracketStack.applies(traceOf('( [', []))).toBe(true)
    expect(bracketStack.applies(traceOf('function f() {\n}\n', []))).toBe(false)
    expect(bracketStack.applies(traceOf('How much is (3 + 4) * 2?', []))).toBe(false)
  })

  it('survives garbage', async () => {
    expect(await surviveGarbage(bracketStack, [PROMPT, ') ) )'])).toBeGreaterThan(100)
  })

  it('accepts every right replay and finds a changed stack exactly where it is', async () => {
    const pairs = { '(': ')', '[': ']', '{': '}', '<': '>' } as const
    const openers = Object.keys(pairs) as (keyof typeof pairs)[]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(7), { minLength: 2, maxLength: 25 }), fc.nat(), async (choices, where) => {
        const input: string[] = []
        const stacks: string[][] = []
        const stack: (keyof typeof pairs)[] = []
        for (const c of choices) {
          const top = stack.at(-1)
          if (c >= 4 && top !== undefined) {
            stack.pop()
            input.push(pairs[top])
          } else {
            const opener = openers[c % 4] ?? '('
            stack.push(opener)
            input.push(opener)
          }
          stacks.push([...stack])
        }
        const show = (s: readonly string[]): string => (s.length === 0 ? 'empty' : s.join(' '))
        const steps = input.map((symbol, i) => `${symbol} ; stack: ${show(stacks[i] ?? [])}`)
        const answer = [...stack].reverse().map((b) => pairs[b])
        const whole = [...steps, `The final stack is "${show(stack)}".`, `So the answer is ${answer.join(' ')}`]
        expect(await firstWrong(bracketStack, input.join(' '), whole)).toBe(-1)
        const at = where % steps.length
        const wrong = whole.map((s, i) =>
          i === at ? `${input[at]} ; stack: ${show([...(stacks[at] ?? []), '('])}` : s,
        )
        expect(await firstWrong(bracketStack, input.join(' '), wrong)).toBe(at)
      }),
      { numRuns: 150 },
    )
  })
})
