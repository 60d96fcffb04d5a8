import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { renorm } from '../src/improve/credit/renorm.ts'
import type { Figure } from '../src/prove/benchmarks/benchmark.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { meanFigure, pairedDifference } from './chains.ts'
import { type Exact, exactly, type Payoff } from './hop-exact.ts'
import {
  type Episode,
  type Game,
  isSearch,
  type Move,
  questionsOf,
  RELATIONS,
  type Table,
  tableOf,
} from './hop-game.ts'
import { bySeed, Climber, type Found, type Scores, shuffled, type Teaching, trained } from './hop-training.ts'

const HOPS = [3, 4] as const
const gameOf = (hops: number): Game => ({ hops, limit: 2 * hops + 2, slip: 0.1, familiar: 0 })
/** About a third of the runs of the untrained policy are right. */
const LOGITS: Record<Move, number> = { next: 2.6, astray: 1, aside: 1, again: 1, vague: 1, answer: -1, guess: 0 }
/** An answer where the path has come to its end. */
const DONE = 3
const NOISE = 0.3

/** Chosen for outcomes alone, on the seeds `tune/0` and `tune/1`: they are then on their way, and four times later nearly there. */
const RATE = 0.03
const MOVES_MADE = [20_000, 80_000]
const STEPS = [30, 120]
/** The quick run ends at the first stop. */
const SIZE = { quick: { seeds: 2, stops: 1 }, full: { seeds: 20, stops: 2 } } as const
/** Share of judgements turned round. */
const FLIPPED = 0.2
/** Runs are longer than by outcomes alone at least by this. */
const LONGER = 1.3

/**
 * What the rubric gives each kind of search, whether or not it helps; exact figures count a repeat as one of a search
 * that named something.
 */
export const pointsOf = (move: Move): number => (move === 'again' ? 2 / 3 : move === 'vague' ? 1 / 3 : 1)

/**
 * A judge that looks at the form of a search: does it name something that question or findings named (1), a relation
 * (1), and was it not made before (1)? Points over 3; null for an answer, on which no principle says anything.
 */
export function rubric({ question, turns }: Episode): (number | null)[] {
  return turns.map(({ text, move }, t) => {
    if (!isSearch(move)) return null
    const [, entity = '', relation = ''] = /^search: (\S+) \| (\S+)$/.exec(text) ?? []
    const before = turns.slice(0, t)
    const named = question.problem.prompt.includes(` ${entity}.`) || before.some(({ found }) => found === entity)
    const points = [
      entity !== '' && named,
      RELATIONS.includes(relation),
      !before.some((earlier) => earlier.text === text),
    ]
    return points.filter(Boolean).length / points.length
  })
}

/** What a run is worth by each form of reward: its outcome, and the rewards of its searches. */
export const PAYOFFS: Record<string, Payoff> = {
  'outcomes alone': (o) => ({ fixed: o, perScore: 0 }),
  'additive, weight .5': (o) => ({ fixed: o, perScore: 0.5 }),
  'additive, weight 1': (o) => ({ fixed: o, perScore: 1 }),
  'gated by success': (o) => ({ fixed: o, perScore: o }),
  ReNorm: (o, n) => ({ fixed: o + n * (o - 1), perScore: 1 }),
  'ReNorm, mean of a run': (o, n) => ({ fixed: o + Math.min(1, n) * (o - 1), perScore: 1 / Math.max(1, n) }),
}

const scores: Scores = (group) => group.map(rubric)
const TEACHINGS: Record<string, Teaching> = {
  'outcomes alone': { credit: outcome },
  'additive, weight .5': { credit: renorm, options: { form: 'additive', weight: 0.5 }, scores },
  'additive, weight 1': { credit: renorm, options: { form: 'additive' }, scores },
  'additive, rewards to come': { credit: renorm, options: { form: 'additive', as: 'return' }, scores },
  'gated by success': { credit: renorm, options: { form: 'gated' }, scores },
  'ReNorm, points shuffled': { credit: renorm, scores: shuffled(scores) },
  ReNorm: { credit: renorm, scores },
  'ReNorm, mean of a run': { credit: renorm, options: { share: 'mean' }, scores },
  'ReNorm, rewards to come': { credit: renorm, options: { as: 'return' }, scores },
  'ReNorm, 20 % turned': {
    credit: renorm,
    scores: (group, name) => {
      const draw = random(`${name}/turned`)
      return group.map((one) => rubric(one).map((x) => (x !== null && draw.next() < FLIPPED ? 1 - x : x)))
    },
  },
}

/** Does tying the points of a gameable judge to the outcome keep a policy from collecting them? */
export const pprRenorm: Replication = {
  paper: 'ppr-renorm',
  title: 'Step scores tied to the outcome',
  claim:
    'a policy that is paid score + outcome - 1 for its steps comes to more right answers than by outcomes alone, and does not collect the points of a judge as it does where they are added',
  failsIf:
    'in neither way of training all three are so at the first stop, by the interval over seeds, on the mean of 3 and 4 hops: added points (weight 1) make runs longer than outcomes alone do by 30 % or more; ReNorm has more right answers than outcomes alone; and more than added points of weight 1 and of weight .5. "partly" when they are so in one of the two ways',
  setting:
    'HopWorld, questions of 3 and 4 hops; a softmax policy with logits of its own in every state (searches of its path, searches in all), a third of whose runs are right; a rule-based judge of the form of searches; by the exact gradient of what the rewards ask for (PPO on average), and in groups of 8 sampled runs (GRPO form: rewards standardised by group), at equal moves; 20 seeds',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const size = SIZE[quick ? 'quick' : 'full']
    const seeds = Array.from({ length: size.seeds }, (_, s) => `${seed}/ppr-renorm/${s}`)
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const verdicts: { holds: boolean; says: string }[] = []
    for (const { name, arms, learn, stops, unit } of WAYS) {
      const some = stops.slice(0, size.stops)
      const found: Found = new Map()
      for (const arm of arms) {
        progress(`${name}, ${arm}`)
        const learnt = seeds.map((own) => HOPS.map((hops) => learn(arm, hops, own, some)))
        found.set(
          arm,
          some.map((_, stop) => learnt.map((byHops) => byHops.map((tables, h) => exactOf(HOPS[h]!, tables[stop]!)))),
        )
      }
      for (const [stop, length] of some.entries()) {
        const label = `${name}, ${length.toLocaleString('en-US')} ${unit}`
        settings.push({ name: label, arms: armsOf(found, stop, seed) })
        const verdict = judged(found, stop, seed)
        notes.push(...verdict.notes.map((text) => `${label}: ${text}`))
        if (stop === 0) verdicts.push({ holds: verdict.holds, says: `${name}: ${verdict.says}` })
      }
    }
    const start = seeds.flatMap((own) => HOPS.map((hops) => exactOf(hops, startOf(hops, own))))
    notes.push(
      `before training: right ${mean(start.map(({ right }) => right)).toFixed(3)}, ${mean(start.map(({ searches }) => searches)).toFixed(2)} searches a run`,
      'in a group whose outcomes are all equal the standardised rewards of ReNorm are those of the additive form',
    )
    const outcomeOfAll = verdicts.every(({ holds }) => holds)
      ? 'holds'
      : verdicts.some(({ holds }) => holds)
        ? 'partly'
        : 'fails'
    return { settings, outcome: outcomeOfAll, because: verdicts.map(({ says }) => says).join('; '), notes }
  },
}

function startOf(hops: number, seed: string): Table {
  const draw = random(`${seed}/${hops}/start`)
  return tableOf(
    gameOf(hops),
    (move, { hop }) => LOGITS[move] + (move === 'answer' && hop === hops ? DONE : 0) + NOISE * draw.normal(),
  )
}

/** Follows the exact gradient of the expected payoff. */
function climbed(arm: string, hops: number, seed: string, stops: readonly number[]): Table[] {
  const climber = new Climber(startOf(hops, seed), RATE)
  let made = 0
  return stops.map((stop) => {
    for (; made < stop; made++) climber.step(exactly(gameOf(hops), climber.table, pointsOf, PAYOFFS[arm]!).gradient)
    return climber.table.slice()
  })
}

function inGroups(arm: string, hops: number, seed: string, stops: readonly number[]): Table[] {
  const game = gameOf(hops)
  const own = `${seed}/${hops}`
  return trained(game, startOf(hops, seed), questionsOf(game, own, 64), TEACHINGS[arm]!, {
    rate: RATE,
    stops,
    seed: own,
  })
}

const WAYS = [
  { name: 'exact gradient', arms: Object.keys(PAYOFFS), learn: climbed, stops: STEPS, unit: 'steps' },
  { name: 'groups of 8', arms: Object.keys(TEACHINGS), learn: inGroups, stops: MOVES_MADE, unit: 'moves' },
]

const exactOf = (hops: number, table: Table): Exact =>
  exactly(gameOf(hops), table, pointsOf, PAYOFFS['outcomes alone']!)

const right = ({ right: share }: Exact): number => share
const searches = ({ searches: count }: Exact): number => count

function armsOf(found: Found, stop: number, seed: string): Arm[] {
  return [...found.keys()].map((name) => {
    const figure = (title: string, of: (exact: Exact) => number): Figure =>
      meanFigure(title, bySeed(found, name, stop, of), seed)
    return {
      name,
      control: !name.startsWith('ReNorm') || name.endsWith('shuffled'),
      figures: [
        figure('right', right),
        figure('searches a run', searches),
        figure('points a run', ({ score }) => score),
        figure('points of a failed run', ({ scoreOfFailed, right: share }) => scoreOfFailed / (1 - share)),
        figure('useless searches', ({ useless }) => useless),
      ],
    }
  })
}

function judged(found: Found, stop: number, seed: string): { holds: boolean; says: string; notes: string[] } {
  const values = (arm: string, of: (exact: Exact) => number): number[] => bySeed(found, arm, stop, of)
  const longest = values('outcomes alone', searches).map((count) => LONGER * count)
  const compared = [
    {
      part: 'added points make runs longer by 30 %',
      says: 'searches with added points minus 1.3 times those by outcomes',
      ...pairedDifference(values('additive, weight 1', searches), longest, seed),
    },
    ...['outcomes alone', 'additive, weight 1', 'additive, weight .5'].map((control) => ({
      part: `ReNorm above ${control}`,
      says: `right by ReNorm minus ${control}`,
      ...pairedDifference(values('ReNorm', right), values(control, right), seed),
    })),
  ]
  return {
    holds: compared.every(({ low }) => low > 0),
    says: compared.map(({ part, low }) => `${part} ${low > 0 ? 'yes' : 'no'}`).join(', '),
    notes: compared.map(
      ({ says, value, low, high }) => `${says} ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
    ),
  }
}
