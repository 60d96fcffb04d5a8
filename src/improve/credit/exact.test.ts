import { describe, expect, it } from 'vitest'
import type { Attempt, Credit } from './credit.ts'
import {
  attemptOf,
  chances,
  cosine,
  differences,
  everyRun,
  exactValue,
  expectedOutcome,
  gradientOf,
  relativeError,
  type Toy,
  type ToyRun,
  toy,
} from './exact.testing.ts'
import { logRatio } from './log-ratio.ts'
import { outcome } from './outcome.ts'
import { progress } from './progress.ts'
import { sameState } from './same-state.ts'
import { tree } from './tree.ts'

const game = toy(3, 3)
const runs = everyRun(game)
const truth = differences(game, expectedOutcome)

/** The gradient that a method gives on average over all pairs of attempts. */
function expectedOverPairs(credit: Credit, options: unknown): ReturnType<typeof gradientOf> {
  const attempts = runs.map((run) => attemptOf(game, run))
  return gradientOf(
    game,
    runs.flatMap((a, i) =>
      runs.flatMap((b, j) => {
        const [first, second] = credit.credit([attempts[i]!, attempts[j]!], options)
        const weight = (a.chance * b.chance) / 2
        return [
          { path: a.path, weight, advantages: first?.advantages ?? [] },
          { path: b.path, weight, advantages: second?.advantages ?? [] },
        ]
      }),
    ),
  )
}

const scaled = (gradient: typeof truth, by: number): typeof truth =>
  new Map([...gradient].map(([prefix, own]) => [prefix, own.map((x) => by * x)]))

describe('the policy gradient, every pair of attempts counted', () => {
  it('is exact without a baseline and with the mean of the others', () => {
    for (const baseline of ['none', 'leave-one-out']) {
      const found = expectedOverPairs(outcome, { baseline, scale: 'none' })
      expect(relativeError(found, truth)).toBeLessThan(1e-8)
    }
  })

  it('is half of it where an attempt is part of its own baseline, as groups of two have it', () => {
    const found = expectedOverPairs(outcome, { baseline: 'group', scale: 'none' })
    expect(relativeError(found, scaled(truth, 1 / 2))).toBeLessThan(1e-8)
  })

  it('is exact by progress alone where values are exact, and with the outcome beside it the sum', () => {
    expect(relativeError(expectedOverPairs(progress, { outcome: 0 }), truth)).toBeLessThan(1e-8)
    const both = expectedOverPairs(progress, { baseline: 'leave-one-out', scale: 'none' })
    expect(relativeError(both, scaled(truth, 2))).toBeLessThan(1e-8)
  })

  it('points along it by a tree of two attempts', () => {
    for (const form of ['local', 'global', 'treerl']) {
      expect(cosine(expectedOverPairs(tree, { form }), truth)).toBeGreaterThan(0.8)
    }
  })
})

/** A policy without preferences: the group of all its runs once has every state at its true share. */
const fair: Toy = { ...game, logits: new Map([...game.logits].map(([prefix, own]) => [prefix, own.map(() => 0)])) }
const whole = everyRun(fair).map((run) => attemptOf(fair, run))
const advantage = (path: string, t: number): number =>
  exactValue(fair, path.slice(0, t + 1)) - exactValue(fair, path.slice(0, t))

describe('a group that holds every run as often as the policy writes it', () => {
  it('gives Q - V of every step by the tree, by either value', () => {
    for (const value of ['leaf-mean', 'recursive']) {
      for (const [i, { advantages }] of tree.credit(whole, { value }).entries()) {
        for (const [t, a] of advantages.entries()) expect(a).toBeCloseTo(advantage(whole[i]?.id ?? '', t), 12)
      }
    }
  })

  it('gives Q - V on average over the attempts that took a step in a state', () => {
    const found = sameState.credit(whole, { gamma: 1, scale: 'none' })
    for (const prefix of ['0', '2', '01', '20', '112']) {
      const through = whole.flatMap(({ id }, i) => (id.startsWith(prefix) ? [found[i]?.parts['state']] : []))
      const mean = through.reduce((s, part) => s + (part?.[prefix.length - 1] ?? 0), 0) / through.length
      expect(mean).toBeCloseTo(advantage(prefix, prefix.length - 1), 12)
    }
  })
})

describe('the pull to a reference policy', () => {
  const eta = 2
  // Four tokens of two choices; two tokens a step.
  const policy = toy(2, 4)
  const reference: Toy = {
    ...policy,
    logits: new Map([...policy.logits].map(([p, own]) => [p, own.map((x) => -x / 2)])),
  }
  const logs = ({ logits }: Toy, path: string): number[] =>
    [...path].map((a, t) => Math.log(chances(logits.get(path.slice(0, t)) ?? [])[Number(a)] ?? 0))
  const objective = (now: Toy): number =>
    everyRun(now).reduce((sum, { path, chance, outcome: R }) => {
      const ratio = logs(now, path).reduce((s, x, t) => s + x - (logs(reference, path)[t] ?? 0), 0)
      return sum + chance * (R - ratio / eta)
    }, 0)
  const inSteps = ({ path, outcome: R }: ToyRun, perStep: number): Attempt => {
    const [own, of] = [logs(policy, path), logs(reference, path)]
    const starts = [...path].flatMap((_, t) => (t % perStep === 0 ? [t] : []))
    return {
      id: path,
      outcome: R,
      startValue: null,
      steps: starts.map((t) => ({
        text: path.slice(t, t + perStep),
        tokens: perStep,
        score: null,
        value: null,
        logprobs: own.slice(t, t + perStep),
        reference: of.slice(t, t + perStep),
      })),
    }
  }
  const gradient = (perStep: number, options: object): ReturnType<typeof gradientOf> =>
    gradientOf(
      policy,
      everyRun(policy).map((run) => {
        const [one] = logRatio.credit([inSteps(run, perStep)], { baseline: 'none', scale: 'none', eta, ...options })
        const steps = one?.tokens ?? one?.advantages.map((a) => Array.from({ length: perStep }, () => a)) ?? []
        return { path: run.path, weight: run.chance, advantages: steps.flat() }
      }),
    )
  const exact = differences(policy, objective)

  it('is the gradient of outcome - KL / eta by token, by step from its first token and by whole attempt', () => {
    for (const per of ['token', 'step', 'sequence']) {
      expect(relativeError(gradient(2, { per }), exact)).toBeLessThan(1e-8)
    }
  })

  it('is not where a step counts from its last token, as the released code does', () => {
    const released = gradient(2, { from: 'as-released' })
    expect(relativeError(released, exact)).toBeGreaterThan(0.1)
    expect(cosine(released, exact)).toBeLessThan(0.99)
    // With one token a step there is no difference.
    expect(relativeError(gradient(1, { from: 'as-released' }), exact)).toBeLessThan(1e-8)
  })

  it('is the outcome alone where policy and reference agree, and one token a step is the token form', () => {
    const [same] = logRatio.credit([
      {
        ...inSteps(everyRun(policy)[3]!, 2),
        steps: inSteps(everyRun(policy)[3]!, 2).steps.map((s) => ({ ...s, reference: s.logprobs! })),
      },
      inSteps(everyRun(policy)[5]!, 2),
    ])
    expect(same?.parts['reference']?.map(Math.abs)).toEqual([0, 0])
    const [run] = [inSteps(everyRun(policy)[6]!, 1)]
    const options = { baseline: 'none', scale: 'none', eta }
    const [byStep] = logRatio.credit([run!], options)
    const [byToken] = logRatio.credit([run!], { ...options, per: 'token' })
    expect(byToken?.tokens?.flat()).toEqual(byStep?.advantages)
  })

  it('refuses attempts whose reference is not known', () => {
    const [run] = everyRun(policy)
    const attempt = inSteps(run!, 2)
    const without = { ...attempt, steps: attempt.steps.map(({ reference: _, ...step }) => step) }
    expect(() => logRatio.credit([without])).toThrow('GRD-CORE-001')
  })
})
