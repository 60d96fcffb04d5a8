import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Draft, emptyDraft, hasSaid, opine, sayFirstError, takeNote, undo } from './draft.ts'

describe('a draft of labels', () => {
  it('never says that a step is right and the first wrong one', () => {
    const first = sayFirstError(emptyDraft(3), 1)
    expect(first).toMatchObject({ labels: [null, 'incorrect', null], firstError: 1 })
    expect(opine(first, 1, 'correct')).toMatchObject({ labels: [null, 'correct', null], firstError: null })
  })

  it('never keeps a wrong step before the first wrong one, or in a clean trace', () => {
    const wrong = opine(emptyDraft(3), 0, 'incorrect')
    expect(sayFirstError(wrong, 2).labels).toEqual([null, null, 'incorrect'])
    expect(sayFirstError(wrong, -1)).toMatchObject({ labels: [null, null, null], firstError: -1 })
    expect(opine(sayFirstError(wrong, -1), 2, 'incorrect').firstError).toBeNull()
  })

  it('tells unsure from not looked at', () => {
    const draft = opine(emptyDraft(2), 0, 'unsure')
    expect(draft.labels).toEqual(['unsure', null])
    expect(hasSaid(draft)).toBe(true)
    expect(hasSaid(emptyDraft(2))).toBe(false)
  })

  it('undoes everything, step by step, back to nothing; a typed note is one step', () => {
    const acts = fc.array(
      fc.oneof(
        fc.tuple(fc.constant('opine'), fc.nat(2)),
        fc.tuple(fc.constant('first'), fc.integer({ min: -1, max: 2 })),
        fc.tuple(fc.constant('note'), fc.nat(9)),
      ),
    )
    fc.assert(
      fc.property(acts, (list) => {
        let draft: Draft = emptyDraft(3)
        for (const [act, n] of list) {
          if (act === 'opine') draft = opine(draft, n, n === 1 ? 'incorrect' : 'correct')
          else if (act === 'first') draft = sayFirstError(draft, n)
          else draft = takeNote(draft, `note ${n}`)
        }
        for (let i = draft.past.length; i > 0; i--) draft = undo(draft)
        expect(draft).toEqual(emptyDraft(3))
        expect(undo(draft)).toBe(draft)
      }),
    )
    const typed = takeNote(takeNote(emptyDraft(1), 'a'), 'ab')
    expect(undo(typed).note).toBe('')
  })
})
