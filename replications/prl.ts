import { differenceOf, estimateOf, mean, passAtK, type Resampled, resampled } from '../src/core/stats/index.ts'
import type { Attempt } from '../src/improve/credit/credit.ts'
import { logRatio } from '../src/improve/credit/log-ratio.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { heldOutProblems } from '../src/models/policies/embedded/lessons.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { meanFigure } from './chains.ts'
import {
  drawRuns,
  type Group,
  isRight,
  LEVEL,
  type Learner,
  learn,
  learnerOf,
  referenceOf,
  type TokenAdvantages,
} from './policy-training.ts'
import { FORMS, onTree, pairOf } from './prl-trees.ts'

const SAMPLES = 16
/** Twice what suits runs of 200,000 tokens (docs/policy-gradient-measured.md), since these are shorter. */
const RATE = 1e-3
const SIZE = {
  // Two updates: at the first one policy and reference are still the same, and so are all arms.
  quick: { trees: 4, seeds: 1, tokens: 15_000, problems: 20, tuning: null },
  full: { trees: 30, seeds: 4, tokens: 120_000, problems: 150, tuning: { tokens: 50_000, problems: 60 } },
} as const

const OUTCOMES = 'outcomes alone'
const PRL = 'PRL by step, from its first token'
const KL_ARMS = ['KL loss (k3)', 'log-ratio of the whole run in the reward']

/**
 * Slope by log p of the KL loss k3 = exp(-d) - 1 + d of a token, d = log p - log p of the reference: at the policy that
 * wrote the text the loss is the same as an advantage of minus this (Schulman 2020, "Approximating KL divergence").
 */
export const lossSlope = (logprob: number, reference: number): number => 1 - Math.exp(reference - logprob)

/** How the runs of a group become one number a token; `strength` of the pull, one of the arm's grid. */
interface Pull {
  name: string
  control: boolean
  /** 1 / eta, or the weight of the loss. */
  grid: readonly number[]
  advantages(group: readonly Attempt[], strength: number): number[][][]
}

const GRID = [1 / 64, 1 / 16, 1 / 4, 1]
const PULLS: readonly Pull[] = [
  { name: OUTCOMES, control: true, grid: [0], advantages: (group) => evenly(group, byOutcome(group)) },
  {
    name: KL_ARMS[0]!,
    control: true,
    grid: [0.03, 0.1, 0.3, 1],
    advantages(group, strength) {
      const whole = byOutcome(group)
      return group.map(({ steps }, i) =>
        steps.map(({ logprobs = [], reference = [] }, t) =>
          logprobs.map((own, k) => whole[i]![t]! - strength * lossSlope(own, reference[k] ?? own)),
        ),
      )
    },
  },
  { name: KL_ARMS[1]!, control: true, grid: GRID, advantages: (group, s) => byRatio(group, s, { per: 'sequence' }) },
  { name: PRL, control: false, grid: GRID, advantages: (group, s) => byRatio(group, s, { per: 'step' }) },
  {
    name: 'PRL by step, as released',
    control: false,
    grid: GRID,
    advantages: (group, s) => byRatio(group, s, { per: 'step', from: 'as-released' }),
  },
]

function byOutcome(group: readonly Attempt[]): number[][] {
  return outcome.credit(group).map(({ advantages }) => advantages)
}

function byRatio(group: readonly Attempt[], strength: number, options: object): number[][][] {
  const credits = logRatio.credit(group, { eta: 1 / strength, ...options })
  return evenly(
    group,
    credits.map(({ advantages }) => advantages),
  )
}

/** The same number for every token of a step. */
function evenly(group: readonly Attempt[], advantages: readonly (readonly number[])[]): number[][][] {
  return group.map(({ steps }, i) =>
    steps.map(({ tokens }, t) => Array.from({ length: tokens }, () => advantages[i]?.[t] ?? 0)),
  )
}

/** What was seen of a trained policy on held-out problems. */
interface Seen {
  right: number[]
  distance: number
  entropy: number
}

/** Does the pull to the reference, written as a reward of every step, train better than other ways to pull? */
export const prl: Replication = {
  paper: 'prl',
  title: 'The pull to a reference as a reward of steps',
  claim:
    'outcome minus the log-ratio to the reference that is still to come trains a policy that is right more often (avg@16) and solves more problems at all (pass@16) than outcomes alone and other ways of holding it near the reference',
  failsIf:
    'the embedded policy trained by it (step from its first token) is not above both tuned ways of KL control (k3 loss, log-ratio of the whole run in the reward) on avg@16, nor on pass@16, by the interval of the paired difference over problems; "partly" when it is above both on one of them, but not above outcomes alone on both',
  setting:
    'embedded policy `chains` on self-repairing chains of 4 operations, 32 problems x 8 runs an update, 120,000 drawn tokens an arm, 150 held-out problems x 16 runs, 4 seeds (the paper card asks for 8 and longer runs); every strength from a grid of 4 by the mean of avg@16 and pass@16 on one seed and 60 problems of its own, after 50,000 tokens; beside it small trees whose runs can all be counted, eta 2',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const size = SIZE[quick ? 'quick' : 'full']
    progress('trees')
    const trees = onTrees(size.trees, seed)
    const learner = await learnerOf(`${seed}/prl`)
    const chosen = new Map<string, number>()
    const notes: string[] = []
    for (const pull of PULLS) {
      const found: { strength: number; good: number }[] = []
      for (const strength of size.tuning && pull.grid.length > 1 ? pull.grid : []) {
        const { right } = await taught(learner, pull, strength, 'tune', size.tuning!)
        found.push({ strength, good: (mean(average(right)) + mean(any(right))) / 2 })
        progress(`${pull.name}, ${strength}: ${found.at(-1)?.good.toFixed(3)}`)
      }
      const best =
        found.toSorted((a, b) => b.good - a.good)[0]?.strength ?? pull.grid[Math.min(1, pull.grid.length - 1)]!
      chosen.set(pull.name, best)
      if (found.length > 0) {
        const tried = found.map(({ strength, good }) => `${strength}: ${good.toFixed(3)}`).join(', ')
        notes.push(`${pull.name}: strength ${best} of ${tried}`)
      }
    }
    const seen = new Map<string, Seen[]>()
    for (const pull of PULLS) {
      for (let s = 0; s < size.seeds; s++) {
        const one = await taught(learner, pull, chosen.get(pull.name)!, String(s), size)
        seen.set(pull.name, [...(seen.get(pull.name) ?? []), one])
        progress(`${pull.name}, seed ${s}: ${mean(average(one.right)).toFixed(3)}`)
      }
    }
    await learner.engine.close()
    learner.start.dispose()
    return judged(seen, trees, notes, seed)
  },
}

/** Every form of the pull on small trees: its gradient against the exact one, and where training by it arrives. */
export function onTrees(count: number, seed: string): ReplicationResult['settings'][number] {
  const pairs = Array.from({ length: count }, (_, i) => pairOf(`${seed}/${i}`))
  return {
    name: `${count} trees of 64 runs`,
    arms: FORMS.map((form): Arm => {
      const found = pairs.map((pair, i) => onTree(pair, form, `${seed}/prl/${i}`))
      return {
        name: form.name,
        control: form.control,
        figures: [
          meanFigure(
            'relative error of the gradient',
            found.map(({ error }) => error),
            seed,
          ),
          meanFigure(
            'variance of the gradient',
            found.map(({ variance }) => variance),
            seed,
          ),
          meanFigure(
            'way to the best gone',
            found.map(({ gone }) => gone),
            seed,
          ),
        ],
      }
    }),
  }
}

async function taught(
  learner: Learner,
  { name, advantages }: Pull,
  strength: number,
  seed: string,
  { tokens, problems }: { tokens: number; problems: number },
): Promise<Seen> {
  const plan = { name: `${name}/${strength}`, seed, rate: RATE, tokens }
  const { weights } = await learn(
    learner,
    plan,
    async (groups): Promise<TokenAdvantages[][]> =>
      (await attemptsOf(learner, groups)).map((group) => advantages(group, strength)),
  )
  const held = heldOutProblems(task, LEVEL, `${learner.seed}/held/${seed === 'tune' ? 'tune' : 'report'}`, problems)
  const found = await drawRuns(learner, { weights, name: `held/${plan.name}/${seed}` }, held, SAMPLES)
  const some = held.flatMap((problem, i) => (found[i] ?? []).slice(0, 4).map((steps) => ({ problem, steps })))
  const before = (await referenceOf(learner, some)).map((steps) => steps.flat())
  const after = some.map(({ steps }) => steps.flatMap((step) => step.tokens?.logprobs ?? []))
  const ratios = after.flatMap((own, i) => own.flatMap((x, t) => (before[i]![t] === null ? [] : [x - before[i]![t]!])))
  return {
    right: held.map((problem, i) => (found[i] ?? []).filter((steps) => isRight(problem, steps)).length),
    distance: mean(ratios),
    entropy: -mean(after.flat()),
  }
}

/** Runs with the log-probabilities of both; the end token counts as equally likely for both. */
async function attemptsOf(learner: Learner, groups: readonly Group[]): Promise<Attempt[][]> {
  const all = groups.flatMap(({ problem, runs }) => runs.map((steps) => ({ problem, steps })))
  const references = (await referenceOf(learner, all)).values()
  return groups.map(({ problem, runs }) =>
    runs.map((steps, i): Attempt => {
      const reference = references.next().value ?? []
      return {
        id: `${problem.id}#${i}`,
        outcome: Number(isRight(problem, steps)),
        startValue: null,
        steps: steps.map(({ text, tokens }, t) => {
          const logprobs = tokens?.logprobs ?? []
          return {
            text,
            tokens: logprobs.length,
            score: null,
            value: null,
            logprobs,
            reference: logprobs.map((own, k) => reference[t]?.[k] ?? own),
          }
        }),
      }
    }),
  )
}

const average = (right: readonly number[]): number[] => right.map((r) => r / SAMPLES)
const any = (right: readonly number[]): number[] => right.map((r) => passAtK(SAMPLES, r, SAMPLES))

function judged(
  seen: ReadonlyMap<string, Seen[]>,
  trees: ReplicationResult['settings'][number],
  notes: string[],
  seed: string,
): ReplicationResult {
  const names = [...seen.keys()]
  const problems = seen.get(OUTCOMES)?.[0]?.right.map((_, i) => i) ?? []
  const over = (of: (right: readonly number[]) => number[]): Resampled[] =>
    resampled(
      problems,
      names.map((name) => {
        const each = (seen.get(name) ?? []).map(({ right }) => of(right))
        const values = problems.map((i) => mean(each.map((own) => own[i] ?? Number.NaN)))
        return (items: readonly number[]) => mean(items.map((i) => values[i]!))
      }),
      { seed },
    )
  const metrics = { 'avg@16': over(average), 'pass@16': over(any) }
  const at = (found: readonly Resampled[], name: string): Resampled => found[names.indexOf(name)]!
  const above = (found: readonly Resampled[], control: string): boolean =>
    differenceOf(at(found, PRL), at(found, control)).low > 0
  const overKl = Object.values(metrics).some((found) => KL_ARMS.every((control) => above(found, control)))
  const overOutcomes = Object.values(metrics).every((found) => above(found, OUTCOMES))
  const flat = (value: number) => ({ value, low: value, high: value })
  return {
    settings: [
      {
        name: 'embedded policy',
        arms: PULLS.map(({ name, control }): Arm => {
          const own = seen.get(name) ?? []
          return {
            name,
            control,
            figures: [
              ...Object.entries(metrics).map(([metric, found]) => ({
                name: metric,
                estimate: estimateOf(at(found, name)),
                n: problems.length,
              })),
              { name: 'KL a token', estimate: flat(mean(own.map(({ distance }) => distance))), n: own.length },
              { name: 'entropy', estimate: flat(mean(own.map(({ entropy }) => entropy))), n: own.length },
            ],
          }
        }),
      },
      trees,
    ],
    outcome: !overKl ? 'fails' : overOutcomes ? 'holds' : 'partly',
    because: `it is ${overKl ? '' : 'not '}above both tuned ways of KL control on avg@16 or pass@16, and ${overOutcomes ? '' : 'not '}above outcomes alone on both`,
    notes: [
      ...Object.entries(metrics).flatMap(([metric, found]) =>
        names
          .filter((name) => name !== PRL)
          .map((name) => {
            const { value, low, high } = differenceOf(at(found, PRL), at(found, name))
            return `${metric}: PRL minus ${name} ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
          }),
      ),
      `avg@16 by seed: ${names.map((name) => `${name} ${(seen.get(name) ?? []).map(({ right }) => mean(average(right)).toFixed(3)).join(', ')}`).join('; ')}`,
      ...notes,
      'it counts how little of the pull is spent later, nothing about whether a step is right',
    ],
  }
}
