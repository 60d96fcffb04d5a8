import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import { adaptiveHalting } from '../src/improve/search/adaptive-halting.ts'
import { searchContext } from '../src/improve/search/context.ts'
import { majority } from '../src/improve/search/majority.ts'
import { type SearchContext, solveWith } from '../src/improve/search/search.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { Replication, ReplicationResult } from '../src/prove/replication.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { meanFigure, pairedDifference } from './chains.ts'

/** Level of 8 operations. */
const LEVEL = 2
/** Samples at most. */
const N = 32
/** Slips of an easy and of a hard problem: right in 66 % and in 10 % of single samples. */
const SLIPS = { easy: 0.05, hard: 0.25 } as const
type Kind = keyof typeof SLIPS

/** Settings that the tuning problems choose among: the largest saving that costs at most `LOSS`. */
const GRID = [0.8, 0.9, 0.95, 0.98, 0.99].flatMap((lead) =>
  [0.005, 0.02, 0.05].flatMap((stability) => [0.5, 0.7, 0.85].map((entropy) => ({ lead, stability, entropy }))),
)
/** "The largest saving with a loss of at most 0.5 %" (papers/dtrec.md). */
const LOSS = 0.005

interface Case {
  kind: Kind
  context: SearchContext
}

/** The answer of the first `depth` samples, and whether it is right. */
interface Halted {
  right: number
  depth: number
}

const METHOD = 'adaptive halting'
const RANDOM = 'the same depths at random problems'

/** Halting when the vote is decided, against halting anywhere at the same mean depth. */
export const dtrec: Replication = {
  paper: 'dtrec',
  title: 'Adaptive halting of a vote',
  claim:
    'halting by stability, confidence and convergence saves much computation at no loss, spending it on hard cases',
  failsIf:
    'adaptive halting is not above the same depths dealt out at random by the interval of the paired difference, or hard problems do not get at least 20 % more samples than easy ones',
  setting:
    'only the halting rule, on majority votes of up to 32 samples; self-repairing chains of 8 operations, half easy (slip .05), half hard (slip .25); thresholds chosen on 200 other problems for the largest saving that costs at most .005; no recommender, no latent steps',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const seeds = quick ? 1 : 5
    const count = quick ? 150 : 300
    progress('thresholds')
    const settings = await tuned(casesOf(quick ? 100 : 200, `${seed}/dtrec/tune`))
    const rows = new Map<string, Halted[]>()
    const kinds: Kind[] = []
    for (let s = 0; s < seeds; s++) {
      progress(`seed ${s}`)
      const cases = casesOf(count, `${seed}/dtrec/${s}`)
      kinds.push(...cases.map(({ kind }) => kind))
      const adaptive = await Promise.all(cases.map((one) => halted(one, settings)))
      const depths = adaptive.map(({ depth }) => depth)
      const dealt = random(`${seed}/dtrec/dealt/${s}`).shuffle(depths)
      const fixed = Math.round(mean(depths))
      const arms: Record<string, Halted[]> = {
        [METHOD]: adaptive,
        [RANDOM]: await Promise.all(cases.map((one, i) => voted(one, dealt[i]!))),
        'a fixed number, its mean': await Promise.all(cases.map((one) => voted(one, fixed))),
        'all 32': await Promise.all(cases.map((one) => voted(one, N))),
      }
      for (const [name, own] of Object.entries(arms)) rows.set(name, [...(rows.get(name) ?? []), ...own])
    }
    const of = (name: string): Halted[] => rows.get(name) ?? []
    const rights = (name: string): number[] => of(name).map(({ right }) => right)
    const depth = (kind: Kind): number => mean(of(METHOD).flatMap((row, i) => (kinds[i] === kind ? [row.depth] : [])))
    const gain = pairedDifference(rights(METHOD), rights(RANDOM), seed)
    const loss = pairedDifference(rights(METHOD), rights('all 32'), seed)
    const ratio = depth('hard') / depth('easy')
    const holds = gain.low > 0 && ratio >= 1.2
    return {
      settings: [
        {
          name: 'votes',
          arms: [...rows].map(([name, own]) => ({
            name,
            control: name !== METHOD,
            figures: [
              meanFigure(
                'answers right',
                own.map(({ right }) => right),
                seed,
              ),
              meanFigure(
                'samples',
                own.map(({ depth: d }) => d),
                seed,
              ),
            ],
          })),
        },
      ],
      outcome: holds ? 'holds' : 'fails',
      because: `above random halting by ${said(gain)}; hard problems get ${ratio.toFixed(2)} times the samples of easy ones (${depth('hard').toFixed(1)} and ${depth('easy').toFixed(1)})`,
      notes: [
        `against all 32 samples ${said(loss)}, at ${((100 * mean(of(METHOD).map(({ depth: d }) => d))) / N).toFixed(1)} % of the samples`,
        `chosen thresholds: lead ${settings.lead}, stability ${settings.stability}, entropy ${settings.entropy}`,
        "the paper's third indicator, convergence of the latent state, has no counterpart in text; the lead of the first answer over the second takes its place",
        'the coarse-to-fine supervision of the paper is not tested here',
      ],
    }
  },
}

function casesOf(count: number, seed: string): Case[] {
  return task.generate(seed, LEVEL, count).map((problem, i) => {
    const kind: Kind = i % 2 === 0 ? 'easy' : 'hard'
    const policy = taskCompleter({ task, slip: SLIPS[kind], recovery: 0, seed: `${seed}/policy` })
    return { kind, context: searchContext({ problem, policy, seed }) }
  })
}

async function tuned(cases: readonly Case[]): Promise<(typeof GRID)[number]> {
  const all = mean((await Promise.all(cases.map((one) => voted(one, N)))).map(({ right }) => right))
  let chosen = { settings: GRID[0]!, depth: Number.POSITIVE_INFINITY }
  for (const settings of GRID) {
    const rows = await Promise.all(cases.map((one) => halted(one, settings)))
    const depth = mean(rows.map((row) => row.depth))
    const loses = all - mean(rows.map(({ right }) => right)) > LOSS + 1e-9
    if (!loses && depth < chosen.depth) chosen = { settings, depth }
  }
  return chosen.settings
}

async function halted({ context }: Case, settings: (typeof GRID)[number]): Promise<Halted> {
  const { answer, candidates } = await solveWith(adaptiveHalting, context, { ...settings, n: N })
  return { right: Number(task.check(context.problem, answer ?? '')), depth: candidates.length }
}

async function voted({ context }: Case, depth: number): Promise<Halted> {
  const { answer } = await solveWith(majority, context, { n: depth })
  return { right: Number(task.check(context.problem, answer ?? '')), depth }
}

const said = (d: { value: number; low: number; high: number }): string =>
  `${d.value.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`
