import { describe, expect, it } from 'vitest'
import { distinctRows, spread } from './distinct-rows.ts'
import { filterItems, voteShares, votesOfRows, votesOfTraces } from './votes.ts'

describe('vote matrix', () => {
  it('places the votes of each source by trace and step, and leaves silence out', () => {
    const votes = votesOfTraces(
      ['right', 'wrong'],
      [
        { id: 'a', steps: 2 },
        { id: 'b', steps: 1 },
      ],
      new Map([
        ['one', new Map([['a', ['right', null]]])],
        [
          'two',
          new Map([
            ['b', ['wrong']],
            ['a', ['wrong']],
            ['elsewhere', ['right']],
          ]),
        ],
      ]),
    )
    expect([...votes.votes]).toEqual([0, 1, -1, -1, -1, 1])
    expect([...votes.trace]).toEqual([0, 0, 1])
    expect([...votes.step]).toEqual([0, 1, 0])
    expect([...voteShares(votes)]).toEqual([1 / 3, 2 / 3])
    expect([...filterItems(votes, (i) => i !== 1).votes]).toEqual([0, 1, -1, 1])
  })

  it('refuses what cannot be merged, with the place', () => {
    const traces = [{ id: 'a', steps: 1 }]
    const from = (labels: (string | null)[]) =>
      votesOfTraces(['right', 'wrong'], traces, new Map([['judge', new Map([['a', labels]])]]))
    expect(() => from(['maybe'])).toThrow(/GRD-LABEL-003.*vote maybe/)
    expect(() => from(['right', 'right'])).toThrow(/2 labels of judge for a/)
    expect(() => votesOfTraces(['right', 'wrong'], [...traces, ...traces], new Map([['judge', new Map()]]))).toThrow(
      /trace a twice/,
    )
    expect(() => votesOfRows(['x', 'y'], ['s'], [[0, 1]])).toThrow(/row 0 with 2 votes/)
    expect(() => votesOfRows(['x', 'y'], ['s'], [[2]])).toThrow(/vote 2/)
    expect(() => votesOfRows(['x', 'x'], ['s'], [])).toThrow(/classes x, x/)
    expect(() => votesOfRows(['x', 'y'], [], [])).toThrow(/sources/)
  })

  it('groups equal rows only, and finds each item again', () => {
    const rows = Array.from({ length: 3 ** 9 * 2 }, (_, i) =>
      [...(i % 3 ** 9).toString(3).padStart(9, '0')].map(Number),
    )
    const votes = votesOfRows(['x', 'y', 'z'], [...'abcdefghi'], rows)
    const grouped = distinctRows(votes)
    expect(grouped.rows).toBe(3 ** 9)
    expect(grouped.count.every((n) => n === 2)).toBe(true)
    const back = spread(Float64Array.from(grouped.votes), grouped.rowOf, 9)
    expect(back.every((v, i) => v === votes.votes[i])).toBe(true)
    const gold = new Int8Array(votes.items).fill(-1)
    gold[0] = 2
    expect(distinctRows(votes, gold).rows).toBe(3 ** 9 + 1)
  })
})
