import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { random } from '../../core/seeds.ts'
import { ROOT } from '../../core/tree.ts'
import { type Evidence, NO_USAGE, type Problem, type Step, type Trace, type Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter, Written } from '../../engine/rollout.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import { injectedPrefixes, recoveryRate } from '../recovery-rate.ts'
import { firstErrorPosterior } from '../rules/first-error-posterior.ts'
import { hard } from '../rules/hard.ts'
import { risksOf, verdictFromRisks } from '../verdict.ts'
import type { AnnotateContext, Annotator } from './annotator.ts'
import { firstErrorLocator } from './first-error-locator.ts'
import { dynamicK, monteCarlo } from './monte-carlo.ts'
import { omegaExamples, omegaprm, omegaScore, omegaSearch } from './omegaprm.ts'

const thoughts = (texts: readonly string[]): Step[] => texts.map((text) => ({ text, kind: 'thought' }))
const traceOf = (problem: Problem, texts: readonly string[]): Trace => ({
  id: problem.id,
  problem,
  steps: thoughts(texts),
  source: { generator: 'test', dataset: '', licence: 'MIT' },
})
function contextOf(policy: StepWriter, check: OutcomeCheck) {
  const spent: Usage[] = []
  const context: AnnotateContext = {
    policy,
    check,
    seed: '0',
    allowCode: false,
    allowLocalExec: false,
    spend: (usage) => void spent.push(usage),
  }
  return { context, calls: () => spent.reduce((n, u) => n + u.calls, 0) }
}

/** Steps are `1 good`, `2 good`, ... or `bad`; from a good prefix of at most 5 steps this writer always ends right. */
const scripted: StepWriter = {
  name: 'scripted',
  identity: 'scripted',
  next: async () => ({ ok: true, steps: [], end: 'stop', usage: NO_USAGE }),
  async complete(_, steps): Promise<Written> {
    const good = steps.every((step) => step.text.endsWith('good'))
    const usage = { ...NO_USAGE, calls: 1, completionTokens: 3 }
    return { ok: true, steps: thoughts([good ? '=right' : '=wrong']), end: 'stop', usage }
  },
}
const saysRight: OutcomeCheck = {
  answerOf: (steps) => steps.find((s) => s.startsWith('='))?.slice(1) ?? null,
  check: (_, answer) => answer === 'right',
}
const eight = ['1 good', '2 good', '3 good', '4 good', '5 good', '6 bad', '7 bad', '=wrong']
const plain: Problem = { id: 'p', prompt: 'p' }
const counts = (evidence: readonly Evidence[]) =>
  evidence.map((e) => e.kind === 'rollouts' && [e.step, e.successes, e.trials])

describe('monte-carlo', () => {
  it('rolls out from the start and every step, checks an answer instead of continuing it, and says what it spent', async () => {
    const { context, calls } = contextOf(scripted, saysRight)
    const evidence = await monteCarlo.annotate(traceOf(plain, eight), context, { k: 4 })
    expect(counts(evidence)).toEqual([...[-1, 0, 1, 2, 3, 4].map((s) => [s, 4, 4]), [5, 0, 4], [6, 0, 4], [7, 0, 1]])
    expect(calls()).toBe(8 * 4)
    expect(evidence[0]).toMatchObject({ completions: ['=right'], usage: { calls: 4, completionTokens: 12 } })
    expect(evidence[8]).not.toHaveProperty('completions')
  })

  it('counts what was cut off or failed neither way', async () => {
    const moody: StepWriter = {
      ...scripted,
      async complete(problem, steps, sample): Promise<Written> {
        if (sample % 4 === 0) return { ok: true, steps: thoughts(['and']), end: 'length', usage: NO_USAGE }
        if (sample % 4 === 1) return { ok: false, error: new GradusError('GRD-CALL-004'), usage: NO_USAGE }
        return scripted.complete(problem, steps, sample)
      },
    }
    const { context } = contextOf(moody, saysRight)
    const evidence = await monteCarlo.annotate(traceOf(plain, eight.slice(0, 1)), context, { k: 8 })
    expect(counts(evidence)).toEqual([
      [-1, 4, 4],
      [0, 4, 4],
    ])
    expect(await monteCarlo.annotate(traceOf(plain, eight.slice(0, 1)), context, { k: 2 })).toEqual([])
  })

  it('chooses k by the chance at the start as published', () => {
    expect([0.05, 0.1, 0.89, 0.9].map(dynamicK)).toEqual([128, 64, 64, 32])
  })

  it('agrees with the exact values of a task', async () => {
    const [problem] = task.generate('mc', 4, 1)
    if (!problem) throw new Error('no problem')
    const steps = task.inject(problem, 'copy', 4, 'x')?.steps ?? []
    const { context } = contextOf(taskCompleter({ task, slip: 0.1, seed: 'mc' }), task)
    const evidence = await monteCarlo.annotate(traceOf(problem, steps), context, { k: 400 })
    const truths = task.oracle(problem, steps, { slip: 0.1, recovery: 0 })
    for (const e of evidence) {
      if (e.kind !== 'rollouts' || e.step < 0) continue
      expect(Math.abs(e.successes / e.trials - (truths[e.step]?.value ?? Number.NaN))).toBeLessThan(
        4 * Math.sqrt(0.25 / 400),
      )
    }
    expect(firstErrorBy(hard, evidence, steps.length)).toBe(4)
  })
})

function firstErrorBy(rule: typeof hard, evidence: Evidence[], steps: number, options: Record<string, unknown> = {}) {
  return verdictFromRisks(risksOf(rule.apply(steps, evidence, rule.options.parse(options))), rule.name).firstError
}

describe('omegaprm', () => {
  const defaults = { alpha: 0.5, beta: 0.9, length: 500, cPuct: 0.125 }

  it('scores a pair as published', () => {
    const { q, u } = omegaScore({ successRate: 0.5, length: 250, visits: 1, allVisits: 16 }, defaults)
    expect([q, u, q + u].map((x) => x.toFixed(4))).toEqual(['0.6708', '0.2500', '0.9208'])
  })

  it('finds step 5 of 8 with three probes and rolls out from nothing else', async () => {
    const { context, calls } = contextOf(scripted, saysRight)
    const evidence = await omegaprm.annotate(traceOf(plain, eight), context, { k: 8 })
    expect(counts(evidence)).toEqual([
      [-1, 8, 8],
      [3, 8, 8],
      [4, 8, 8],
      [5, 0, 8],
      [7, 0, 1],
    ])
    expect(calls()).toBe(4 * 8)
    expect(firstErrorBy(hard, evidence, 8)).toBe(5)
  })

  it('grows a tree in which every probed node has its own rollouts, and only mixed nodes give wrong rollouts', async () => {
    const [problem] = task.generate('omega', 4, 1)
    if (!problem) throw new Error('no problem')
    const policy = taskCompleter({ task, slip: 0.1, seed: 'omega' })
    const run = () => omegaSearch({ problem, policy, check: task, spend: () => {} }, { searches: 20, rollouts: 400 })
    const found = await run()
    const { tree, counted, searches, rollouts } = found
    expect(searches).toBe(20)
    expect(rollouts).toBe(8 * counted.size)
    for (const [node, { successes, trials }] of counted) {
      expect([tree.successes(node), tree.trials(node)]).toEqual([successes, trials])
      const truth = task.oracle(problem, tree.texts(node), { slip: 0.1, recovery: 0 }).at(-1)?.value
      if (node !== ROOT && truth === 0) expect(successes).toBe(0)
      if (tree.visits(node) > 0) {
        expect(successes).toBeGreaterThan(0)
        expect(successes).toBeLessThan(trials)
      }
    }
    expect(JSON.stringify((await run()).tree)).toBe(JSON.stringify(tree))
    const values = omegaExamples(found).map((e) => e.value)
    expect(values.some((v) => v === 0)).toBe(true)
    expect(values.some((v) => v > 0)).toBe(true)
  })

  it('stops within its budgets, and skips problems that are never or always solved', async () => {
    const [problem] = task.generate('omega', 4, 1)
    if (!problem) throw new Error('no problem')
    const search = (slip: number, options: Parameters<typeof omegaSearch>[1], first?: Step[]) =>
      omegaSearch(
        { problem, policy: taskCompleter({ task, slip, seed: 'b' }), check: task, spend: () => {} },
        options,
        first,
      )
    expect((await search(0.1, { searches: 100, rollouts: 50 })).rollouts).toBeLessThanOrEqual(50)
    const few = await search(0.1, { searches: 100, tokens: 1_000 })
    expect(few.usage.completionTokens).toBeLessThan(1_000 + 8 * 200)
    expect((await search(0, {})).skipped).toBe('all-right')
    expect((await search(0.9, {})).skipped).toBe('all-wrong')
    expect((await search(0.1, { rollouts: 4 })).skipped).toBe('no-rollouts')
    const wrong = thoughts(task.inject(problem, 'copy', 2, 'x')?.steps ?? [])
    const known = await search(0, {}, wrong)
    expect([known.skipped, known.searches]).toEqual(['all-right', 1])
  })
})

describe('first-error-locator', () => {
  it('finds the first error of failed chains with far fewer rollouts than every step costs', async () => {
    const problems = task.generate('locate', 5, 60)
    let right = 0
    let all = 0
    let spent = 0
    let full = 0
    for (const problem of problems) {
      const steps = task.complete(problem, [], random(problem.id), { slip: 0.06, recovery: 0 })
      const first = task.oracle(problem, steps).findIndex((t) => !t.correct)
      if (first < 0) continue
      const { context, calls } = contextOf(taskCompleter({ task, slip: 0.06, seed: 'l' }), task)
      const evidence = await firstErrorLocator.annotate(traceOf(problem, steps), context)
      all++
      spent += calls()
      full += 8 * steps.length
      if (firstErrorBy(firstErrorPosterior, evidence, steps.length) === first) right++
    }
    expect(all).toBeGreaterThan(25)
    expect(right / all).toBeGreaterThan(0.9)
    expect(spent / full).toBeLessThan(0.3)
  })

  it('spends nothing on a trace that ended right, and ends when a policy only fails', async () => {
    const { context, calls } = contextOf(scripted, saysRight)
    const evidence = await firstErrorLocator.annotate(traceOf(plain, ['1 good', '=right']), context)
    expect([counts(evidence), calls()]).toEqual([[[1, 1, 1]], 0])
    const failing = {
      ...scripted,
      complete: async (): Promise<Written> => ({ ok: false, error: new GradusError('GRD-CALL-004'), usage: NO_USAGE }),
    }
    const broken = await firstErrorLocator.annotate(traceOf(plain, eight), contextOf(failing, saysRight).context)
    expect(counts(broken)).toEqual([[7, 0, 1]])
  })
})

describe('annotators that roll out', () => {
  const all: Annotator[] = [monteCarlo, omegaprm, firstErrorLocator]

  it('refuse to work without a policy, and never spend more than they announced', async () => {
    for (const annotator of all) {
      const { context, calls } = contextOf(scripted, saysRight)
      const { policy: _, ...without } = context
      await expect(annotator.annotate(traceOf(plain, eight), without)).rejects.toMatchObject({ code: 'GRD-LABEL-004' })
      await annotator.annotate(traceOf(plain, eight), context)
      expect(calls()).toBeLessThanOrEqual(annotator.expect?.(traceOf(plain, eight))?.rollouts ?? Number.NaN)
    }
  })
})

describe('recovery rate', () => {
  it('is zero for every task whose completer never repairs: harmless errors are not counted as recovered', async () => {
    for (const one of TASKS) {
      const level = one.levels.length - 1
      const wrong = injectedPrefixes(one, one.generate('zero', level, 25), 's')
      expect(wrong.length).toBeGreaterThan(15)
      const { successes, trials } = await recoveryRate(taskCompleter({ task: one, recovery: 0, seed: 'z' }), one, wrong)
      expect([successes, trials]).toEqual([0, 4 * wrong.length])
    }
  })

  it('is measured on injected errors as the policy has it', async () => {
    const problems = task.generate('recovery', 4, 150)
    const wrong = injectedPrefixes(task, problems, 's')
    expect(wrong.length).toBeGreaterThan(100)
    for (const { problem, steps } of wrong) {
      const texts = steps.map((s) => s.text)
      expect(task.oracle(problem, texts).some((t) => !t.correct)).toBe(true)
      expect(task.answerOf(texts)).toBeNull()
    }
    const none = await recoveryRate(taskCompleter({ task, slip: 0.1, recovery: 0, seed: 'r' }), task, wrong)
    expect([none.successes, none.trials]).toEqual([0, 4 * wrong.length])
    const some = await recoveryRate(taskCompleter({ task, recovery: 0, rescue: 0.1, seed: 'r' }), task, wrong)
    expect(some.rate.low).toBeLessThan(0.1)
    expect(some.rate.high).toBeGreaterThan(0.1)
    expect(some.recovery.alpha + some.recovery.beta).toBeCloseTo(101, 6)
  })
})
