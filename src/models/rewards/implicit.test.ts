import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { loadEmbedded } from '../policies/embedded/load.ts'
import { sigmoid } from '../training/rows.ts'
import { implicitReward, marginOf, type Reduce, stepRewards } from './implicit.ts'

/**
 * All runs of a binary tree that ends after two steps on one side and after four on the other; a policy is a
 * log-odds a node, a run is the nodes it passes with the branch it takes.
 */
function runsOf(): { nodes: string[]; branches: number[] }[] {
  const out: { nodes: string[]; branches: number[] }[] = []
  const walk = (path: number[]): void => {
    if (path.length === 4 || (path.length === 2 && path[0] === 0)) {
      out.push({ nodes: path.map((_, t) => path.slice(0, t).join('')), branches: path })
      return
    }
    for (const branch of [0, 1]) walk([...path, branch])
  }
  walk([])
  return out
}

const BETA = 1
const RUNS = runsOf()
const draw = random('oprl/tree')
const NODES = [...new Set(RUNS.flatMap((run) => run.nodes))]
const REFERENCE = new Map(NODES.map((node) => [node, draw.normal()]))
const RETURNS = RUNS.map(() => draw.normal())

function logprobsOf(policy: ReadonlyMap<string, number>, { nodes, branches }: (typeof RUNS)[number]): number[] {
  return nodes.map((node, t) => -Math.log1p(Math.exp((branches[t] === 1 ? -1 : 1) * policy.get(node)!)))
}

function rewardsOf(policy: ReadonlyMap<string, number>, run: (typeof RUNS)[number]): number[] {
  const ends = run.nodes.map((_, t) => t)
  return stepRewards(logprobsOf(policy, run), logprobsOf(REFERENCE, run), ends, 0, BETA)
}

/** Gradient descent on the expected preference loss, every pair of runs preferred with its exact probability. */
function trained(reduce: Reduce): Map<string, number> {
  const policy = new Map(REFERENCE)
  for (let step = 0; step < 4_000; step++) {
    const margins = RUNS.map((run) => marginOf(rewardsOf(policy, run), reduce))
    const slopes = margins.map((own, a) =>
      margins.reduce((sum, other, b) => sum + sigmoid(own - other) - sigmoid(RETURNS[a]! - RETURNS[b]!), 0),
    )
    const gradient = new Map(NODES.map((node) => [node, 0]))
    RUNS.forEach((run, a) => {
      run.nodes.forEach((node, t) => {
        const slope = run.branches[t]! - sigmoid(policy.get(node)!)
        const weight = reduce === 'sum' ? BETA : BETA / run.nodes.length
        gradient.set(node, gradient.get(node)! + slopes[a]! * weight * slope)
      })
    })
    for (const [node, g] of gradient) policy.set(node, policy.get(node)! - 0.3 * g)
  }
  return policy
}

/** beta · log E_ref[exp(R / beta)] of the runs that pass a prefix. */
function softValue(prefix: readonly number[]): number {
  let sum = 0
  RUNS.forEach((run, a) => {
    if (!prefix.every((branch, t) => run.branches[t] === branch)) return
    const after = logprobsOf(REFERENCE, run).slice(prefix.length)
    sum += Math.exp(after.reduce((x, y) => x + y, 0) + RETURNS[a]! / BETA)
  })
  return BETA * Math.log(sum)
}

function farthest(policy: ReadonlyMap<string, number>): number {
  return Math.max(
    ...RUNS.flatMap((run) =>
      rewardsOf(policy, run).map((reward, t) => {
        const change = softValue(run.branches.slice(0, t + 1)) - softValue(run.branches.slice(0, t))
        return Math.abs(reward - change)
      }),
    ),
  )
}

describe('implicit rewards on a tree that can be solved exactly', () => {
  it('trained on preferences with the sum, are the changes of the soft value to 1e-6', () => {
    expect(farthest(trained('sum'))).toBeLessThan(1e-6)
  })

  it('are not, with the mean over steps and runs of unequal length', () => {
    expect(farthest(trained('mean'))).toBeGreaterThan(0.05)
  })

  it('with the mean do not telescope: cutting a step in two changes the margin, the sum stays', () => {
    const [own, base] = [
      [-0.1, -0.5, -0.2, -0.9],
      [-0.3, -0.4, -0.6, -0.7],
    ] as const
    const whole = stepRewards(own, base, [1, 3], 0, 0.5)
    const cut = stepRewards(own, base, [0, 1, 3], 0, 0.5)
    expect(marginOf(cut, 'sum')).toBeCloseTo(marginOf(whole, 'sum'), 12)
    expect(Math.abs(marginOf(cut, 'mean') - marginOf(whole, 'mean'))).toBeGreaterThan(0.01)
  })
})

describe('implicit rewards of an embedded pair', () => {
  let chains: Awaited<ReturnType<typeof loadEmbedded>>
  beforeAll(async () => {
    chains = await loadEmbedded('chains')
  })
  afterAll(() => chains.dispose())

  const lines = arithmeticChain.generate('implicit', 0, 12).map((problem) => ({
    problem,
    steps: (problem.solution ?? []).map((text) => ({ text, kind: 'thought' as const })),
  }))
  const settings = { beta: 0.05, reduce: 'sum' as const, name: 'implicit', identity: 'test' }

  it('a model against itself rewards nothing: every score is .5', async () => {
    const reward = implicitReward({ ...settings, reader: chains, model: chains, reference: chains })
    const [first, unknown] = await reward.score([
      lines[0]!,
      { problem: { id: 'x', prompt: '1+1' }, steps: [{ text: '=2', kind: 'answer' }] },
    ])
    expect(first?.ok && first.scores).toEqual(lines[0]?.steps.map(() => 0.5))
    expect(!unknown?.ok && unknown?.error.code).toBe('GRD-WORLD-001')
  })
})
