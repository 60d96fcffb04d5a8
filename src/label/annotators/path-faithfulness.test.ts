import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { random } from '../../core/seeds.ts'
import { type Evidence, NO_USAGE, type Problem, type Step, type Trace } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { faithfulness, logRatios } from '../rules/faithfulness.ts'
import type { AnnotateContext } from './annotator.ts'
import { pathFaithfulness } from './path-faithfulness.ts'

const LETTERS = [...'abcdefghij']

/** p(next letter | last letter) from a table; `start` before the first. Knows ten letters. */
function bigram(table: (last: string, next: string) => number): StepWriter {
  return {
    name: 'bigram',
    identity: 'bigram',
    next: async () => ({ ok: true, steps: [], end: 'stop', usage: NO_USAGE }),
    complete: async () => ({ ok: true, steps: [], end: 'stop', usage: NO_USAGE }),
    async logprobs(_problem, steps, continuation) {
      let last =
        steps
          .map((step) => step.text)
          .join('')
          .at(-1) ?? 'start'
      const logprobs = [...continuation.join('')].map((letter) => {
        const p = table(last, letter)
        last = letter
        return Math.log(p)
      })
      return { ok: true, logprobs, usage: { ...NO_USAGE, calls: 1, promptTokens: logprobs.length, seconds: 1 } }
    },
  }
}
/** Each row of the table: shares drawn once, summing to 1. */
const rows = new Map(
  ['start', ...LETTERS].map((last) => {
    const draw = random(`bigram/${last}`)
    const shares = LETTERS.map(() => 0.05 + draw.next())
    const sum = shares.reduce((a, b) => a + b, 0)
    return [last, shares.map((share) => share / sum)] as const
  }),
)
const p = (last: string, next: string): number => rows.get(last)?.[LETTERS.indexOf(next)] ?? Number.NaN

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const traceOf = (steps: readonly string[], solution?: readonly string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt: 'abc', ...(solution && { solution: [...solution] }) },
  steps: thoughts(steps),
  source: { generator: '', dataset: '', licence: 'MIT' },
})
const context = (policy?: StepWriter): AnnotateContext => ({
  ...(policy && { policy }),
  seed: '0',
  allowCode: false,
  allowLocalExec: false,
  spend: () => {},
})
const likelihoods = (evidence: readonly Evidence[]) =>
  evidence.flatMap((e): Extract<Evidence, { kind: 'likelihood' }>[] => (e.kind === 'likelihood' ? [e] : []))

describe('path faithfulness', () => {
  const trace = traceOf(['ab', 'cd', 'ef'], ['ba', 'dc', 'fe'])

  it('is the difference of log-probabilities by hand, to 1e-12', async () => {
    const evidence = likelihoods(await pathFaithfulness.annotate(trace, context(bigram(p))))
    expect(evidence.map((e) => [e.step, e.tokens])).toEqual([
      [0, [6, 4, 2]],
      [1, [6, 4, 2]],
    ])
    // Only the first letter of a rest has another letter before it: b or d in place of the start.
    for (const [step, last] of [
      [0, 'b'],
      [1, 'd'],
    ] as const) {
      const byHand = ['b', 'd', 'f'].map((first) => Math.log(p(last, first)) - Math.log(p('start', first)))
      for (const [t, ratio] of (evidence[step]?.ratios ?? []).entries())
        expect(ratio).toBeCloseTo(byHand[t] ?? Number.NaN, 12)
    }
  })

  it('is 0 for every step and rest of a model that ignores what stands before', async () => {
    const evidence = likelihoods(
      await pathFaithfulness.annotate(trace, context(bigram((_, next) => p('start', next))), { control: true }),
    )
    for (const e of evidence)
      for (const r of [...e.ratios, ...(e.control ?? [])]) expect(Math.abs(r ?? 1)).toBeLessThan(1e-12)
    expect(faithfulness.apply(3, evidence, {}).map((l) => l.value)).toEqual([0.5, 0.5, null])
  })

  it('changes with the baseline, and pays for every text once', async () => {
    for (const [baseline, control, texts] of [
      ['empty', false, 2 * 3 + 3],
      ['empty', true, 2 * 3 * 2 + 3],
      ['shuffled', false, 2 * 3 * 2],
      ['masked', false, 2 * 3 * 2],
    ] as const) {
      const spent: number[] = []
      const spending = { ...context(bigram(p)), spend: (usage: { calls: number }) => void spent.push(usage.calls) }
      const options = { baseline, control, mask: 'j' }
      const evidence = likelihoods(await pathFaithfulness.annotate(trace, spending, options))
      expect(pathFaithfulness.expect?.(trace, options)).toEqual({ rollouts: 0, texts })
      expect(spent.reduce((a, b) => a + b, 0)).toBe(texts)
      expect(evidence.reduce((sum, e) => sum + (e.usage?.calls ?? 0), 0)).toBe(texts)
      expect(evidence.every((e) => e.usage?.seconds === 0)).toBe(true)
      if (baseline !== 'masked') continue
      const byHand = Math.log(p('b', 'b')) - Math.log(p('j', 'b'))
      expect(evidence[0]?.ratios[0]).toBeCloseTo(byHand, 12)
    }
  })

  it('refuses references in one piece and policies without probabilities, and has no evidence of what cannot be weighed', async () => {
    for (const solution of [undefined, [], ['one piece'], ['one piece', ' ']]) {
      expect(pathFaithfulness.refuses?.(traceOf(['a', 'b'], solution))?.code).toBe('GRD-LABEL-004')
      expect(pathFaithfulness.applies(traceOf(['a', 'b'], solution))).toBe(false)
    }
    expect(pathFaithfulness.refuses?.(trace)).toBeNull()
    const completer = taskCompleter({ task: arithmeticChain, seed: '0' })
    for (const policy of [undefined, completer]) {
      await expect(pathFaithfulness.annotate(trace, context(policy))).rejects.toThrow('GRD-LABEL-004')
    }
    const strict = bigram(p)
    const short: StepWriter = {
      ...strict,
      logprobs: async (problem: Problem, steps, continuation) =>
        steps.length === 2 || continuation.length > 2
          ? { ok: false, error: new GradusError('GRD-MODEL-002'), usage: NO_USAGE }
          : ((await strict.logprobs?.(problem, steps, continuation)) ?? Promise.reject()),
    }
    const evidence = await pathFaithfulness.annotate(trace, context(short))
    expect(likelihoods(evidence).map((e) => [e.step, e.ratios])).toEqual([
      [0, [null, expect.any(Number), expect.any(Number)]],
    ])
    expect(logRatios(2, evidence, { reduce: 'monotone' })[0]).toEqual(expect.any(Number))
    const ended: StepWriter = {
      ...strict,
      logprobs: async () => ({ ok: false, error: new GradusError('GRD-RUN-001'), usage: NO_USAGE }),
    }
    await expect(pathFaithfulness.annotate(trace, context(ended))).rejects.toThrow('GRD-RUN-001')
  })
})

describe('the rule faithfulness', () => {
  const evidence = (rows: number[][], control?: number[][]): Evidence[] =>
    rows.map((ratios, step) => ({
      kind: 'likelihood',
      source: 'path-faithfulness',
      step,
      ratios,
      tokens: [8, 4, 2],
      ...(control && { control: control[step] ?? [] }),
    }))

  it('reduces in the stated ways', () => {
    const seen = evidence([
      [8, 0, 4],
      [16, 4, 1],
      [0, 2, 6],
    ])
    expect(logRatios(4, seen)).toEqual([2, 2, 3, null])
    expect(logRatios(4, seen, { normalise: 'none' })).toEqual([8, 16, 6, null])
    expect(logRatios(4, seen, { reduce: 'aligned' })).toEqual([0, 0.5, 3, null])
    expect(logRatios(4, seen, { reduce: 'mean' })).toEqual([1, 3.5 / 3, 3.5 / 3, null])
    // Never going back: the first two at the first rest, the third at the last.
    expect(logRatios(4, seen, { reduce: 'monotone' })).toEqual([1, 2, 3, null])
    const labels = faithfulness.apply(4, seen, { least: 2.5 })
    expect(labels.map((l) => l.value ?? l.reason)).toEqual([0, ...Array(3).fill('after-first-error')])
    expect(faithfulness.apply(2, [], {}).map((l) => l.reason)).toEqual(['no-evidence', 'no-evidence'])
  })

  it('finds the best line that never goes back, as trying all of them does', () => {
    const draw = random('monotone')
    for (let round = 0; round < 50; round++) {
      const rows = Array.from({ length: 4 }, () => [draw.next() * 8 - 4, draw.next() * 8 - 4, draw.next() * 8 - 4])
      let best = Number.NEGATIVE_INFINITY
      for (let code = 0; code < 81; code++) {
        const line = [0, 1, 2, 3].map((i) => Math.floor(code / 3 ** i) % 3)
        if (line.some((t, i) => i > 0 && t < (line[i - 1] ?? 0))) continue
        best = Math.max(
          best,
          line.reduce((sum, t, i) => sum + (rows[i]?.[t] ?? 0), 0),
        )
      }
      const found = logRatios(4, evidence(rows), { reduce: 'monotone', normalise: 'none' })
      expect(found.reduce<number>((sum, x) => sum + (x ?? 0), 0)).toBeCloseTo(best, 9)
    }
  })

  it('is above 0 on noise by the max, and not when the same of shuffled steps is taken away', () => {
    const draw = random('noise')
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - draw.next())) * Math.cos(2 * Math.PI * draw.next())
    const row = (): number[] => Array.from({ length: 5 }, normal)
    const n = 4_000
    const rows = Array.from({ length: n }, row)
    const seen = evidence(rows, Array.from({ length: n }, row)).map((e) => ({ ...e, tokens: Array(5).fill(1) }))
    const mean = (xs: (number | null)[]): number => xs.reduce<number>((sum, x) => sum + (x ?? 0), 0) / n
    // Expected largest of five standard normal numbers: 1.163.
    expect(mean(logRatios(n, seen as Evidence[]))).toBeCloseTo(1.163, 1)
    expect(Math.abs(mean(logRatios(n, seen as Evidence[], { centre: true })))).toBeLessThan(0.06)
  })
})
