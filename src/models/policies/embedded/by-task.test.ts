import { afterAll, describe, expect, it } from 'vitest'
import { Engine } from '../../../engine/engine.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { registerProgram } from '../../../worlds/tasks/register-program.ts'
import { embeddedByTask } from './by-task.ts'
import { shippedCards, taskOfText, weightsByTask } from './cards.ts'
import { heldOutProblems, lessonsOf, renderPrompt } from './lessons.ts'
import { embeddedPolicy } from './policy.ts'
import { RECIPES } from './recipes.ts'

const engine = new Engine()
afterAll(() => engine.close())

describe('the embedded policy without a name', () => {
  it('tells the task of every problem by its text alone', () => {
    for (const { task, mark } of RECIPES.flatMap(lessonsOf)) {
      for (const level of task.levels.keys()) {
        for (const problem of task.generate('by-task', level, 30)) {
          const text = renderPrompt(mark, problem)
          expect(taskOfText(text), text).toBe(task.name)
        }
      }
    }
    expect(taskOfText('Write a poem.')).toBeNull()
  })

  it('prefers weights that name a level of the task to those that have merely learnt it', async () => {
    const byTask = weightsByTask(shippedCards())
    expect(byTask.get('register-program')).toBe('registers')
    expect(byTask.get('arithmetic-chain')).toBe('chains')
  })

  it('writes what the weights of the task write by name', async () => {
    const policy = await embeddedByTask({ engine, seed: '3' })
    for (const [task, name] of [[arithmeticChain, 'chains'] as const, [registerProgram, 'registers'] as const]) {
      const [problem] = heldOutProblems(task, 0, 'by-task', 1)
      const named = await embeddedPolicy(name, { engine, seed: '3' })
      const written = await policy.complete(problem!, [], 0)
      const expected = await named.complete(problem!, [], 0)
      if (!written.ok || !expected.ok) throw new Error('nothing was written')
      expect(written.steps).toEqual(expected.steps)
      expect(written.steps.length).toBeGreaterThan(1)
      const [first = ''] = problem!.solution ?? []
      expect(await policy.logprobs?.(problem!, [], [first])).toEqual(await named.logprobs?.(problem!, [], [first]))
      expect(await policy.next(problem!, [], 0)).toMatchObject({ ok: true, end: 'step' })
    }
  })

  it('says which tasks there are where a problem is of none', async () => {
    const policy = await embeddedByTask({ engine })
    const poem = { id: 'x', prompt: 'Write a poem.', domain: 'poetry' }
    const error = { code: 'GRD-WORLD-001', found: 'poetry' }
    expect(await policy.complete(poem, [], 0)).toMatchObject({ ok: false, error })
    expect(await policy.logprobs?.(poem, [], ['a'])).toMatchObject({ ok: false, error })
    expect(await policy.completeMany?.(poem, [], { from: 0, count: 2 })).toHaveLength(2)
  })

  it('needs weights', async () => {
    await expect(embeddedByTask({ engine, root: import.meta.dirname })).rejects.toThrow('GRD-MODEL-004')
  })
})
