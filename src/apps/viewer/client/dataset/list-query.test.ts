import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FIELDS, TEXT_FIELDS } from '../../filters.ts'
import { conditionText, nextSort, readQuery, setCondition, toggleValue, writeQuery } from './list-query.ts'

it('restores search, filter and order from the address', () => {
  const condition = fc.record({
    field: fc.constantFrom(...TEXT_FIELDS),
    op: fc.constantFrom('eq' as const, 'ne' as const),
    values: fc.array(fc.string(), { minLength: 1 }),
  })
  const query = fc.record({
    q: fc.string(),
    conditions: fc.array(condition),
    sort: fc.constantFrom('', '-steps', 'id'),
  })
  fc.assert(
    fc.property(query, (q) => {
      expect(readQuery(writeQuery(q))).toEqual(q)
    }),
  )
})

it('shows everything for a filter that it cannot read', () => {
  expect(readQuery({ filter: 'nonsense' }).conditions).toEqual([])
})

it('sorts by a field in both directions and then not at all', () => {
  for (const field of FIELDS) {
    const turns = [1, 2, 3].reduce<string[]>((all) => [...all, nextSort(all.at(-1)!, field)], [''])
    expect([...turns].sort()).toEqual(['', '', `-${field}`, field].sort())
    expect(turns.at(-1)).toBe('')
  }
})

it('adds and removes values, and keeps one condition a field and operator', () => {
  const one = toggleValue([], 'generator', 'a')
  const two = toggleValue(one, 'generator', 'b')
  expect(two).toEqual([{ field: 'generator', op: 'eq', values: ['a', 'b'] }])
  expect(toggleValue(toggleValue(two, 'generator', 'a'), 'generator', 'b')).toEqual([])
  const range = setCondition(setCondition([], 'steps', 'ge', ['3']), 'steps', 'ge', ['4'])
  expect(range).toEqual([{ field: 'steps', op: 'ge', values: ['4'] }])
})

it('says conditions in words, with steps counted from one', () => {
  expect(conditionText({ field: 'gold', op: 'eq', values: ['-1', '2'] })).toBe('Gold first wrong step is none or 3')
  expect(conditionText({ field: 'outcome', op: 'is', values: ['none'] })).toBe('Outcome not known')
})
