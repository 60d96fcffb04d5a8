import { describe, expect, it } from 'vitest'
import { ROOT, Tree } from '../../core/tree.ts'
import { type Evidence, NO_USAGE, type Problem, type Usage } from '../../core/words.ts'
import { taskCompleter } from '../../models/policies/task-completer.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import { hard } from '../rules/hard.ts'
import { RULES } from '../rules/index.ts'
import { alphamath } from './alphamath.ts'
import type { AnnotateContext, Annotator, Explored, GrownTree } from './annotator.ts'
import { inTurn } from './explore.ts'
import { ANNOTATORS } from './index.ts'
import { mcts } from './mcts.ts'
import { omegaprm } from './omegaprm.ts'

const problems = task.generate('explore', 2, 12)
const EXPLORERS: [Annotator, object][] = [
  [omegaprm, { k: 6 }],
  [mcts, { simulations: 24 }],
  [alphamath, { iterations: 24, depth: 20 }],
]

async function explore(annotator: Annotator, problem: Problem, options: object, most = 8) {
  const spent: Usage[] = []
  const trees: GrownTree[] = []
  const context: AnnotateContext = {
    policy: taskCompleter({ task, slip: 0.12, recovery: 0, seed: 'e' }),
    check: task,
    seed: '0',
    allowCode: false,
    allowLocalExec: false,
    spend: (usage) => void spent.push(usage),
    grown: (tree) => void trees.push(tree),
  }
  const found = (await annotator.explore?.(problem, most, context, options)) as Explored
  return { found, trees, calls: spent.reduce((n, u) => n + u.calls, 0) }
}

const ruleOf = (annotator: Annotator) => RULES.find((rule) => rule.name === annotator.rule) ?? hard

describe('annotators that explore', () => {
  it('are the three that grow trees', () => {
    expect(ANNOTATORS.filter((a) => a.explore).map((a) => a.name)).toEqual(['omegaprm', 'mcts', 'alphamath'])
  })

  it.each(EXPLORERS)(
    '$name takes whole runs, with evidence and labels that agree with the oracle',
    async (annotator, options) => {
      const told = { right: 0, steps: 0, silent: 0, runs: 0, good: 0 }
      const values = { sound: [] as number[], lost: [] as number[] }
      for (const problem of problems) {
        const { found, trees } = await explore(annotator, problem, options)
        if (found.skipped) {
          expect([found.runs, trees]).toEqual([[], []])
          continue
        }
        const [grown] = trees
        expect(grown?.runs).toHaveLength(found.runs.length)
        const tree = Tree.fromJSON(grown?.tree ?? new Tree().toJSON())
        for (const [i, run] of found.runs.entries()) {
          const texts = run.steps.map((step) => step.text)
          expect(grown?.runs?.[i]?.map((at) => tree.text(at))).toEqual(texts)
          // A run from the start to an answer, and the answer is what it says it is.
          expect(task.answerOf(texts)).toBe(run.answer)
          expect(task.check(problem, run.answer)).toBe(run.outcome === 1)
          const truths = task.oracle(problem, texts, { slip: 0.12, recovery: 0 })
          const labels = ruleOf(annotator).apply(texts.length, run.evidence, ruleOf(annotator).options.parse({}))
          told.runs++
          told.good += run.outcome
          for (const [step, label] of labels.entries()) {
            const truth = truths[step]
            if (label.value === null) {
              expect(label.reason).toBe('after-first-error')
              told.silent++
            } else if (label.meaning === 'value') {
              ;(truth?.value === 0 ? values.lost : values.sound).push(label.value)
            } else {
              told.steps++
              if ((label.value === 1) === truth?.correct) told.right++
            }
          }
        }
        expect(new Set(found.runs.map((run) => run.steps.map((s) => s.text).join('\n'))).size).toBe(found.runs.length)
      }
      expect(told.runs).toBeGreaterThan(25)
      // A chain has one right text only: a tree has one such run, and several wrong ones.
      expect(told.good).toBeGreaterThan(5)
      expect(told.good).toBeLessThan(told.runs / 2)
      if (annotator === alphamath) {
        expect(auc(values.sound, values.lost)).toBeGreaterThan(0.9)
        return
      }
      expect(told.right / told.steps).toBeGreaterThan(0.95)
      expect(told.silent).toBeGreaterThan(0)
    },
  )

  it.each(EXPLORERS)(
    '$name gives the same bytes again, and more runs begin with the fewer',
    async (annotator, options) => {
      const problem = problems[1]!
      const [a, b, few] = [
        await explore(annotator, problem, options),
        await explore(annotator, problem, options),
        await explore(annotator, problem, options, 2),
      ]
      expect(a.found.runs.length).toBeGreaterThan(2)
      expect(JSON.stringify([a.found, a.trees])).toBe(JSON.stringify([b.found, b.trees]))
      expect(few.found.runs.map((run) => run.steps)).toEqual(a.found.runs.slice(0, 2).map((run) => run.steps))
      expect(few.found.runs.map((run) => run.outcome)).toEqual([0, 1])
    },
  )

  it.each(EXPLORERS)(
    '$name has counts that add up, and what a shared step cost stands in one run only',
    async (annotator, options) => {
      for (const problem of problems.slice(0, 4)) {
        const { found, trees, calls } = await explore(annotator, problem, options)
        if (!trees[0]) continue
        const tree = Tree.fromJSON(trees[0].tree)
        for (const [i, line] of (trees[0].runs ?? []).entries()) {
          const evidence = found.runs[i]?.evidence ?? []
          for (const [length, at] of [ROOT, ...line].entries()) {
            const own = evidence.filter((e) => e.step === length - 1)
            const [trials, successes] = counted(own)
            expect(own.length).toBeGreaterThan(annotator === omegaprm ? -1 : 0)
            if (own.length === 0) continue
            // The end of a run that OmegaPRM has searched was known before and is not in the tree's counts.
            if (tree.trials(at) > 0) expect([trials, successes]).toEqual([tree.trials(at), tree.successes(at)])
          }
        }
        const paid = found.runs.flatMap((run) =>
          run.evidence.map((e) => ('usage' in e ? (e.usage ?? NO_USAGE) : NO_USAGE).calls),
        )
        expect(paid.reduce((n, c) => n + c, 0)).toBeLessThanOrEqual(calls)
        const bound = annotator.expect?.({ ...stub, problem }, options).rollouts
        expect(calls).toBeLessThanOrEqual(bound ?? Number.NaN)
      }
    },
  )
})

const stub = { id: '', steps: [], source: { generator: '', dataset: '', licence: '' } }

/** Trials and successes over rollouts and values. */
function counted(evidence: readonly Evidence[]): [number, number] {
  let [trials, successes] = [0, 0]
  for (const e of evidence) {
    if (e.kind === 'rollouts') [trials, successes] = [trials + e.trials, successes + e.successes]
    if (e.kind === 'value') [trials, successes] = [trials + e.visits, successes + e.value * e.visits]
  }
  return [trials, Math.round(successes * 1e9) / 1e9]
}

/** Chance that one of `high` is above one of `low`. */
function auc(high: readonly number[], low: readonly number[]): number {
  let above = 0
  for (const h of high) for (const l of low) above += h > l ? 1 : h === l ? 0.5 : 0
  return above / (high.length * low.length)
}

it('never takes a run that stops without an answer, though it counts as wrong', async () => {
  const writer = taskCompleter({ task, slip: 0.12, recovery: 0, seed: 'e' })
  const answers = (steps: readonly { text: string }[]): boolean => task.answerOf(steps.map(({ text }) => text)) !== null
  for (const [annotator, options] of EXPLORERS) {
    const silent: typeof writer = {
      ...writer,
      async complete(problem, steps, sample) {
        const written = await writer.complete(problem, steps, sample)
        if (!written.ok || sample % 2 === 0) return written
        return { ...written, steps: written.steps.filter((_, i) => !answers(written.steps.slice(0, i + 1))) }
      },
    }
    const context: AnnotateContext = {
      policy: silent,
      check: task,
      seed: '0',
      allowCode: false,
      allowLocalExec: false,
      spend: () => {},
    }
    let taken = 0
    for (const problem of problems) {
      const found = await annotator.explore?.(problem, 8, context, options)
      for (const run of found?.runs ?? []) {
        taken++
        expect(run.answer).not.toBe('')
        expect(task.answerOf(run.steps.map((step) => step.text))).toBe(run.answer)
      }
    }
    expect(taken).toBeGreaterThan(8)
  }
})

describe('inTurn', () => {
  const of = (text: string): [number, boolean][] => [...text].map((c, i) => [i + 1, c === 'r'])

  it('takes wrong and right ones in turn, half of each at most', () => {
    expect(inTurn(of('rrwwr'), 4)).toEqual([3, 1, 4, 2])
    expect(inTurn(of('rrrw'), 8)).toEqual([4, 1, 2, 3])
    expect(inTurn(of('rwww'), 4)).toEqual([2, 1, 3])
    expect(inTurn(of('wwr'), 1)).toEqual([1])
    expect(inTurn([], 3)).toEqual([])
  })
})
