import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { random } from '../../core/seeds.ts'
import { ROOT, Tree } from '../../core/tree.ts'
import { type Evidence, NO_USAGE, type Problem, type Step, type Trace, type Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter, Written } from '../../engine/rollout.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import { noisyOracle } from '../../worlds/verifiers/noisy-oracle.ts'
import type { Finding } from '../../worlds/verifiers/verifier.ts'
import { hybridReward, type Sign } from '../hybrid-reward.ts'
import { averaged } from '../rules/averaged.ts'
import { hard } from '../rules/hard.ts'
import type { LabelRule } from '../rules/rule.ts'
import { toolVeto } from '../rules/tool-veto.ts'
import type { AnnotateContext, StepTool } from './annotator.ts'
import { mcts } from './mcts.ts'
import { type MctsOptions, mctsSearch, meanReward, puct, uct } from './mcts-search.ts'

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const traceOf = (problem: Problem, texts: readonly string[]): Trace => ({
  id: problem.id,
  problem,
  steps: thoughts(texts),
  source: { generator: 'test', dataset: '', licence: 'MIT' },
})
const DEFAULTS: MctsOptions = {
  sweep: 4,
  simulations: 32,
  width: 1,
  select: 'puct',
  c: 1,
  beta: 0.5,
  gamma: 0.9,
  veto: true,
  rollouts: 1000,
}

/** Runs of three letters and an answer; right with at least two letters a. Sample n writes n in binary. */
const letters: StepWriter = {
  name: 'letters',
  identity: 'letters',
  next: async () => ({ ok: true, steps: [], end: 'stop', usage: NO_USAGE }),
  complete: async (_, steps, sample): Promise<Written> => {
    const texts = restOf(steps.length, sample)
    const usage = { ...NO_USAGE, calls: 1, completionTokens: texts.length }
    return { ok: true, steps: thoughts(texts), end: 'stop', usage }
  },
}
const restOf = (length: number, sample: number): string[] => [
  ...Array.from({ length: 3 - length }, (_, bit) => ((sample >> bit) & 1 ? 'b' : 'a')),
  '=',
]
const rightRun = (texts: readonly string[]): boolean => texts.filter((text) => text === 'a').length >= 2
/** The answer is the whole run. */
const majority: OutcomeCheck = {
  answerOf: (steps) => (steps.at(-1) === '=' ? steps.join('') : null),
  check: (_, answer) => rightRun([...answer]),
}
/** a is right, b is wrong, of an answer it cannot say. */
const reader = (verdicts: Record<string, Finding['verdict']> = { a: 'correct', b: 'incorrect' }) => {
  let calls = 0
  const tool: StepTool = {
    name: 'reader',
    runsCode: false,
    applies: () => true,
    verify: ({ steps }) => {
      calls++
      return steps.map(({ text }) => ({ verdict: verdicts[text] ?? 'unknown', reason: `read ${text}` }))
    },
  }
  return { tool, calls: () => calls }
}
const plain: Problem = { id: 'p', prompt: 'p' }

function contextOf(policy: StepWriter, check: OutcomeCheck, tool?: StepTool) {
  const spent: Usage[] = []
  const context: AnnotateContext = {
    policy,
    check,
    ...(tool && { tool }),
    seed: '0',
    allowCode: false,
    allowLocalExec: false,
    spend: (usage) => void spent.push(usage),
  }
  return { context, calls: () => spent.reduce((n, u) => n + u.calls, 0) }
}
const search = (policy: StepWriter, options: Partial<MctsOptions> = {}, line: readonly string[] = []) =>
  mctsSearch(
    {
      problem: plain,
      policy,
      check: majority,
      tool: reader().tool,
      verify: { allowCode: false, allowLocalExec: false },
      spend: () => {},
    },
    { ...DEFAULTS, ...options },
    thoughts(line),
  )
const rolled = (evidence: readonly Evidence[]) =>
  evidence.flatMap((e) => (e.kind === 'rollouts' ? [[e.step, e.successes, e.trials]] : []))
const apply = (rule: LabelRule, steps: number, evidence: readonly Evidence[], options = {}) =>
  rule.apply(steps, evidence, rule.options.parse(options)).map((l) => l.value ?? l.reason)

describe('scores', () => {
  it('are as published', () => {
    expect(uct(0.5, 10, 2, 1)).toBeCloseTo(1.573, 3)
    expect(uct(0.5, 10, 0, 1)).toBe(Number.POSITIVE_INFINITY)
    expect(puct(0.25, 0.5, 16, 3, 1)).toBe(0.25 + (0.5 * 4) / 4)
  })
})

describe('mcts on runs that can be counted', () => {
  const line = ['a', 'b', 'b', '=']

  it('counts the rollouts from each step exactly', async () => {
    const { context, calls } = contextOf(letters, majority, reader().tool)
    const evidence = await mcts.annotate(traceOf(plain, line), context, { sweep: 8, simulations: 0 })
    // after a: aa, ab, ba right of 4; after ab: a right of 2; after abb: lost; the answer is wrong
    expect(rolled(evidence)).toEqual([
      [0, 6, 8],
      [1, 4, 8],
      [2, 0, 8],
      [3, 0, 1],
    ])
    expect(calls()).toBe(3 * 8)
  })

  it('gives each node the mean hybrid reward of the runs through it', async () => {
    const sweep = 8
    const found = await search(letters, { sweep, simulations: 0, veto: false }, line)
    const runs = [{ texts: line, inTree: 4 }]
    for (let length = 1; length <= 3; length++) {
      for (let sample = 0; sample < sweep; sample++) {
        runs.push({ texts: [...line.slice(0, length), ...restOf(length, sample)], inTree: length + 1 })
      }
    }
    for (let length = 1; length <= 4; length++) {
      const through = runs.filter(
        ({ texts, inTree }) => length <= inTree && line.slice(0, length).every((text, i) => text === texts[i]),
      )
      const rewards = through.map(({ texts }) => {
        const verdicts = texts.map((text): Sign => (text === 'a' ? 1 : text === 'b' ? -1 : 0))
        return hybridReward(verdicts, length - 1, rightRun(texts) ? 1 : -1, DEFAULTS)
      })
      const node = found.tree.addPath(line.slice(0, length))
      expect(found.tree.visits(node)).toBe(through.length)
      expect(meanReward(found, node)).toBeCloseTo(rewards.reduce((a, b) => a + b, 0) / rewards.length, 12)
    }
  })

  it('gives a refuted node the lowest reward under the veto, and goes where tool and outcome say', async () => {
    for (const select of ['puct', 'uct'] as const) {
      const { tree, ...found } = await search(letters, { simulations: 200, select })
      const [a, b] = [tree.child(ROOT, 'a'), tree.child(ROOT, 'b')]
      if (a === null || b === null) throw new Error('both letters are written')
      expect(meanReward({ tree, ...found }, b)).toBe(-1.5)
      expect(tree.visits(a)).toBeGreaterThan(4 * tree.visits(b))
    }
  })

  it('grows a tree without cycles, whose counts add up, the same every time', async () => {
    const found = await search(letters, { simulations: 150 }, line)
    const { tree } = found
    for (let node = 1; node < tree.size; node++) {
      expect(tree.parent(node)).toBeLessThan(node)
      expect(tree.depth(node)).toBe(tree.path(node).length)
      const below = tree.children(node).reduce((sum, child) => sum + tree.visits(child), 0)
      expect(below).toBeLessThanOrEqual(tree.visits(node))
    }
    expect(Tree.fromJSON(tree.toJSON()).toJSON()).toEqual(tree.toJSON())
    // all runs of three letters, answers included, and no more
    expect(tree.size).toBeLessThanOrEqual(1 + 2 + 4 + 8 + 8)
    const again = await search(letters, { simulations: 150 }, line)
    expect(JSON.stringify(again.tree)).toBe(JSON.stringify(tree))
    expect(again.rewards).toEqual(found.rewards)
  })

  it('counts groups that end alike', async () => {
    const always = (text: string): StepWriter => ({
      ...letters,
      complete: async (_, steps) => ({
        ok: true,
        steps: thoughts([...Array.from({ length: 3 - steps.length }, () => text), '=']),
        end: 'stop',
        usage: NO_USAGE,
      }),
    })
    const groups = [always('a'), always('b'), letters].map(async (policy) => (await search(policy)).group)
    expect(await Promise.all(groups)).toEqual(['all-right', 'all-wrong', 'mixed'])
    expect((await search(letters, { rollouts: 1, sweep: 0, simulations: 0 })).group).toBe('no-rollouts')
  })

  it('counts what failed or was cut off neither way, and stops all the same', async () => {
    const failing: StepWriter = {
      ...letters,
      complete: async () => ({ ok: false, error: new GradusError('GRD-CALL-004'), usage: NO_USAGE }),
    }
    const found = await search(failing, { simulations: 20 }, ['a'])
    expect([found.group, found.rollouts, found.tree.trials(ROOT)]).toEqual(['no-rollouts', 24, 0])
    expect(meanReward(found, 1)).toBeNull()
  })

  it('keeps within its budgets', async () => {
    expect((await search(letters, { simulations: 500, rollouts: 30 }, line)).rollouts).toBe(30)
    const { usage } = await search(letters, { simulations: 500, tokens: 40 }, line)
    expect(usage.completionTokens).toBeLessThanOrEqual(40)
    expect(usage.completionTokens).toBeGreaterThan(35)
  })

  it('refuses steps without text', async () => {
    await expect(search(letters, {}, ['a', ' '])).rejects.toMatchObject({ code: 'GRD-CORE-001' })
    expect(mcts.applies(traceOf(plain, ['a', '']))).toBe(false)
    expect(mcts.applies(traceOf(plain, []))).toBe(false)
    const silent: StepWriter = {
      ...letters,
      complete: async () => ({ ok: true, steps: thoughts([' ', '=']), end: 'stop', usage: NO_USAGE }),
    }
    expect((await search(silent)).tree.size).toBe(1)
  })
})

describe('mcts as an annotator', () => {
  it('has the defaults that are tested here', () => {
    expect(mcts.options.parse({})).toMatchObject(DEFAULTS)
  })

  it('keeps verdicts, rollouts and reward apart, with a rationale; fusing them again costs nothing', async () => {
    const { tool, calls: looked } = reader({ a: 'correct', b: 'incorrect' })
    const { context, calls } = contextOf(letters, majority, tool)
    const line = ['a', 'a', 'b', '=']
    const evidence = await mcts.annotate(traceOf(plain, line), context, { sweep: 2, simulations: 0 })
    const third = evidence.find((e) => e.kind === 'tool' && e.step === 2)
    expect(third).toMatchObject({
      source: 'mcts',
      verdict: 'incorrect',
      reason: 'reader: read b; 2 of 2 runs from here end right',
      detail: { tool: 'reader', reward: -1.5 },
    })
    const before = [calls(), looked()]
    expect(apply(hard, 4, evidence)).toEqual([1, 1, 1, 1])
    expect(apply(toolVeto, 4, evidence)).toEqual([1, 1, 0, 'after-first-error'])
    expect(apply(averaged, 4, evidence)).toEqual([1, 1, 0, 1])
    expect(apply(averaged, 4, evidence, { beta: 0 })).toEqual([1, 0, 0, 'no-evidence'])
    expect([calls(), looked()]).toEqual(before)
  })

  it('uses a verifier by name', async () => {
    const problem = { id: 'q', prompt: 'q' }
    const steps = ['2+3=6', '2+3=5', 'so the plan is clear', '=5']
    const { context } = contextOf(letters, { answerOf: (s) => s.find((t) => t === '=5') ?? null, check: () => true })
    const evidence = await mcts.annotate(traceOf(problem, steps), context, { sweep: 0, simulations: 0 })
    const verdicts = evidence.flatMap((e) => (e.kind === 'tool' ? [e.verdict] : []))
    expect(verdicts).toEqual(['incorrect', 'correct', 'unknown', 'unknown'])
    expect(evidence[0]).toMatchObject({ reason: 'arithmetic: 2+3 = 6 does not hold: the left side is 5' })
  })

  it('falls back to the outcome where the tool does not apply', async () => {
    const { context } = contextOf(letters, majority, { ...reader().tool, applies: () => false })
    const evidence = await mcts.annotate(traceOf(plain, ['b', 'b', 'b', '=']), context)
    expect(evidence.every((e) => e.kind !== 'tool' || e.verdict === 'unknown')).toBe(true)
    expect(apply(toolVeto, 4, evidence)).toEqual(apply(hard, 4, evidence))
  })

  it('refuses to work without policy or tool, or to run code without leave', async () => {
    const trace = traceOf(plain, ['a'])
    const { context } = contextOf(letters, majority)
    const { policy: _, ...without } = context
    await expect(mcts.annotate(trace, without)).rejects.toMatchObject({ code: 'GRD-LABEL-004' })
    await expect(mcts.annotate(trace, context, { tool: 'oracle' })).rejects.toMatchObject({ code: 'GRD-LABEL-001' })
    await expect(mcts.annotate(trace, context, { tool: 'python-execution' })).rejects.toMatchObject({
      code: 'GRD-LABEL-004',
    })
  })

  it('never spends more than it announced', async () => {
    for (const options of [{}, { sweep: 1, simulations: 7 }, { rollouts: 5 }]) {
      const { context, calls } = contextOf(letters, majority, reader().tool)
      const trace = traceOf(plain, ['b', 'a', 'b', '='])
      await mcts.annotate(trace, context, options)
      expect(calls()).toBeLessThanOrEqual(mcts.expect?.(trace, options)?.rollouts ?? Number.NaN)
    }
  })

  it('finds by the veto what recovery hides from rollouts', async () => {
    const problems = task.generate('mcts', 3, 60)
    const right = { veto: 0, rollouts: 0 }
    let wrong = 0
    const tool = noisyOracle({ task, coverage: 1, accuracy: 1, seed: 't' })
    for (const problem of problems) {
      const steps = task.complete(problem, [], random(problem.id), { slip: 0.15, recovery: 0 })
      const first = task.oracle(problem, steps).findIndex((truth) => !truth.correct)
      if (first < 0) continue
      wrong++
      const policy = taskCompleter({ task, slip: 0.15, recovery: 0, rescue: 0.3, seed: 'm' })
      const { context } = contextOf(policy, task, tool)
      const evidence = await mcts.annotate(traceOf(problem, steps), context)
      if (apply(toolVeto, steps.length, evidence).indexOf(0) === first) right.veto++
      if (apply(hard, steps.length, evidence).indexOf(0) === first) right.rollouts++
    }
    expect(wrong).toBeGreaterThan(25)
    expect(right.veto / wrong).toBeGreaterThan(0.85)
    expect(right.rollouts / wrong).toBeLessThan(0.5)
  })

  it('estimates the value of every step without bias, though the search chooses', async () => {
    const [problem] = task.generate('mcts-value', 3, 1)
    if (!problem) throw new Error('no problem')
    const steps = task.inject(problem, 'copy', 3, 'x')?.steps ?? []
    const policy = taskCompleter({ task, slip: 0.1, recovery: 0, seed: 'v' })
    const { context } = contextOf(policy, task, noisyOracle({ task, coverage: 1, accuracy: 1, seed: 'v' }))
    const evidence = await mcts.annotate(traceOf(problem, steps), context, { sweep: 300, rollouts: 5_000 })
    const truths = task.oracle(problem, steps, { slip: 0.1, recovery: 0 })
    for (const [step, successes = 0, trials = 0] of rolled(evidence)) {
      const value = step === undefined || step < 0 ? null : truths[step]?.value
      if (value === null) continue
      expect(Math.abs(successes / trials - (value ?? Number.NaN))).toBeLessThan(4 * Math.sqrt(0.25 / 300))
    }
  })
})
