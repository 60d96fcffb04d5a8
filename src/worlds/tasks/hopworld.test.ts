import { describe, expect, it } from 'vitest'
import type { Problem } from '../../core/words.ts'
import { hopworld, search } from './hopworld.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(hopworld)

describe('HopWorld', () => {
  const facts: [string, string, string][] = [
    ['Tavon', 'birthplace', 'Kelodale'],
    ['Rimos', 'birthplace', 'Kelodale'],
    ['Kelodale', 'mayor', 'Rimos'],
    ['Tavon', 'mentor', 'Rimos'],
  ]
  const prompt = 'Name the mayor of the birthplace of Tavon.'
  const graph: Problem = { id: 'p', prompt, context: [{ kind: 'graph', triples: facts }] }
  const text = facts.map(([subject, relation, object]) => `The ${relation} of ${subject} is ${object}.`).join(' ')
  const documents: Problem = { id: 'q', prompt, context: [{ kind: 'documents', documents: [{ id: 'd', text }] }] }
  const solution = [
    'search: Tavon | birthplace',
    'found: Kelodale',
    'search: Kelodale | mayor',
    'found: Rimos',
    '=Rimos',
  ]

  for (const problem of [graph, documents]) {
    const verdicts = (steps: string[]) =>
      hopworld.oracle(problem, steps, { slip: 0, recovery: 0 }).map((t) => [t.correct, t.value])

    it(`searches and judges in ${problem.context?.[0]?.kind}`, () => {
      expect(search(problem, 'Tavon | birthplace')).toBe('Kelodale')
      expect(search(problem, 'Tavon | mayor')).toBe('nothing')
      expect(search(problem, 'anything')).toBe('nothing')
      expect(verdicts(solution)).toEqual(solution.map(() => [true, 1]))
    })

    it('a wrong search that leads to the right place is wrong and harmless', () => {
      expect(verdicts(['search: Rimos | birthplace', 'found: Kelodale'])).toEqual([
        [false, 1],
        [true, 1],
      ])
    })

    it('a made-up observation is wrong, going on from it is not', () => {
      expect(
        verdicts(['search: Tavon | birthplace', 'found: Rimos', 'search: Rimos | mayor', 'found: nothing']),
      ).toEqual([
        [true, 1],
        [false, 0],
        [true, 0],
        [true, 0],
      ])
    })
  }

  it('search wants a problem with a world', () => {
    expect(() => search({ id: 'r', prompt }, 'Tavon | mentor')).toThrow(/GRD-WORLD-001/)
  })
})
