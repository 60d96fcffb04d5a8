import { GradusError } from '../core/errors.ts'
import { random } from '../core/seeds.ts'
import { questionKey, questionOf } from '../core/split.ts'
import { differenceOf, type Estimate, estimateOf, groupsOf, mean, passAtK, resampled } from '../core/stats/index.ts'
import type { Label, StepLabel, Trace } from '../core/words.ts'
import { answersOf } from '../improve/search/context.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from '../models/rewards/aggregators.ts'

/** One sample of a question. */
export interface BonCandidate {
  /** Number of its answer among the different ones of the question; null = it states none and is never chosen. */
  answer: number | null
  right: boolean
  /** Tokens that the policy spent on it. */
  tokens: number
  /** Step scores, one list a scorer; null = this scorer has none. */
  scores: readonly (readonly (number | null)[] | null)[]
}

export interface BonQuestion {
  /** What is resampled whole. */
  question: string
  candidates: readonly BonCandidate[]
}

export interface BonScorer {
  name: string
  /** Its own way from step scores to one. */
  aggregate: AggregatorName
  /** Tokens that it spends on a candidate, on average; nothing is added where nobody says. */
  tokens?: number
}

export interface BonRow {
  arm: string
  /** Random, majority and pass@N: what any scorer must be seen beside. */
  control: boolean
  n: number
  /** Share of questions answered right. */
  right: Estimate
  /** Tokens a question, policy and scorer together. */
  tokens: number
}

export interface BonDifference {
  first: string
  other: string
  n: number
  estimate: Estimate
}

export interface BonTable {
  /** Questions with as many candidates as the largest N. */
  questions: number
  /** Those among them with right and wrong candidates: only there a choice can matter. */
  mixed: number
  rows: BonRow[]
  /** At the largest N, paired on the same resamples of questions. */
  differences: BonDifference[]
  notes: string[]
}

export interface BonOptions {
  /** Sizes of the choice; 1, 2, 4, 8, 16 as far as there are candidates. */
  ns?: readonly number[]
  /** Random choices of N out of all candidates a question; every arm sees the same ones. */
  subsets?: number
  seed?: string
}

const NS = [1, 2, 4, 8, 16] as const
const SUBSETS = 20
const CHANCE = 'random'

/** An arm's chance to be right on one choice of candidates (in the order of sampling). */
interface Arm {
  name: string
  control: boolean
  scorer?: number
  rightOf(chosen: readonly BonCandidate[]): number
}

/**
 * Best-of-N with every aggregator of every scorer beside weighted votes, majority, random and pass@N, on the same
 * candidates. Equal scores and equal votes: the earlier sample.
 *
 * @throws GradusError GRD-EVAL-003 where no question has two candidates
 */
export function bestOfNCurves(
  all: readonly BonQuestion[],
  scorers: readonly BonScorer[],
  { ns = NS, subsets = SUBSETS, seed = 'bon' }: BonOptions = {},
): BonTable {
  const most = Math.max(0, ...all.map(({ candidates }) => candidates.length))
  const sizes = ns.filter((n) => n <= most)
  const largest = sizes.at(-1) ?? 0
  const questions = all.filter(({ candidates }) => candidates.length >= largest)
  if (largest < 2) {
    throw new GradusError('GRD-EVAL-003', {
      found: `${most} candidate${most === 1 ? '' : 's'} a question at most`,
      expected: 'two or more',
      try: ['gradus sample ... -n 16'],
    })
  }
  const arms = armsOf(scorers)
  const groups = groupsOf(questions.map(({ question }) => question))
  const rows: BonRow[] = []
  const differences: BonDifference[] = []
  for (const n of sizes) {
    const draw = random(`${seed}/${n}`)
    const values = arms.map(() => new Float64Array(questions.length))
    questions.forEach(({ candidates }, q) => {
      const choices = choicesOf(candidates, n, subsets, draw)
      arms.forEach((arm, a) => {
        // By chance: exactly, whichever choices were drawn.
        const own = arm.name === CHANCE ? [candidates] : choices
        values[a]![q] = mean(own.map((chosen) => arm.rightOf(chosen)))
      })
    })
    const anyRight = questions.map(({ candidates }) =>
      passAtK(candidates.length, candidates.filter(({ right }) => right).length, n),
    )
    const columns = [...values, Float64Array.from(anyRight)]
    const taken = resampled(
      groups,
      columns.map((column) => (items: readonly number[]) => mean(items.map((i) => column[i]!))),
      { seed: `${seed}/${n}` },
    )
    const policy = n * mean(questions.flatMap(({ candidates }) => candidates.map(({ tokens }) => tokens)))
    arms.forEach(({ name, control, scorer }, a) => {
      const tokens = policy + (scorer === undefined ? 0 : n * (scorers[scorer]?.tokens ?? 0))
      rows.push({ arm: name, control, n, right: estimateOf(taken[a]!), tokens })
    })
    rows.push({ arm: 'pass@N', control: true, n, right: estimateOf(taken.at(-1)!), tokens: policy })
    if (n !== largest) continue
    for (const [first, other] of comparisons(arms, scorers)) {
      const estimate = differenceOf(taken[arms.indexOf(first)]!, taken[arms.indexOf(other)]!)
      differences.push({ first: first.name, other: other.name, n, estimate })
    }
  }
  const left = all.length - questions.length
  return {
    questions: questions.length,
    mixed: questions.filter(({ candidates }) => new Set(candidates.map(({ right }) => right)).size === 2).length,
    rows,
    differences,
    notes: left > 0 ? [`${left} questions with fewer than ${largest} candidates are left out`] : [],
  }
}

/** The name of the arm that takes the best by a scorer. */
export function bestArm(scorer: string, how: AggregatorName): string {
  return `best by ${scorer}, ${how}`
}

function armsOf(scorers: readonly BonScorer[]): Arm[] {
  const own = scorers.flatMap((scorer, at): Arm[] => [
    ...(Object.keys(AGGREGATORS) as AggregatorName[]).map(
      (how): Arm => ({
        name: bestArm(scorer.name, how),
        control: false,
        scorer: at,
        rightOf: (chosen) => rightOfBest(chosen, (one) => scoreOf(one, at, how)),
      }),
    ),
    {
      name: voteArm(scorer.name),
      control: false,
      scorer: at,
      // A vote needs weights that are not negative.
      rightOf: (chosen) =>
        rightOfVote(
          chosen,
          (one) => scoreOf(one, at, scorer.aggregate === 'log-odds' ? 'product' : scorer.aggregate) ?? 0,
        ),
    },
  ])
  return [
    { name: CHANCE, control: true, rightOf: (chosen) => mean(chosen.map(({ right }) => Number(right))) },
    { name: 'majority', control: true, rightOf: (chosen) => rightOfVote(chosen, () => 1) },
    ...own,
  ]
}

function voteArm(scorer: string): string {
  return `vote weighted by ${scorer}`
}

/** Each scorer against majority and random, and against every other; majority against random. */
function comparisons(arms: readonly Arm[], scorers: readonly BonScorer[]): [Arm, Arm][] {
  const named = (name: string): Arm => arms.find((arm) => arm.name === name)!
  const [majority, chance] = [named('majority'), named(CHANCE)]
  const best = scorers.map(({ name, aggregate: how }) => named(bestArm(name, how)))
  return [
    ...best.flatMap((arm): [Arm, Arm][] => [
      [arm, majority],
      [arm, chance],
    ]),
    ...scorers.map(({ name }): [Arm, Arm] => [named(voteArm(name)), majority]),
    ...best.flatMap((arm, i) => best.slice(i + 1).map((other): [Arm, Arm] => [arm, other])),
    [majority, chance],
  ]
}

/** All candidates where N takes all of them; else random choices, each in the order of sampling. */
function choicesOf(
  candidates: readonly BonCandidate[],
  n: number,
  subsets: number,
  draw: ReturnType<typeof random>,
): BonCandidate[][] {
  if (n === candidates.length) return [[...candidates]]
  const numbers = candidates.map((_, i) => i)
  return Array.from({ length: subsets }, () =>
    draw
      .shuffle(numbers)
      .slice(0, n)
      .sort((a, b) => a - b)
      .map((i) => candidates[i]!),
  )
}

function scoreOf({ scores }: BonCandidate, scorer: number, how: AggregatorName): number | null {
  const own = scores[scorer]
  return own ? aggregate(how, own) : null
}

function rightOfBest(chosen: readonly BonCandidate[], score: (one: BonCandidate) => number | null): number {
  let best: { one: BonCandidate; score: number } | undefined
  for (const one of chosen) {
    if (one.answer === null) continue
    const own = score(one) ?? Number.NEGATIVE_INFINITY
    if (!best || own > best.score) best = { one, score: own }
  }
  return Number(best?.one.right ?? false)
}

function rightOfVote(chosen: readonly BonCandidate[], weight: (one: BonCandidate) => number): number {
  const votes = new Map<number, { sum: number; right: boolean }>()
  for (const one of chosen) {
    if (one.answer === null) continue
    const vote = votes.get(one.answer) ?? { sum: 0, right: one.right }
    vote.sum += weight(one)
    votes.set(one.answer, vote)
  }
  let best: { sum: number; right: boolean } | undefined
  for (const vote of votes.values()) if (!best || vote.sum > best.sum) best = vote
  return Number(best?.right ?? false)
}

/** Labels of reward models are named like this. */
const REWARD = 'reward:'

/**
 * Questions and scorers from traces that `gradus score` has scored: several traces a problem, each with its outcome.
 * Traces without an outcome are left out.
 * @param order of scorers, by name; others come behind, by name
 */
export function poolOf(
  traces: readonly Trace[],
  order: readonly string[] = [],
): { questions: BonQuestion[]; scorers: BonScorer[] } {
  const ended = traces.filter(({ outcome }) => outcome !== undefined)
  const meanings = new Map<string, StepLabel['meaning']>()
  for (const { labels = [] } of ended) {
    for (const label of labels) {
      if (label.source.startsWith(REWARD) && label.meaning !== 'first-error') meanings.set(label.source, label.meaning)
    }
  }
  const rank = (source: string): number => order.indexOf(source.slice(REWARD.length)) + 1 || order.length + 1
  const sources = [...meanings].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const questions = [...Map.groupBy(ended, ({ problem }) => problem.id).values()].map((own): BonQuestion => {
    const { problem } = own[0]!
    const { answerOf, same } = answersOf(problem)
    const known: string[] = []
    return {
      question: questionKey(questionOf(problem)),
      candidates: own.map((trace): BonCandidate => {
        const answer = trace.answer ?? answerOf(trace.steps)
        return {
          answer: answer === null ? null : numberOf(answer, known, same),
          right: trace.outcome! > 0.5,
          tokens: (trace.usage?.promptTokens ?? 0) + (trace.usage?.completionTokens ?? 0),
          scores: sources.map(([source]) => scoresBy(trace.labels ?? [], source, trace.steps.length)),
        }
      }),
    }
  })
  const scorers = sources.map(
    ([source, meaning]): BonScorer => ({
      name: source.slice(REWARD.length),
      aggregate: meaning === 'correctness' ? 'min' : 'last',
    }),
  )
  return { questions, scorers }
}

/** Number of the answer among the known ones, which it joins where it is new. */
export function numberOf(answer: string, known: string[], same: (a: string, b: string) => boolean): number {
  const at = known.findIndex((other) => same(answer, other))
  return at < 0 ? known.push(answer) - 1 : at
}

function scoresBy(labels: readonly Label[], source: string, steps: number): (number | null)[] | null {
  const scores: (number | null)[] = new Array(steps).fill(null)
  let any = false
  for (const label of labels) {
    if (label.source !== source || label.meaning === 'first-error') continue
    scores[label.step] = label.value
    any = true
  }
  return any ? scores : null
}
