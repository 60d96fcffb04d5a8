import { expect, it } from 'vitest'
import type { Step } from '../../../../core/words.ts'
import { parting } from './part.ts'

const steps = (...texts: string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))

it('names the first step that differs, and the word at which it begins to', () => {
  expect(parting(steps('a', 'so 12 apples', 'c'), steps('a ', 'so 13 apples', 'c'))).toEqual({ step: 1, after: 'so' })
})

it('says where the longer of two goes on alone, and that equal ones never part', () => {
  expect(parting(steps('a'), steps('a', 'b'))).toEqual({ step: 1, after: '' })
  expect(parting(steps('a', 'b'), steps('a', 'b'))).toEqual({ step: null, after: '' })
})

it('sees that the same words with another tool call are another step', () => {
  const call = (input: string): Step[] => [{ text: 'look', kind: 'action', action: { tool: 'search', input } }]
  expect(parting(call('x'), call('y')).step).toBe(0)
})
