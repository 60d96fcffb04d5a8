import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatRoute, HOME, parseRoute } from './route.ts'

describe('addresses', () => {
  it('restore what was seen, whatever is in it', () => {
    const word = fc.string({ minLength: 1 })
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1 }),
        fc.dictionary(word, word, { noNullPrototype: true }),
        (path, query) => {
          expect(parseRoute(formatRoute(path, query))).toEqual({ path, query })
        },
      ),
    )
  })

  it('lead home when they are empty or broken, and never throw', () => {
    expect(parseRoute('')).toEqual(HOME)
    expect(parseRoute('#/')).toEqual(HOME)
    expect(parseRoute('#/trace/%E0%A4%A').path).toEqual(['trace', '%E0%A4%A'])
  })

  it('leave out what is empty', () => {
    expect(formatRoute(['traces'], { q: '', sort: undefined, at: 0 })).toBe('#/traces?at=0')
  })
})
