import { describe, expect, it } from 'vitest'
import { ROOT, Tree } from '../../core/tree.ts'
import { type Evidence, NO_USAGE, type Problem, type Step, type Trace, type Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter } from '../../engine/rollout.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import { hard } from '../rules/hard.ts'
import { soft } from '../rules/soft.ts'
import { alphamath } from './alphamath.ts'
import { type AlphaOptions, alphaSearch, bestLine } from './alphamath-search.ts'
import type { AnnotateContext, GrownTree } from './annotator.ts'
import { puct } from './mcts-search.ts'

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const OPTIONS: AlphaOptions = { iterations: 40, children: 4, depth: 8, cPuct: 1.25, sweep: 4 }
const problem: Problem = { id: 'p', prompt: 'three letters' }

/** Writes a, b, a, b as next steps; after three letters the answer, `=`. Sample n writes on with letter n mod 2. */
const letters: StepWriter = {
  name: 'letters',
  identity: 'letters',
  next: async (_, steps, sample) => ({
    ok: true,
    steps: thoughts([steps.length === 3 ? '=' : 'ab'[sample % 2]!]),
    end: 'step',
    usage: { ...NO_USAGE, calls: 1, completionTokens: 1 },
  }),
  complete: async (_, steps, sample) => {
    const texts = [...Array<string>(3 - steps.length).fill('ab'[sample % 2]!), '=']
    return { ok: true, steps: thoughts(texts), end: 'stop', usage: { ...NO_USAGE, calls: 1, completionTokens: 4 } }
  },
}
/** Right is aba alone. */
const check: OutcomeCheck = {
  answerOf: (steps) => (steps.at(-1) === '=' ? steps.join('') : null),
  check: (_, answer) => answer === 'aba=',
}

/** Knows exactly: 1 on the way to aba, else 0. */
const knowing: RewardModel = {
  name: 'knowing',
  identity: 'knowing',
  meaning: 'value',
  aggregate: 'last',
  score: async (lines) =>
    lines.map(({ steps }) => ({
      ok: true,
      scores: steps.map((_, i) =>
        Number(
          'aba='.startsWith(
            steps
              .slice(0, i + 1)
              .map((s) => s.text)
              .join(''),
          ),
        ),
      ),
      usage: NO_USAGE,
    })),
}

function context(policy: StepWriter = letters, own: OutcomeCheck = check): AnnotateContext & { spent: Usage[] } {
  const spent: Usage[] = []
  const spend = (usage: Usage) => void spent.push(usage)
  return { policy, check: own, seed: '0', allowCode: false, allowLocalExec: false, spend, spent }
}
const searching = (value?: RewardModel) => ({
  problem,
  policy: letters,
  check,
  spend: () => {},
  ...(value && { value }),
})

describe('the tree search of AlphaMath', () => {
  it('scores and backs up by the published formulas', () => {
    expect(puct(0.2, 0.5, 16, 3, 1.25)).toBeCloseTo(0.825, 12)
    const tree = new Tree()
    const child = tree.add(ROOT, 'a')
    for (const value of [1, -1, 1]) tree.backUp(child, (value + 1) / 2)
    expect([tree.trials(child), 2 * (tree.successRate(child) ?? 0) - 1]).toEqual([3, expect.closeTo(1 / 3, 12)])
  })

  it('finds the right line, by a value model with fewer tokens than by rollouts', async () => {
    const blind = await alphaSearch(searching(), OPTIONS)
    const seeing = await alphaSearch(searching(knowing), OPTIONS)
    for (const found of [blind, seeing]) {
      expect(bestLine(found.tree).map((n) => found.steps[n]?.text)).toEqual(['a', 'b', 'a', '='])
    }
    expect(seeing.usage.completionTokens).toBeLessThan(blind.usage.completionTokens)
  })

  it('values what ended by its answer, draws each text once, and never enters it again', async () => {
    const { tree, endings, right, iterations } = await alphaSearch(searching(knowing), OPTIONS)
    const ended = [...endings.keys()].filter((n) => endings[n] !== undefined)
    expect(ended).toHaveLength(8)
    for (const n of ended) {
      expect([tree.children(n), tree.trials(n)]).toEqual([[], 1])
      expect(right[n]).toBe(tree.texts(n).join('') === 'aba=')
      expect(tree.successes(n)).toBe(Number(right[n]))
    }
    // Two children of each of 1 + 2 + 4 states, one of each of 8: then nothing is left to expand.
    expect([tree.size, iterations]).toEqual([1 + 2 + 4 + 8 + 8, 15])
    expect(tree.children(ROOT)).toHaveLength(2)
  })

  it('tells runs that ended otherwise from answers', async () => {
    const mute: StepWriter = { ...letters, next: async () => ({ ok: true, steps: [], end: 'stop', usage: NO_USAGE }) }
    const a = thoughts(['a'])
    const silent = await alphaSearch({ ...searching(), policy: mute }, { ...OPTIONS, sweep: 0 }, a)
    expect(silent.endings[1]).toBe('no-answer')
    const shallow = await alphaSearch(searching(), { ...OPTIONS, depth: 2 })
    expect(new Set(shallow.endings)).toEqual(new Set([undefined, 'too-deep']))
    expect(Math.max(...[...shallow.steps.keys()].map((n) => shallow.tree.depth(n)))).toBe(2)
    expect(shallow.tree.successes(ROOT)).toBeLessThan(shallow.tree.trials(ROOT))
  })

  it('stays within its tokens, and gives equal trees for equal policies', async () => {
    const some = await alphaSearch(searching(), { ...OPTIONS, tokens: 60 })
    expect(some.usage.completionTokens).toBeLessThanOrEqual(60 + 3)
    const [one, two] = await Promise.all([alphaSearch(searching(), OPTIONS), alphaSearch(searching(), OPTIONS)])
    expect(one.tree.toJSON()).toEqual(two.tree.toJSON())
  })
})

describe('alphamath as an annotator', () => {
  const [chain] = task.generate('alphamath', 1, 1)
  const wrong = chain && task.inject(chain, 'result', 2, 's')
  if (!chain || !wrong) throw new Error('no problem')
  const trace: Trace = {
    id: 't',
    problem: chain,
    steps: thoughts(wrong.steps),
    source: { generator: '', dataset: '', licence: 'MIT' },
  }
  const policy = taskCompleter({ task, slip: 0.05, recovery: 0, seed: 'alphamath' })

  it('gives high values before the first error and none after it, with rollouts of each step kept apart', async () => {
    const evidence = await alphamath.annotate(trace, context(policy, task))
    const labels = soft.apply(trace.steps.length, evidence, {})
    expect(labels.map((l) => (l.value ?? -1) > 0)).toEqual([true, true, false, false, false])
    const rolled = evidence.filter((e) => e.kind === 'rollouts')
    expect(rolled.map((e) => [e.step, e.trials])).toEqual([
      [0, 4],
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 1],
    ])
    expect(hard.apply(trace.steps.length, evidence, {}).findIndex((l) => l.value === 0)).toBe(wrong.firstError)
    const looks = evidence.flatMap((e): Extract<Evidence, { kind: 'value' }>[] => (e.kind === 'value' ? [e] : []))
    expect(looks[0]).toMatchObject({ step: -1, visits: expect.any(Number) })
    for (const { value, visits } of looks) expect(value >= 0 && value <= 1 && visits > 0).toBe(true)
  })

  it('hands on the tree, with the nodes of the trace and the line that it would follow', async () => {
    const trees: GrownTree[] = []
    await alphamath.annotate(trace, { ...context(policy, task), grown: (tree) => void trees.push(tree) })
    const [grown] = trees
    if (!grown) throw new Error('no tree')
    const tree = Tree.fromJSON(grown.tree)
    expect(grown).toMatchObject({ id: 't', annotator: 'alphamath', problem: chain })
    expect(grown.path.map((n) => tree.text(n))).toEqual(wrong.steps)
    expect((grown.best ?? []).map((n) => tree.text(n))).toEqual(chain.solution)
  })

  it('spends what it says at most, and all of it', async () => {
    const ctx = context(policy, task)
    await alphamath.annotate(trace, ctx, { iterations: 10, children: 3, sweep: 2 })
    const calls = ctx.spent.reduce((sum, usage) => sum + usage.calls, 0)
    const { rollouts = 0 } = alphamath.expect?.(trace, { iterations: 10, children: 3, sweep: 2 }) ?? {}
    expect(calls).toBeGreaterThan(10)
    expect(calls).toBeLessThanOrEqual(rollouts)
  })
})
