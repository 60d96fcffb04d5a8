import { describe, expect, it } from 'vitest'
import { searchContext } from './context.ts'
import { diverseTree } from './diverse-tree.ts'
import { answerOf, byNumber, PROBLEM, scripted } from './scripted.testing.ts'
import { solveWith } from './search.ts'
import { stepBeam } from './step-beam.ts'

/** The favourite of the first step leads nowhere; a beam fills with its children. */
const TABLE = {
  '': ['fine90', 'fine91', 'plain50', 'plain51'],
  fine90: ['=no05', '=no06'],
  fine91: ['=no05', '=no06'],
  plain50: ['=yes70', '=yes71'],
  plain51: ['=yes70', '=yes71'],
}
const context = () => searchContext({ problem: PROBLEM, policy: scripted(TABLE), reward: byNumber, answerOf })

describe('diverse-tree', () => {
  it('keeps one line of each tree, where a beam has only the favourites left', async () => {
    expect((await solveWith(stepBeam, context(), { k: 4, beam: 2 })).answer).toBe('no06')
    const found = await solveWith(diverseTree, context(), { k: 4, width: 2 })
    expect(found.answer).toBe('yes71')
    expect(found.candidates.map((c) => c.trace.answer)).toEqual(['no06', 'yes71'])
    expect(found.usage.calls).toBe(8)
  })

  it('refuses a k that the width does not divide', async () => {
    await expect(solveWith(diverseTree, context(), { k: 7, width: 3 })).rejects.toMatchObject({
      code: 'GRD-SEARCH-001',
      expected: 'a multiple of 3: k=6 or k=9',
    })
  })
})
