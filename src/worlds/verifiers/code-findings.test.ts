import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameOutput } from './code-findings.ts'

describe('sameOutput', () => {
  it.each([
    ['1\n2', '1\n2\n', true],
    ['1  \n2', '1\n2', true],
    ['0.30000000000000004', '0.3000000000000001', true],
    ['total 1.5 m', 'total  1.5 m', true],
    ['0.30', '0.31', false],
    ['1', '1.0', false],
    ['1\n\n2', '1\n2', false],
    ['1 2', '1\n2', false],
    ['', '', true],
    ['', '0', false],
  ])('%j and %j: %s', (stated, real, same) => {
    expect(sameOutput(stated, real)).toBe(same)
    expect(sameOutput(real, stated)).toBe(same)
  })

  it('is reflexive, and true under added white space at line ends', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(sameOutput(text, text)).toBe(true)
        expect(sameOutput(text, `${text.replaceAll('\n', ' \n')}\n`)).toBe(true)
      }),
    )
  })
})
