import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, contentHash } from './hash.ts'

describe('content hash', () => {
  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(contentHash(reversed)).toBe(contentHash(value))
      }),
    )
  })

  it('keeps the value: parsing it gives the same back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('leaves out undefined members and refuses what JSON would silently change', () => {
    expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}')
    expect(canonicalJson({ b: [1, undefined, { d: 'x', c: [] }], a: {}, 9: null, 10: true })).toBe(
      '{"10":true,"9":null,"a":{},"b":[1,null,{"c":[],"d":"x"}]}',
    )
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1])
      expect(() => canonicalJson({ bad })).toThrow('GRD-CORE-001')
  })

  it('refuses endless nesting', () => {
    const loop: Record<string, unknown> = {}
    loop.loop = loop
    expect(() => canonicalJson(loop)).toThrow('GRD-CORE-001')
  })
})
