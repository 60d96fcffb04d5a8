import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import type { Attempt } from '../src/improve/credit/credit.ts'
import {
  chances,
  differences,
  everyRun,
  type Gradient,
  gradientOf,
  relativeError,
  type Toy,
  type ToyRun,
} from '../src/improve/credit/exact.testing.ts'
import { logRatio } from '../src/improve/credit/log-ratio.ts'

/** Two choices a token, six tokens, two a step: small enough to count every run. */
const SHAPE = { actions: 2, depth: 6, step: 2 }
/** Inverse strength of the pull, as in the check of papers/prl.md. */
export const ETA = 2
const GROUP = 8
const UPDATES = 300
const RATE = 0.05
/** Chance that an end is right. */
const RIGHT = 0.3

/** A policy and its reference over the same tree. */
export interface Pair {
  policy: Toy
  reference: Toy
}

/** The way that a run answers for the pull. */
export interface Form {
  name: string
  control: boolean
  /** Of the method `log-ratio`; null = no pull at all. */
  options: Record<string, unknown> | null
}

export const FORMS: readonly Form[] = [
  { name: 'outcomes alone', control: true, options: null },
  { name: 'whole run in the reward', control: true, options: { per: 'sequence' } },
  { name: 'PRL by token', control: false, options: { per: 'token' } },
  { name: 'PRL by step, from its first token', control: false, options: { per: 'step' } },
  { name: 'PRL by step, as released', control: false, options: { per: 'step', from: 'as-released' } },
]

export function pairOf(seed: string): Pair {
  const draw = random(`prl/tree/${seed}`)
  const prefixes = everyPrefix('')
  const logits = (): Map<string, number[]> =>
    new Map(prefixes.map((prefix) => [prefix, Array.from({ length: SHAPE.actions }, () => draw.normal())]))
  const ends = new Map<string, number>()
  const outcome = (path: string): number => {
    const known = ends.get(path) ?? Number(random(`prl/end/${seed}/${path}`).next() < RIGHT)
    ends.set(path, known)
    return known
  }
  const toy = { actions: SHAPE.actions, depth: SHAPE.depth, outcome }
  return { policy: { ...toy, logits: logits() }, reference: { ...toy, logits: logits() } }
}

function everyPrefix(prefix: string): string[] {
  if (prefix.length === SHAPE.depth) return []
  const below = Array.from({ length: SHAPE.actions }, (_, a) => everyPrefix(prefix + a)).flat()
  return [prefix, ...below]
}

const logprobsOf = ({ logits }: Toy, path: string): number[] =>
  [...path].map((a, t) => Math.log(chances(logits.get(path.slice(0, t)) ?? [])[Number(a)] ?? 0))

export function attemptOf({ policy, reference }: Pair, { path, outcome }: Pick<ToyRun, 'path' | 'outcome'>): Attempt {
  const [own, of] = [logprobsOf(policy, path), logprobsOf(reference, path)]
  const starts = Array.from({ length: SHAPE.depth / SHAPE.step }, (_, k) => k * SHAPE.step)
  return {
    id: path,
    outcome,
    startValue: null,
    steps: starts.map((t) => ({
      text: path.slice(t, t + SHAPE.step),
      tokens: SHAPE.step,
      score: null,
      value: null,
      logprobs: own.slice(t, t + SHAPE.step),
      reference: of.slice(t, t + SHAPE.step),
    })),
  }
}

/** E[outcome] - KL / eta. */
export function objective({ policy, reference }: Pair): number {
  return everyRun(policy).reduce((sum, { path, chance, outcome }) => {
    const of = logprobsOf(reference, path)
    const ratio = logprobsOf(policy, path).reduce((s, x, t) => s + x - (of[t] ?? 0), 0)
    return sum + chance * (outcome - ratio / ETA)
  }, 0)
}

/** What the best policy makes of a prefix: log E[exp(eta outcome)] / eta over runs of the reference from it. */
export function bestValue(reference: Toy, prefix: string): number {
  const below = everyRun(reference).filter(({ path }) => path.startsWith(prefix))
  const total = below.reduce((sum, { chance }) => sum + chance, 0)
  return Math.log(below.reduce((sum, { chance, outcome }) => sum + (chance / total) * Math.exp(ETA * outcome), 0)) / ETA
}

/** The best policy itself: the reference, each choice weighed by the exponential of what it changes in value. */
export function bestPolicy(reference: Toy): Toy {
  const logits = new Map(
    [...reference.logits].map(([prefix, own]) => [
      prefix,
      own.map((x, a) => x + ETA * (bestValue(reference, prefix + a) - bestValue(reference, prefix))),
    ]),
  )
  return { ...reference, logits }
}

/** One advantage a token of each run of a group. */
export function tokenAdvantages(group: readonly Attempt[], { options }: Form, outcome: object): number[][] {
  // A pull that is endlessly weak is none.
  const settings = { ...outcome, ...(options ? { eta: ETA, ...options } : { eta: Number.MAX_VALUE }) }
  return logRatio
    .credit(group, settings)
    .map(({ advantages, tokens }, i) =>
      (group[i]?.steps ?? []).flatMap(({ tokens: count }, t) =>
        Array.from({ length: count }, (_, k) => tokens?.[t]?.[k] ?? advantages[t] ?? 0),
      ),
    )
}

export interface OnTree {
  /** |expected gradient - exact gradient| / |exact gradient|. */
  error: number
  /** Variance of the gradient of one run over the square of the exact gradient. */
  variance: number
  /** How much of the way from the reference's objective to the best one is gone after training in groups of 8. */
  gone: number
}

/** One form on one tree: bias and variance by counting every run, then training from the reference on sampled groups. */
export function onTree(pair: Pair, form: Form, seed: string): OnTree {
  const { policy, reference } = pair
  const exact = differences(policy, (now) => objective({ policy: now, reference }))
  const runs = everyRun(policy)
  const alone = { baseline: 'none', scale: 'none' }
  const advantages = runs.map((run) => tokenAdvantages([attemptOf(pair, run)], form, alone)[0] ?? [])
  // The mean at each token is the baseline of all forms alike.
  const means = Array.from({ length: SHAPE.depth }, (_, t) =>
    runs.reduce((sum, { chance }, i) => sum + chance * (advantages[i]?.[t] ?? 0), 0),
  )
  const terms = runs.map(({ path, chance }, i) => ({
    path,
    weight: chance,
    advantages: (advantages[i] ?? []).map((a, t) => a - (means[t] ?? 0)),
  }))
  const expected = gradientOf(policy, terms)
  const second = terms.reduce(
    (sum, { weight, ...term }) => sum + weight * square(gradientOf(policy, [{ ...term, weight: 1 }])),
    0,
  )
  const from = objective({ policy: reference, reference })
  const to = objective({ policy: climbed(reference, form, seed), reference })
  return {
    error: relativeError(expected, exact),
    variance: (second - square(expected)) / square(exact),
    gone: (to - from) / (bestValue(reference, '') - from),
  }
}

const square = (gradient: Gradient): number => [...gradient.values()].flat().reduce((sum, x) => sum + x * x, 0)

/** Plain gradient steps from sampled groups; the reference is where it starts, as in training. */
function climbed(reference: Toy, form: Form, seed: string): Toy {
  const draw = random(seed)
  let policy = reference
  for (let update = 0; update < UPDATES; update++) {
    const now = policy
    const paths = Array.from({ length: GROUP }, () => {
      let path = ''
      while (path.length < now.depth) path += Number(draw.next() >= (chances(now.logits.get(path) ?? [])[0] ?? 0))
      return path
    })
    const group = paths.map((path) => attemptOf({ policy: now, reference }, { path, outcome: now.outcome(path) }))
    const advantages = tokenAdvantages(group, form, { baseline: 'leave-one-out', scale: 'none' })
    // Each token is compared with the mean of the group at the same place.
    const means = paths[0] ? [...paths[0]].map((_, t) => mean(advantages.map((own) => own[t] ?? 0))) : []
    const gradient = gradientOf(
      now,
      paths.map((path, i) => ({
        path,
        weight: 1 / GROUP,
        advantages: (advantages[i] ?? []).map((a, t) => a - (means[t] ?? 0)),
      })),
    )
    policy = {
      ...now,
      logits: new Map(
        [...now.logits].map(([prefix, own]) => [
          prefix,
          own.map((x, a) => x + RATE * GROUP * (gradient.get(prefix)?.[a] ?? 0)),
        ]),
      ),
    }
  }
  return policy
}
