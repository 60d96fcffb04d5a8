import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import { dual } from '../src/improve/credit/dual.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import type { Figure } from '../src/prove/benchmarks/benchmark.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { meanFigure, pairedDifference } from './chains.ts'
import { type Exact, exactly } from './hop-exact.ts'
import {
  type Episode,
  type Game,
  type Move,
  policyOf,
  type Question,
  questionsOf,
  type State,
  type Table,
  tableOf,
} from './hop-game.ts'
import {
  candidatesOf,
  modelOf,
  pairAccuracy,
  pairsOf,
  randomModel,
  rankOf,
  type StepModel,
  scoreOf,
} from './hop-pairs.ts'
import { bySeed, type Found, type Scores, shuffled, type Teaching, trained } from './hop-training.ts'

const HOPS = [3, 4] as const
/** Three questions of ten are known beforehand; guessing them is right without any search. */
const gameOf = (hops: number): Game => ({ hops, limit: 2 * hops + 2, slip: 0.1, familiar: 0.3 })
/** About a third of the runs of the untrained policy are right, some by a guess. */
const LOGITS: Record<Move, number> = { next: 2.6, astray: 1, aside: 1, again: 1, vague: 1, answer: -1, guess: -1 }
const DONE = 3
const KNOWN = 1.5
const NOISE = 0.3

/** As chosen for outcomes alone in `ppr-renorm`, whose game and policy these are. */
const RATE = 0.03
const MOVES_MADE = [20_000, 80_000]
/** The quick run ends at the first stop. */
const SIZE = { quick: { seeds: 2, stops: 1 }, full: { seeds: 10, stops: 2 } } as const
/** Weight of the step part, as in the released runs. */
const BETA = 0.3

const OUTCOMES = 'outcomes alone'
const PRORAG = 'ProRAG'
const RANDOM = 'ProRAG, random model'
const BY_JUDGE = 'ProRAG, pairs by a judge'

/** What a seed has learnt before the policy is trained: reward models, from places the untrained policy comes to. */
interface Models {
  rollouts: StepModel
  judge: StepModel
  random: StepModel
  /** Share of the pairs by rollouts that the judge does not order the other way. */
  agreement: number
}

const scoresBy =
  (game: Game, model: StepModel): Scores =>
  (group) =>
    group.map(({ turns }) => turns.map(({ place, move }) => scoreOf(game, model, place, move)))

/** The outcome with the mean score of the run as a bonus, brought back to [0, 1]. */
function withBonus(game: Game, model: StepModel, { turns, outcome: right }: Episode): number {
  return (right + BETA * mean(turns.map(({ place, move }) => scoreOf(game, model, place, move)))) / (1 + BETA)
}

interface ArmOf {
  name: string
  control: boolean
  teaching: (game: Game, models: Models) => Teaching
}

const dualBy =
  (of: keyof Omit<Models, 'agreement'>, options = {}): ArmOf['teaching'] =>
  (game, models) => ({
    credit: dual,
    options: { coef: BETA, ...options },
    scores: scoresBy(game, models[of]),
  })

const ARMS: readonly ArmOf[] = [
  { name: OUTCOMES, control: true, teaching: () => ({ credit: outcome }) },
  {
    name: 'model as a bonus on the outcome',
    control: true,
    teaching: (game, { rollouts }) => ({ credit: outcome, outcome: (episode) => withBonus(game, rollouts, episode) }),
  },
  { name: RANDOM, control: true, teaching: dualBy('random') },
  {
    name: 'ProRAG, scores shuffled',
    control: true,
    teaching: (game, { rollouts }) => ({
      credit: dual,
      options: { coef: BETA },
      scores: shuffled(scoresBy(game, rollouts)),
    }),
  },
  { name: PRORAG, control: false, teaching: dualBy('rollouts') },
  { name: 'ProRAG, compared by steps', control: false, teaching: dualBy('rollouts', { norm: 'step' }) },
  { name: BY_JUDGE, control: false, teaching: dualBy('judge') },
]

/** Do scores of a model of steps, beside the outcome, train a searching policy, and away from unsupported answers? */
export const prorag: Replication = {
  paper: 'prorag',
  title: 'Step scores of a pairwise reward model beside the outcome',
  claim:
    'standardised scores of a reward model of steps, learnt from pairs of next steps, added to the outcome advantage train a searching policy to more right answers than outcomes alone, and to fewer that no search supports',
  failsIf:
    'at the first stop, on the mean of 3 and 4 hops, ProRAG (pairs by rollouts, weight .3, compared by tokens) has not more right answers than the same with a random reward model, by the interval over seeds; "partly" when it has, but not more than outcomes alone, or when its share of right answers that are guesses is not below two thirds of that of outcomes alone',
  setting:
    'HopWorld, questions of 3 and 4 hops, 3 of 10 of them known to the policy beforehand; a softmax policy with logits of its own in every state, a third of whose runs are right, trained in groups of 8; the reward model has a weight a kind of move, place and knowledge, learnt by pairs (5 drawn moves, 8 rollouts each, margin .25) of 400 places of the untrained policy; no refinement by rejection, no format score; 10 seeds',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const size = SIZE[quick ? 'quick' : 'full']
    const stops = MOVES_MADE.slice(0, size.stops)
    const found: Found = new Map(ARMS.map(({ name }) => [name, stops.map(() => [])]))
    const [accuracy, later, agreement]: [Record<'rollouts' | 'judge' | 'random', number[]>, number[], number[]] = [
      { rollouts: [], judge: [], random: [] },
      [],
      [],
    ]
    for (let s = 0; s < size.seeds; s++) {
      progress(`seed ${s}`)
      const ofSeed = ARMS.map(() => stops.map((): Exact[] => []))
      for (const hops of HOPS) {
        const own = `${seed}/prorag/${s}/${hops}`
        const game = gameOf(hops)
        const start = startOf(game, own)
        const questions = questionsOf(game, own, 64)
        const others = questionsOf(game, `${own}/others`, 128)
        const models = learnt(game, start, others, own)
        agreement.push(models.agreement)
        for (const kind of ['rollouts', 'judge', 'random'] as const) {
          accuracy[kind].push(pairAccuracy(game, policyOf(game, start), models[kind], questions, own))
        }
        for (const [a, arm] of ARMS.entries()) {
          const tables = trained(game, start, questions, arm.teaching(game, models), { rate: RATE, stops, seed: own })
          for (const [stop, table] of tables.entries()) ofSeed[a]![stop]!.push(exactOf(game, table))
          if (arm.name === PRORAG) {
            later.push(pairAccuracy(game, policyOf(game, tables.at(-1)!), models.rollouts, questions, own))
          }
        }
      }
      for (const [a, { name }] of ARMS.entries()) {
        for (const [stop, byHops] of ofSeed[a]!.entries()) found.get(name)![stop]!.push(byHops)
      }
    }
    const label = (stop: number): string => `${stops[stop]!.toLocaleString('en-US')} moves`
    const verdicts = stops.map((_, stop) => judged(found, stop, seed))
    const shown = (values: readonly number[]): string => mean(values).toFixed(3)
    return {
      settings: stops.map((_, stop) => ({ name: label(stop), arms: armsOf(found, stop, seed) })),
      outcome: verdicts[0]!.outcome,
      because: verdicts[0]!.because,
      notes: [
        ...verdicts.flatMap(({ says }, stop) => says.map((text) => `${label(stop)}: ${text}`)),
        `pairs that exact Q of the untrained policy orders, right by the model: by rollouts ${shown(accuracy.rollouts)}, by the judge ${shown(accuracy.judge)}, random ${shown(accuracy.random)}; by rollouts with the trained policy ${shown(later)}`,
        `pairs by rollouts that the judge does not order the other way: ${shown(agreement)}`,
      ],
    }
  },
}

function startOf(game: Game, seed: string): Table {
  const draw = random(`${seed}/start`)
  const bias = (move: Move, { hop, familiar }: State): number =>
    move === 'answer' && hop === game.hops ? DONE : move === 'guess' && familiar ? KNOWN : 0
  return tableOf(game, (move, state) => LOGITS[move] + bias(move, state) + NOISE * draw.normal())
}

function learnt(game: Game, start: Table, questions: readonly Question[], seed: string): Models {
  const candidates = candidatesOf(game, policyOf(game, start), questions, seed)
  const byRollouts = pairsOf(game, candidates, 'rollouts')
  const ordered = byRollouts.map(({ place, better, worse }) =>
    Number(rankOf(game, place, better) >= rankOf(game, place, worse)),
  )
  return {
    rollouts: modelOf(game, byRollouts),
    judge: modelOf(game, pairsOf(game, candidates, 'judge')),
    random: randomModel(seed),
    agreement: mean(ordered),
  }
}

const exactOf = (game: Game, table: Table): Exact =>
  exactly(
    game,
    table,
    () => 0,
    (o) => ({ fixed: o, perScore: 0 }),
  )

const right = ({ right: share }: Exact): number => share
/** Share of right answers that are guesses. */
const unsupported = ({ guessed, right: share }: Exact): number => guessed / share

function armsOf(found: Found, stop: number, seed: string): Arm[] {
  return ARMS.map(({ name, control }) => {
    const figure = (title: string, of: (exact: Exact) => number): Figure =>
      meanFigure(title, bySeed(found, name, stop, of), seed)
    return {
      name,
      control,
      figures: [
        figure('right', right),
        figure('right by searching', (exact) => exact.right - exact.guessed),
        figure('guesses among right', unsupported),
        figure('useless among searches', ({ useless, searches }) => useless / searches),
        figure('searches a run', ({ searches }) => searches),
      ],
    }
  })
}

function judged(
  found: Found,
  stop: number,
  seed: string,
): Pick<ReplicationResult, 'outcome' | 'because'> & { says: string[] } {
  const minus = (control: string, of: (exact: Exact) => number, share = 1, arm = PRORAG) =>
    pairedDifference(
      bySeed(found, arm, stop, of),
      bySeed(found, control, stop, of).map((x) => share * x),
      seed,
    )
  const said = ({ value, low, high }: { value: number; low: number; high: number }): string =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  const chance = minus(RANDOM, right)
  const outcomes = minus(OUTCOMES, right)
  const guesses = minus(OUTCOMES, unsupported, 2 / 3)
  const better = outcomes.low > 0
  const fewer = guesses.high < 0
  return {
    outcome: chance.low <= 0 ? 'fails' : better && fewer ? 'holds' : 'partly',
    because: `right answers are ${chance.low > 0 ? '' : 'not '}above those with a random model and ${better ? '' : 'not '}above those by outcomes alone; the share of guesses among them is ${fewer ? '' : 'not '}below two thirds`,
    says: [
      ...ARMS.filter(({ name }) => name !== PRORAG).map(
        ({ name }) => `right, ProRAG minus ${name} ${said(minus(name, right))}`,
      ),
      `guesses among right answers, ProRAG minus two thirds of ${OUTCOMES} ${said(guesses)}`,
      `the same by ${BY_JUDGE} ${said(minus(OUTCOMES, unsupported, 2 / 3, BY_JUDGE))}`,
    ],
  }
}
