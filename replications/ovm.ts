import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '../src/core/seeds.ts'
import { bootstrap, type Estimate, mean } from '../src/core/stats/index.ts'
import { addUsage, NO_USAGE, type Problem, type Step, type Usage } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import { rollouts, type StepWriter, type Written } from '../src/engine/rollout.ts'
import { bestOfN } from '../src/improve/search/best-of-n.ts'
import { searchContext } from '../src/improve/search/context.ts'
import { majority } from '../src/improve/search/majority.ts'
import { tokensOf } from '../src/improve/search/purse.ts'
import { type Search, type SearchContext, solveWith } from '../src/improve/search/search.ts'
import { stepBeam } from '../src/improve/search/step-beam.ts'
import { readProblems } from '../src/io/problems/read.ts'
import { game24RandomPolicy } from '../src/models/policies/simulated.ts'
import { oracleReward } from '../src/models/rewards/oracle.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { game24 } from '../src/worlds/tasks/game24.ts'
import { fitOutcome, fitValue, headReward, Outcomes, stateKey, stateReward } from './game24-value.ts'

/** Steps written in all, and beams to choose among (papers/ovm.md). */
const K = 20
const BEAMS = [1, 2, 4, 5, 10] as const
/** Puzzles by rank, as in the paper; the beams are chosen on the last hundred of the training part. */
const SPLIT = { chosenFrom: 800, testFrom: 900, to: 1_000 } as const

const OVM = 'OVM beam'
const RERANK = 'outcome re-ranker of 20'
const EQUAL = 'outcome re-ranker at equal tokens'
const VALIDITY = 'beam by right or wrong steps'
const PROGRESS = 'beam by what is still solvable (oracle)'

/** A search with the reward model that it is given. */
interface Way {
  search: Search
  reward: RewardModel | null
  options: Record<string, unknown>
  control: boolean
  /** May spend what this arm has spent on the same puzzle. */
  asMuchAs?: string
}

interface Row {
  right: number
  usage: Usage
}

/** A value model fitted on outcomes alone, guiding a step beam, on the real Game of 24 puzzles. */
export const ovm: Replication = {
  paper: 'ovm',
  title: 'Outcome-supervised value models for planning',
  claim:
    'a value model trained on outcomes guides a step beam to far more right answers than re-ranking by outcome does',
  failsIf:
    'the OVM beam is less than 10 points above the outcome re-ranker of 20 samples on the mean, or not above the beam by right and wrong steps',
  setting:
    'the puzzles of Tree of Thoughts by rank: 1 to 900 for training, 901 to 1,000 for the test; policy game24-random; value model and outcome twin are networks of 96 units on the numbers that are left, what one operation makes of them, and whether a line is wrong; 20 steps a round, each beam chosen on puzzles 801 to 900 with a model of 1 to 800',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const puzzles = await puzzlesOf()
    if (puzzles === null) {
      return {
        settings: [],
        outcome: 'not testable offline',
        because: 'GRADUS_DATA has no tree-of-thoughts/24.csv',
        notes: [],
      }
    }
    const size = quick
      ? { seeds: 1, traces: 100, epochs: 8, beams: [1, 2] }
      : { seeds: 5, traces: 300, epochs: 20, beams: BEAMS }
    const random24 = { name: 'game24-random', policyOf: async (own: string) => game24RandomPolicy(own), ...size }
    const played = await play(random24, puzzles, seed, progress)
    const settings = [{ name: 'game24-random', arms: armsOf(played, seed) }]
    const notes = notesOf(random24.name, played, seed)
    if (!quick) {
      const own = await embedded()
      const second = await play(own, puzzles, seed, progress)
      await own.engine.close()
      settings.push({ name: own.name, arms: armsOf(second, seed) })
      notes.push(...notesOf(own.name, second, seed), `${own.name} may have met the test puzzles when it was trained`)
    }
    const above = (name: string): Estimate => difference(played, OVM, name, seed)
    const [rerank, equal, validity] = [above(RERANK), above(EQUAL), above(VALIDITY)]
    const fails = rerank.value < 0.1 || validity.value <= 0
    const share = mean(rightsOf(played, OVM))
    const bars = `${share.toFixed(3)} solved (bar .55), ${points(equal)} points above the re-ranker at equal tokens (bar 25)`
    return {
      settings,
      outcome: fails ? 'fails' : 'holds',
      because: `the OVM beam is ${points(rerank)} points above the re-ranker of 20 and ${points(validity)} above the beam by right and wrong steps; ${bars}`,
      notes: [
        ...notes,
        'tokens are characters of the lines that the policy wrote; reward models are free',
        'the value model is fitted to the mean outcome of each state, with the log loss, and is no language model',
      ],
    }
  },
}

/** A policy, and how much it plays. */
interface Player {
  name: string
  policyOf(seed: string): Promise<StepWriter>
  seeds: number
  /** Training traces of each puzzle. */
  traces: number
  epochs: number
  beams: readonly number[]
}

/** What a player has come to on the test puzzles: rows of all seeds one after another. */
interface Played {
  rows: Map<string, Row[]>
  traces: number
  right: number
  /** How each beam was chosen, for people. */
  choice: string[]
}

/** The shipped policy of the task; it costs a hundred times as much, so that one seed and fewer traces must do. */
async function embedded(): Promise<Player & { engine: Engine }> {
  const { embeddedPolicy } = await import('../src/models/policies/embedded/index.ts')
  const engine = new Engine({ concurrency: 64 })
  const name = 'embedded:game24'
  return {
    name,
    engine,
    policyOf: (seed) => embeddedPolicy('game24', { engine, seed }),
    seeds: 1,
    traces: 8,
    epochs: 20,
    beams: [1, 2, 4],
  }
}

async function play(
  player: Player,
  puzzles: readonly Problem[],
  seed: string,
  progress: (line: string) => void,
): Promise<Played> {
  progress(`${player.name}: choosing the beams`)
  const { chosenFrom, testFrom, to } = SPLIT
  const choosing = `${seed}/ovm/choose`
  const first = await modelsOf(puzzles.slice(0, chosenFrom), player, choosing)
  const beams = new Map<string, number>()
  const choice: string[] = []
  for (const [name, reward] of Object.entries(first.rewards)) {
    const solved = new Map<number, number>()
    for (const beam of player.beams) {
      const way = { search: stepBeam, reward, options: { k: K, beam }, control: false }
      const tune = puzzles.slice(chosenFrom, testFrom)
      const rows = await rowsOf({ [name]: way }, tune, writing(await player.policyOf(choosing)), seed)
      solved.set(beam, mean((rows.get(name) ?? []).map(({ right }) => right)))
    }
    beams.set(name, [...solved].reduce((a, b) => (b[1] > a[1] ? b : a))[0])
    choice.push(`${name} ${[...solved].map(([b, share]) => `b${b} ${share.toFixed(2)}`).join(', ')}`)
  }
  const played: Played = { rows: new Map(), traces: 0, right: 0, choice }
  for (let s = 0; s < player.seeds; s++) {
    progress(`${player.name}: seed ${s}`)
    const own = `${seed}/ovm/${s}`
    const { rewards, outcome, outcomes } = await modelsOf(puzzles.slice(0, testFrom), player, own)
    played.traces += outcomes.traces
    played.right += outcomes.right
    const ways = waysOf(rewards, outcome, beams)
    for (const [name, rows] of await rowsOf(
      ways,
      puzzles.slice(testFrom, to),
      writing(await player.policyOf(own)),
      own,
    )) {
      played.rows.set(name, [...(played.rows.get(name) ?? []), ...rows])
    }
  }
  return played
}

/** Puzzles that are sampled side by side, for a policy that shares a batch. */
const SIDE = 32

async function modelsOf(
  puzzles: readonly Problem[],
  { policyOf, traces, epochs }: Player,
  seed: string,
): Promise<{ rewards: Record<string, RewardModel>; outcome: RewardModel; outcomes: Outcomes }> {
  const outcomes = new Outcomes()
  const policy = await policyOf(`${seed}/train`)
  for (let from = 0; from < puzzles.length; from += SIDE) {
    const block = puzzles.slice(from, from + SIDE)
    const done = await Promise.all(
      block.map((problem) => rollouts({ problem, policy, verifier: game24 }, { from: 0, count: traces })),
    )
    for (const [i, all] of done.entries()) {
      for (const one of all) if (one.ok) outcomes.add(block[i]!, one.trace.steps, one.trace.outcome === 1)
    }
  }
  const outcome = headReward('outcome', fitOutcome(outcomes, { epochs, seed }))
  const draw = (key: string): number => random(`${seed}/random/${key}`).next()
  return {
    outcomes,
    outcome,
    rewards: {
      [OVM]: headReward('ovm', fitValue(outcomes, { epochs, seed })),
      'beam by the outcome model': outcome,
      [VALIDITY]: oracleReward('correctness'),
      // Without slips the completer's chance is 1 where 24 can be reached, else 0.
      [PROGRESS]: oracleReward('value', { slip: 0, recovery: 0 }),
      'random beam': stateReward('random', (states) => states.map((state) => draw(stateKey(state)))),
    },
  }
}

function waysOf(
  rewards: Record<string, RewardModel>,
  outcome: RewardModel,
  beams: ReadonlyMap<string, number>,
): Record<string, Way> {
  const ways: Record<string, Way> = {}
  for (const [name, reward] of Object.entries(rewards)) {
    ways[name] = {
      search: stepBeam,
      reward,
      options: { k: K, beam: beams.get(name) ?? 1 },
      control: name !== OVM,
    }
  }
  return {
    ...ways,
    [RERANK]: { search: bestOfN, reward: outcome, options: { n: K }, control: true },
    [EQUAL]: { search: bestOfN, reward: outcome, options: { n: MANY }, control: true, asMuchAs: OVM },
    'majority of 20': { search: majority, reward: null, options: { n: K }, control: true },
  }
}

/** More samples than the tokens ever pay for. */
const MANY = 1_000

async function rowsOf(
  ways: Record<string, Way>,
  problems: readonly Problem[],
  policy: StepWriter,
  seed: string,
): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>(Object.keys(ways).map((name) => [name, []]))
  for (let from = 0; from < problems.length; from += SIDE) {
    const block = await Promise.all(
      problems.slice(from, from + SIDE).map((problem) => solved(ways, problem, policy, seed)),
    )
    for (const own of block) for (const [name, row] of own) rows.get(name)?.push(row)
  }
  return rows
}

async function solved(
  ways: Record<string, Way>,
  problem: Problem,
  policy: StepWriter,
  seed: string,
): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>()
  for (const [name, { search, reward, options, asMuchAs }] of Object.entries(ways)) {
    const budget: SearchContext['budget'] =
      asMuchAs === undefined ? {} : { tokens: tokensOf(rows.get(asMuchAs)?.usage ?? NO_USAGE) }
    const context = searchContext({ problem, policy, budget, seed, ...(reward && { reward }) })
    const { answer, usage } = await solveWith(search, context, options)
    rows.set(name, { right: Number(game24.check(problem, answer ?? '')), usage })
  }
  return rows
}

/** The policy with the characters of its lines as tokens. */
function writing(policy: StepWriter): StepWriter {
  const { completeMany } = policy
  const counted = (written: Written): Written => ({
    ...written,
    usage: written.ok ? usageOf(written.steps) : written.usage,
  })
  return {
    ...policy,
    next: async (...args) => counted(await policy.next(...args)),
    complete: async (...args) => counted(await policy.complete(...args)),
    ...(completeMany && { completeMany: async (...args) => (await completeMany(...args)).map(counted) }),
  }
}

function usageOf(steps: readonly Step[]): Usage {
  return { ...NO_USAGE, calls: 1, completionTokens: steps.reduce((sum, { text }) => sum + text.length + 1, 0) }
}

async function puzzlesOf(): Promise<Problem[] | null> {
  const file = join(process.env.GRADUS_DATA ?? '', 'tree-of-thoughts', '24.csv')
  if (!process.env.GRADUS_DATA || !existsSync(file)) return null
  return (await readProblems(file)).problems
}

function armsOf({ rows }: Played, seed: string): Arm[] {
  return [...rows].map(([name, own]) => {
    const usage = own.reduce((sum, row) => addUsage(sum, row.usage), NO_USAGE)
    const tokens = tokensOf(usage) / own.length
    const solve = byPuzzle(
      own.map(({ right }) => right),
      seed,
    )
    return {
      name,
      control: name !== OVM,
      figures: [
        { name: 'solved', estimate: solve, n: own.length },
        { name: 'tokens a puzzle', estimate: { value: tokens, low: tokens, high: tokens }, n: own.length },
      ],
      usage,
    }
  })
}

function notesOf(name: string, played: Played, seed: string): string[] {
  const { traces, right, choice } = played
  return [
    `${name}: ${traces.toLocaleString('en-US')} training traces over all seeds, ${((100 * right) / traces).toFixed(2)} % of them right`,
    `${name}, puzzles 801 to 900: ${choice.join('; ')}`,
    `${name}: OVM beam minus the oracle of what is solvable ${points(difference(played, OVM, PROGRESS, seed))} points`,
  ]
}

const rightsOf = ({ rows }: Played, name: string): number[] => (rows.get(name) ?? []).map(({ right }) => right)

function difference(played: Played, a: string, b: string, seed: string): Estimate {
  const other = rightsOf(played, b)
  return byPuzzle(
    rightsOf(played, a).map((right, i) => right - other[i]!),
    seed,
  )
}

/** Mean of rows of all seeds one after another; the seeds of a puzzle are drawn together. */
function byPuzzle(values: readonly number[], seed: string): Estimate {
  const groups = values.map((_, i) => i % (SPLIT.to - SPLIT.testFrom))
  return bootstrap(groups, (items) => mean(items.map((i) => values[i]!)), { seed })
}

const points = ({ value, low, high }: Estimate): string =>
  `${(100 * value).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`
