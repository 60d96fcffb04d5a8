import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '../src/core/seeds.ts'
import { bootstrap, type Estimate, mean } from '../src/core/stats/index.ts'
import { addUsage, NO_USAGE, type Problem, type Step, type Usage } from '../src/core/words.ts'
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
    const training = { traces: size.traces, epochs: size.epochs, progress }
    progress('choosing the beams')
    const tune = puzzles.slice(SPLIT.chosenFrom, SPLIT.testFrom)
    const first = await modelsOf(puzzles.slice(0, SPLIT.chosenFrom), game24RandomPolicy, `${seed}/ovm/choose`, training)
    const beams = new Map<string, number>()
    const choice: string[] = []
    for (const [name, reward] of Object.entries(first.rewards)) {
      const solved = new Map<number, number>()
      for (const beam of size.beams) {
        const way = { search: stepBeam, reward, options: { k: K, beam }, control: false }
        const rows = await rowsOf({ [name]: way }, tune, writing(game24RandomPolicy(`${seed}/ovm/choose`)), seed)
        solved.set(beam, mean((rows.get(name) ?? []).map(({ right }) => right)))
      }
      const [beam] = [...solved].reduce((a, b) => (b[1] > a[1] ? b : a))
      beams.set(name, beam)
      choice.push(`${name} ${[...solved].map(([b, share]) => `b${b} ${share.toFixed(2)}`).join(', ')}`)
    }
    const test = puzzles.slice(SPLIT.testFrom, SPLIT.to)
    const all = new Map<string, Row[]>()
    let trained = { traces: 0, right: 0 }
    for (let s = 0; s < size.seeds; s++) {
      const own = `${seed}/ovm/${s}`
      const { rewards, outcome, outcomes } = await modelsOf(
        puzzles.slice(0, SPLIT.testFrom),
        game24RandomPolicy,
        own,
        training,
      )
      trained = { traces: trained.traces + outcomes.traces, right: trained.right + outcomes.right }
      progress(`seed ${s}: test`)
      const policy = writing(game24RandomPolicy(own))
      for (const [name, rows] of await rowsOf(waysOf(rewards, outcome, beams), test, policy, own)) {
        all.set(name, [...(all.get(name) ?? []), ...rows])
      }
    }
    const rights = (name: string): number[] => (all.get(name) ?? []).map(({ right }) => right)
    const above = (name: string): Estimate => paired(rights(OVM), rights(name), test.length, seed)
    const [rerank, equal, validity] = [above(RERANK), above(EQUAL), above(VALIDITY)]
    const fails = rerank.value < 0.1 || validity.value <= 0
    const share = mean(rights(OVM))
    const bars = `${share.toFixed(3)} solved (bar .55), ${points(equal)} points above the re-ranker at equal tokens (bar 25)`
    return {
      settings: [
        { name: 'puzzles 901 to 1,000', arms: [...all].map(([name, rows]) => armOf(name, rows, test.length, seed)) },
      ],
      outcome: fails ? 'fails' : 'holds',
      because: `the OVM beam is ${points(rerank)} points above the re-ranker of 20 and ${points(validity)} above the beam by right and wrong steps; ${bars}`,
      notes: [
        `${trained.traces.toLocaleString('en-US')} training traces over all seeds, ${((100 * trained.right) / trained.traces).toFixed(2)} % of them right`,
        `on puzzles 801 to 900: ${choice.join('; ')}`,
        `OVM beam minus the oracle of what is solvable ${points(above(PROGRESS))} points`,
        'tokens are characters of the lines that the policy wrote; reward models are free',
        'the value model is fitted to the mean outcome of each state, with the log loss, and is no language model',
      ],
    }
  },
}

interface Training {
  traces: number
  epochs: number
  progress(line: string): void
}

async function modelsOf(
  puzzles: readonly Problem[],
  policyOf: (seed: string) => StepWriter,
  seed: string,
  { traces, epochs, progress }: Training,
): Promise<{ rewards: Record<string, RewardModel>; outcome: RewardModel; outcomes: Outcomes }> {
  progress(`${seed}: training traces`)
  const outcomes = new Outcomes()
  const policy = policyOf(`${seed}/train`)
  for (const problem of puzzles) {
    for (const one of await rollouts({ problem, policy, verifier: game24 }, { from: 0, count: traces })) {
      if (one.ok) outcomes.add(problem, one.trace.steps, one.trace.outcome === 1)
    }
  }
  progress(`${seed}: fitting`)
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
  for (const problem of problems) {
    const spent = new Map<string, Usage>()
    for (const [name, { search, reward, options, asMuchAs }] of Object.entries(ways)) {
      const budget: SearchContext['budget'] =
        asMuchAs === undefined ? {} : { tokens: tokensOf(spent.get(asMuchAs) ?? NO_USAGE) }
      const context = searchContext({ problem, policy, budget, seed, ...(reward && { reward }) })
      const { answer, usage } = await solveWith(search, context, options)
      spent.set(name, usage)
      rows.get(name)?.push({ right: Number(game24.check(problem, answer ?? '')), usage })
    }
  }
  return rows
}

/** The policy with the characters of its lines as tokens. */
function writing(policy: StepWriter): StepWriter {
  const counted = (written: Written): Written => ({
    ...written,
    usage: written.ok ? usageOf(written.steps) : written.usage,
  })
  return {
    ...policy,
    next: async (...args) => counted(await policy.next(...args)),
    complete: async (...args) => counted(await policy.complete(...args)),
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

function armOf(name: string, rows: readonly Row[], puzzles: number, seed: string): Arm {
  const usage = rows.reduce((sum, row) => addUsage(sum, row.usage), NO_USAGE)
  const tokens = tokensOf(usage) / rows.length
  const rights = rows.map(({ right }) => right)
  return {
    name,
    control: name !== OVM,
    figures: [
      { name: 'solved', estimate: byPuzzle(puzzles, rows.length, (i) => rights[i]!, seed), n: rows.length },
      { name: 'tokens a puzzle', estimate: { value: tokens, low: tokens, high: tokens }, n: rows.length },
    ],
    usage,
  }
}

/** Rows of all seeds one after another; the seeds of a puzzle are drawn together. */
function byPuzzle(puzzles: number, rows: number, of: (row: number) => number, seed: string): Estimate {
  const groups = Array.from({ length: rows }, (_, i) => i % puzzles)
  return bootstrap(groups, (items) => mean(items.map(of)), { seed })
}

const paired = (a: readonly number[], b: readonly number[], puzzles: number, seed: string): Estimate =>
  byPuzzle(puzzles, a.length, (i) => a[i]! - b[i]!, seed)

const points = ({ value, low, high }: Estimate): string =>
  `${(100 * value).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`
