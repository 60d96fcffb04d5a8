import { describe, expect, it } from 'vitest'
import { equal } from './equal.ts'
import { TROUBLE_PAIRS } from './trouble-pairs.ts'

describe('equal on pairs that graders are known to get wrong', () => {
  for (const { a, b, truth, source } of TROUBLE_PAIRS) {
    it(`${a}  |  ${b}  is ${truth}${source === '' ? '' : ` (${source})`}`, () => {
      expect(equal(a, b)).toMatchObject({ verdict: truth })
      expect(equal(b, a)).toMatchObject({ verdict: truth })
    })
  }
})

describe('equal says unknown', () => {
  it.each([
    ['', '5'],
    ['50%', '50'],
    ['0,5', '0.5'],
    ['1,234', '1, 234'],
    ['(1,2)', '1,2'],
    ['x=5', 'y=5'],
    ['3:00 PM', '3:00'],
    ['101_2', '101'],
    ['5 apples', '5 oranges'],
    ['the butler did it', 'it was the butler'],
    ['1/0', '2/0'],
    [String.raw`\ln(x^2)`, String.raw`2\ln x`],
    ['2^{2^{100}}', '2^{2^{100}}+1'],
    ['f(x) = 0', String.raw`\forall x>0, f(x) = 0`],
    ['B', '17'],
    ['6th', '6'],
    [String.raw`\log 100`, '2'],
    [String.raw`\sin(10^{-30})`, '10^{-30}'],
    [String.raw`\sqrt12`, String.raw`\sqrt{12}`],
  ])('for %s and %s', (a, b) => {
    expect(equal(a, b).verdict).toBe('unknown')
    expect(equal(b, a).verdict).toBe('unknown')
  })
})
