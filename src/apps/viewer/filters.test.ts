import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Condition, formatFilter, NUMBER_FIELDS, parseFilter, TEXT_FIELDS } from './filters.ts'

const ofNumbers: fc.Arbitrary<Condition> = fc.record({
  field: fc.constantFrom(...NUMBER_FIELDS),
  op: fc.constantFrom('lt' as const, 'ge' as const),
  values: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => [String(n)]),
})
const ofTexts: fc.Arbitrary<Condition> = fc.record({
  field: fc.constantFrom(...TEXT_FIELDS, 'tags' as const),
  op: fc.constantFrom('eq' as const, 'ne' as const),
  values: fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 3 }),
})
const filter = fc.array(fc.oneof(ofNumbers, ofTexts), { maxLength: 4 })

describe('filters as text', () => {
  it('come back as they were, whatever their values hold', () => {
    fc.assert(
      fc.property(filter, (conditions) => {
        expect(parseFilter(formatFilter(conditions))).toEqual(conditions)
      }),
    )
  })

  it('are refused where they say nothing that a trace can be asked', () => {
    for (const text of [
      'steps:ge:x',
      'steps:ge:',
      'steps:ge:1|2',
      'nothing:eq:1',
      'steps:like:1',
      'id:ge:a',
      'gold:is:maybe',
      'steps',
    ]) {
      expect([text, parseFilter(text)]).toEqual([text, null])
    }
    expect(parseFilter('')).toEqual([])
    expect(parseFilter('gold:is:none;')).toEqual([{ field: 'gold', op: 'is', values: ['none'] }])
  })
})
