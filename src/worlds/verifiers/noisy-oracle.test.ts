import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import type { Trace } from '../../core/words.ts'
import { arithmeticChain as task } from '../tasks/arithmetic-chain.ts'
import { noisyOracle } from './noisy-oracle.ts'
import type { Finding } from './verifier.ts'

const CONTEXT = { allowCode: false, allowLocalExec: false }
const traces = task.generate('noisy', 3, 400).map((problem): Trace => {
  const steps = task.complete(problem, [], random(problem.id), { slip: 0.15 })
  return {
    id: problem.id,
    problem,
    steps: steps.map((text) => ({ text, kind: 'thought' })),
    source: { generator: 'completer', dataset: '', licence: 'MIT' },
  }
})
const truthOf = (trace: Trace) =>
  task
    .oracle(
      trace.problem,
      trace.steps.map((s) => s.text),
    )
    .map((t) => t.correct)

function rates(tool: ReturnType<typeof noisyOracle>) {
  const seen = traces.flatMap((trace) => {
    const truth = truthOf(trace)
    return (tool.verify(trace, CONTEXT) as Finding[]).map(({ verdict }, i) => ({ verdict, right: truth[i] }))
  })
  const covered = seen.filter(({ verdict }) => verdict !== 'unknown')
  const share = (of: typeof seen, is: (one: (typeof seen)[number]) => boolean) => of.filter(is).length / of.length
  return {
    coverage: covered.length / seen.length,
    accuracy: share(covered, ({ verdict, right }) => (verdict === 'correct') === right),
    blamedWrong: share(
      covered.filter((one) => !one.right),
      ({ verdict }) => verdict === 'incorrect',
    ),
    blamedRight: share(
      covered.filter((one) => one.right),
      ({ verdict }) => verdict === 'incorrect',
    ),
  }
}

describe('noisy oracle', () => {
  it('covers and errs as often as stated', () => {
    const { coverage, accuracy } = rates(noisyOracle({ task, coverage: 0.8, accuracy: 0.95, seed: '0' }))
    // 2,800 steps: three standard errors
    expect(Math.abs(coverage - 0.8)).toBeLessThan(0.023)
    expect(Math.abs(accuracy - 0.95)).toBeLessThan(0.014)
  })

  it('is exact where it is told to be', () => {
    expect(rates(noisyOracle({ task, coverage: 1, accuracy: 1, seed: '0' }))).toMatchObject({
      coverage: 1,
      accuracy: 1,
    })
  })

  it('blames right and wrong steps alike when blind', () => {
    const blind = rates(noisyOracle({ task, coverage: 1, accuracy: 0.95, blind: { wrong: 0.15 }, seed: '0' }))
    expect(Math.abs(blind.blamedRight - 0.185)).toBeLessThan(0.03)
    expect(Math.abs(blind.blamedWrong - blind.blamedRight)).toBeLessThan(0.07)
  })

  it('says the same of a step whatever comes after it, and does not apply to other tasks', () => {
    const tool = noisyOracle({ task, coverage: 0.5, accuracy: 0.7, seed: '0' })
    const [trace] = traces
    if (!trace) throw new Error('no trace')
    const whole = tool.verify(trace, CONTEXT) as Finding[]
    expect(tool.verify({ ...trace, steps: trace.steps.slice(0, 3) }, CONTEXT)).toEqual(whole.slice(0, 3))
    expect(tool.applies({ ...trace, problem: { ...trace.problem, domain: 'other' } })).toBe(false)
  })
})
