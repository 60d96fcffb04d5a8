import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import type { AnnotateContext } from './annotator.ts'
import { subtask, subtasksOf } from './subtask.ts'

const context: AnnotateContext = { seed: '0', allowCode: false, allowLocalExec: false, spend: () => {} }
const reference = ['1+2=3', 'Now go on.', '3+4=7', '7+5=12', '12+9=21', '=21']
const traceOf = (steps: string[], solution: string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt: '1+2+4+5+9', solution },
  steps: steps.map((text) => ({ text, kind: 'thought' })),
  source: { generator: '', dataset: '', licence: 'MIT' },
})
const verdicts = async (steps: string[], options: unknown, solution = reference) =>
  (await subtask.annotate(traceOf(steps, solution), context, options)).map((e) => e.kind === 'alignment' && e.verdict)

describe('subtasks', () => {
  it('have a checkable answer each and cover the reference up to its last calculation', () => {
    expect(subtasksOf(reference, 2).map((s) => [s.from, s.to, s.answer])).toEqual([
      [0, 3, 7],
      [3, 5, 21],
      [5, 6, 21],
    ])
    expect(subtasksOf(['Let us see.', 'So.'], 2)).toEqual([])
    expect(subtasksOf([...reference, 'Done.'], 4).map((s) => [s.from, s.to])).toEqual([
      [0, 5],
      [5, 7],
    ])
  })

  it('support the steps up to the last answer that is reached, and accuse only a single step that is left', async () => {
    expect(await verdicts(['1+2=3', '3+4=7', '7+5=13', '13+9=22', '=22'], { size: 2 })).toEqual([
      'correct',
      'correct',
      'unknown',
      'unknown',
      'unknown',
    ])
    expect(await verdicts(['1+2=3', '3+4=7', '7+5=12', '12+9=21', '=20'], { size: 1 })).toEqual([
      ...['correct', 'correct', 'correct', 'correct'],
      'incorrect',
    ])
  })

  it('are hardly ever reached past an injected error', async () => {
    let all = 0
    let supported = 0
    for (const problem of arithmeticChain.generate('subtask', 3, 60)) {
      const injected = arithmeticChain.inject(problem, 'result', 2, 's')
      if (injected === null) continue
      const seen = await verdicts(injected.steps, { size: 1 }, problem.solution ?? [])
      expect(seen.slice(0, 2)).toEqual(['correct', 'correct'])
      all++
      if (seen[2] === 'correct') supported++
    }
    expect(all).toBe(60)
    expect(supported / all).toBeLessThan(0.1)
  })

  it('need a reference', () => {
    expect(subtask.applies(traceOf(['=1'], []))).toBe(false)
  })
})
