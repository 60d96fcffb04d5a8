import { random } from '../src/core/seeds.ts'
import { auroc, bootstrap, type Estimate } from '../src/core/stats/index.ts'
import { type Node, ROOT } from '../src/core/tree.ts'
import { NO_USAGE, type Problem, type Step } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import { type AlphaOptions, type AlphaTree, alphaSearch } from '../src/label/annotators/alphamath-search.ts'
import { countRollouts } from '../src/label/annotators/rollout-counts.ts'
import { embeddedPolicy } from '../src/models/policies/embedded/index.ts'
import { heldOutProblems } from '../src/models/policies/embedded/lessons.ts'
import type { Policy } from '../src/models/policies/policy.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { game24 } from '../src/worlds/tasks/game24.ts'

/** Four numbers up to 9, of which the shipped policy solves one in eight. */
const LEVEL = 1
/** As published but for fewer iterations: a game has three moves. */
const OPTIONS: AlphaOptions = { iterations: 24, children: 5, depth: 8, cPuct: 1.25, sweep: 0 }
/** Rounds with a learnt value, after the one with rollouts. */
const ROUNDS = 2

/** A state of the tree: prefix, what is true of it, and what each arm says. */
interface State {
  problem: number
  solvable: boolean
  said: Record<string, number>
}

const TREE = 'tree, backed-up value'
const ROLLOUTS = 'rollouts of as many tokens'
const PRIOR = 'prior of the policy'
const LEARNT = 'value model alone'
const RANDOM = 'random values'

/** Values that a tree search backs up against rollouts of the same price, on states that are known to be won or lost. */
export const alphamath: Replication = {
  paper: 'alphamath',
  title: 'Step values from a tree',
  claim: 'values backed up over a tree of next steps tell won states from lost ones, and better in each round',
  failsIf:
    'with rollouts at the leaves, the backed-up values do not tell solvable states from dead ones better (AUC) than rollouts of as many tokens from the same states, by the interval of the difference; "partly" when they do, and the round with the last learnt value is not better than the first learnt one, or than the same search with random values at the leaves',
  setting:
    'Game of 24, four numbers up to 9, shipped policy (one in eight games won); states of the trees are solvable or dead by enumeration; label part only: the value model is a logistic regression on what is left on the table, fitted to the trees of other problems, and the policy is not trained',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const problems = quick ? 24 : 60
    const engine = new Engine({ concurrency: 512 })
    const policy = await embeddedPolicy('game24', { engine, seed })
    const training = heldOutProblems(game24, LEVEL, `${seed}/alphamath/training`, problems)
    const report = heldOutProblems(game24, LEVEL, `${seed}/alphamath/report`, problems)
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const aucs: Estimate[] = []
    let value: RewardModel | null = null
    let overRollouts: Estimate = { value: Number.NaN, low: Number.NaN, high: Number.NaN }
    for (let round = 0; round <= ROUNDS; round++) {
      const name = round === 0 ? 'round 1: rollouts at the leaves' : `round ${round + 1}: learnt value at the leaves`
      progress(name)
      const states = await look(policy, report, value, seed, round === 0)
      settings.push({ name, arms: armsOf(states, `${seed}/${name}`, value !== null) })
      aucs.push(auc(states, TREE, `${seed}/${name}`))
      if (round === 0) overRollouts = difference(states, TREE, ROLLOUTS, seed)
      value = fitted(await grown(policy, training, value), `learnt ${round + 1}`)
    }
    progress('random values at the leaves')
    const blind = await look(policy, report, randomValues(seed), seed, false)
    settings.push({ name: 'random values at the leaves', arms: armsOf(blind, `${seed}/blind`, false) })
    const blindAuc = auc(blind, TREE, `${seed}/blind`)
    await engine.close()
    const [, first, last] = aucs
    const better = (last?.value ?? 0) > (first?.value ?? 0) && (last?.low ?? 0) > blindAuc.value
    const holds = overRollouts.low > 0
    notes.push(
      `backed-up values minus rollouts of as many tokens, round 1: ${said(overRollouts)}`,
      `AUC of backed-up values by round ${aucs.map(said).join(', ')}; with random values at the leaves ${said(blindAuc)}`,
      'rollouts of as many tokens: dealt out over all states of the tree in turn; a state that got none has .5',
      'training of the policy, step beam and search at inference are not replicated here',
    )
    return {
      settings,
      outcome: !holds ? 'fails' : better ? 'holds' : 'partly',
      because: !holds
        ? 'rollouts of as many tokens tell won states from lost ones as well'
        : better
          ? 'backed-up values beat rollouts of as many tokens, and rise with the learnt value'
          : 'backed-up values beat rollouts of as many tokens, but do not rise with the learnt value',
      notes,
    }
  },
}

interface Context {
  problem: Problem
  policy: Policy
  check: typeof game24
  spend(): void
}
const contextOf = (policy: Policy, problem: Problem): Context => ({ problem, policy, check: game24, spend: () => {} })

/** All problems at a time: the policy computes what is asked for together in one go. */
function grown(policy: Policy, problems: readonly Problem[], value: RewardModel | null): Promise<AlphaTree[]> {
  return Promise.all(
    problems.map((problem) => alphaSearch({ ...contextOf(policy, problem), ...(value && { value }) }, OPTIONS)),
  )
}

/** States that a search valued and that have not ended. */
function statesOf({ tree, endings }: AlphaTree): Node[] {
  return Array.from({ length: tree.size }, (_, n) => n).filter(
    (n) => n !== ROOT && endings[n] === undefined && tree.trials(n) > 0,
  )
}

async function look(
  policy: Policy,
  problems: readonly Problem[],
  value: RewardModel | null,
  seed: string,
  withRollouts: boolean,
): Promise<State[]> {
  const trees = await grown(policy, problems, value)
  const all = await Promise.all(
    trees.map(async (found, p): Promise<State[]> => {
      const problem = problems[p]
      if (!problem) return []
      const nodes = statesOf(found)
      const rolled = withRollouts ? await rollouts(policy, problem, found, nodes) : null
      return Promise.all(
        nodes.map(async (n): Promise<State> => {
          const texts = found.tree.texts(n)
          const truth = game24.oracle(problem, texts, { slip: 0, recovery: 0 }).at(-1)
          const [scored] = value ? await value.score([{ problem, steps: stepsOf(found, n) }]) : []
          const learnt = scored?.ok ? scored.scores.at(-1) : undefined
          return {
            problem: p,
            solvable: (truth?.value ?? 0) > 0,
            said: {
              [TREE]: found.tree.successRate(n) ?? 0.5,
              [PRIOR]: found.priors[n] ?? 0,
              [RANDOM]: random(`${seed}/random/${problem.id}/${texts.join('/')}`).next(),
              ...(rolled && { [ROLLOUTS]: rolled.get(n) ?? 0.5 }),
              ...(learnt != null && { [LEARNT]: learnt }),
            },
          }
        }),
      )
    }),
  )
  return all.flat()
}

const stepsOf = ({ tree, steps }: AlphaTree, at: Node): Step[] => tree.path(at).flatMap((n) => steps[n] ?? [])

/** Share of rollouts that win, by state, for as many tokens as the tree took. */
async function rollouts(policy: Policy, problem: Problem, found: AlphaTree, nodes: readonly Node[]) {
  const counts = new Map<Node, { successes: number; trials: number }>()
  let tokens = 0
  // Numbers beyond those that the tree has drawn.
  for (let sample = 1_000; nodes.length > 0; sample++) {
    const round = await Promise.all(
      nodes.map((n) => countRollouts(contextOf(policy, problem), stepsOf(found, n), { from: sample, count: 1 })),
    )
    for (const [i, one] of round.entries()) {
      const node = nodes[i]
      if (node === undefined || tokens + one.usage.completionTokens > found.usage.completionTokens) {
        return new Map([...counts].map(([n, { successes, trials }]) => [n, trials === 0 ? 0.5 : successes / trials]))
      }
      tokens += one.usage.completionTokens
      const before = counts.get(node) ?? { successes: 0, trials: 0 }
      counts.set(node, {
        successes: before.successes + one.successes,
        trials: before.trials + one.trials,
      })
    }
  }
  return new Map<Node, number>()
}

/** What is left on the table, as numbers of like size. */
function features(step: Step | undefined): number[] {
  const left = (/left: ([^)]*)\)/.exec(step?.text ?? '')?.[1] ?? '').split(' ').map((text) => {
    const [n = Number.NaN, d = 1] = text.split('/').map(Number)
    return n / d
  })
  const sum = left.reduce((a, b) => a + b, 0)
  const product = left.reduce((a, b) => a * b, 1)
  const near = (x: number): number => 1 / (1 + Math.abs(x - 24))
  const share = (test: (x: number) => boolean): number => left.filter(test).length / Math.max(1, left.length)
  return [
    1,
    left.length / 3,
    near(sum),
    near(product),
    share((x) => x > 0 && 24 % x === 0),
    share((x) => !Number.isInteger(x)),
    share((x) => x <= 0),
    Math.min(1, Math.max(...left.map(Math.abs)) / 24),
  ]
}

/** Passes over all states; the loss no longer falls visibly after them. */
const PASSES = 300

/** Logistic regression on the backed-up values, each state weighed by its looks. */
function fitted(trees: readonly AlphaTree[], name: string): RewardModel {
  const rows = trees.flatMap((found) =>
    statesOf(found).map((n) => ({
      x: features(found.steps[n]),
      y: found.tree.successRate(n) ?? 0.5,
      looks: found.tree.trials(n),
    })),
  )
  const looks = rows.reduce((sum, row) => sum + row.looks, 0)
  const weights = new Array<number>(features(undefined).length).fill(0)
  const predict = (x: readonly number[]): number => {
    return 1 / (1 + Math.exp(-x.reduce((sum, f, k) => sum + (Number.isFinite(f) ? f : 0) * (weights[k] ?? 0), 0)))
  }
  for (let pass = 0; pass < PASSES; pass++) {
    const gradient = weights.map(() => 0)
    for (const { x, y, looks: weight } of rows) {
      const off = ((y - predict(x)) * weight) / looks
      x.forEach((f, k) => {
        gradient[k] = (gradient[k] ?? 0) + off * (Number.isFinite(f) ? f : 0)
      })
    }
    gradient.forEach((g, k) => {
      weights[k] = (weights[k] ?? 0) + 4 * g
    })
  }
  return valueModel(name, (step) => predict(features(step)))
}

function randomValues(seed: string): RewardModel {
  return valueModel('random', (step) => random(`${seed}/leaf/${step?.text}`).next())
}

function valueModel(name: string, of: (step: Step | undefined) => number): RewardModel {
  return {
    name,
    identity: name,
    meaning: 'value',
    aggregate: 'last',
    score: async (lines) => lines.map(({ steps }) => ({ ok: true, scores: steps.map(of), usage: NO_USAGE })),
  }
}

function armsOf(states: readonly State[], seed: string, learnt: boolean): Arm[] {
  const names = [TREE, ...(learnt ? [LEARNT] : []), ROLLOUTS, PRIOR, RANDOM]
  const known = names.filter((name) => states.some((state) => state.said[name] !== undefined))
  return known.map((name) => ({
    name,
    control: name !== TREE && name !== LEARNT,
    figures: [{ name: 'AUC, solvable against dead', estimate: auc(states, name, seed), n: states.length }],
  }))
}

function statistic(states: readonly State[], name: string): (items: readonly number[]) => number {
  const scores = states.map((state) => state.said[name] ?? 0.5)
  return (items) =>
    auroc(
      items.map((i) => scores[i] ?? 0.5),
      items.map((i) => states[i]?.solvable ?? false),
    )
}

/** Resamples of problems: each sorts all states. */
const RESAMPLES = 200
const groups = (states: readonly State[]): number[] => states.map((state) => state.problem)

function auc(states: readonly State[], name: string, seed: string): Estimate {
  return bootstrap(groups(states), statistic(states, name), { seed, resamples: RESAMPLES })
}

function difference(states: readonly State[], a: string, b: string, seed: string): Estimate {
  const [one, two] = [statistic(states, a), statistic(states, b)]
  return bootstrap(groups(states), (items) => one(items) - two(items), { seed, resamples: RESAMPLES })
}

const said = (d: Estimate): string => `${d.value.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`
