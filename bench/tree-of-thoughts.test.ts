import { describe, expect, it } from 'vitest'
import { noData } from '../src/testing/data.ts'
import { readLog, replay } from './tree-of-thoughts.ts'

describe.skipIf(noData('tree-of-thoughts'))(
  'the logged tree-of-thoughts run (skipped where GRADUS_DATA has no tree-of-thoughts)',
  () => {
    it('is selected again state by state, and the same 69 of 100 puzzles are solved, 62 by the top state', async () => {
      const done = await Promise.all(readLog().map(replay))
      expect(done).toHaveLength(100)
      for (const one of done) expect([one.idx, one.selected]).toEqual([one.idx, one.logged])
      expect(done.map(({ solved }) => solved)).toEqual(done.map(({ loggedSolved }) => loggedSolved))
      expect(done.filter(({ solved }) => solved.any)).toHaveLength(69)
      expect(done.filter(({ solved }) => solved.top)).toHaveLength(62)
    })
  },
)
