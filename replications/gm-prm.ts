import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import { addUsage, NO_USAGE, type Problem, type Usage } from '../src/core/words.ts'
import { bestOfN } from '../src/improve/search/best-of-n.ts'
import { searchContext } from '../src/improve/search/context.ts'
import { refinedBestOfN } from '../src/improve/search/refined-best-of-n.ts'
import { type Search, type SearchContext, type Solution, solveWith } from '../src/improve/search/search.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { RewardModel, Scored } from '../src/models/rewards/reward.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { meanFigure, pairedDifference } from './chains.ts'

/** Level of 8 operations. */
const LEVEL = 2
/** Slips of the policy, problem after problem: .25 on average, as in the pilot of the card. */
const SLIPS = [0.15, 0.25, 0.35] as const

interface Setting {
  name: string
  n: number
  /** Chance that a wrong step is flagged, and that a right one is. */
  detects: number
  falseFlags: number
  /** Chance that the corrector's step is right. */
  corrects: number
  /** Does the verdict rest on it? */
  bar: boolean
}

const PILOT = { detects: 0.7, falseFlags: 0.1, corrects: 0.8 }
const SETTINGS: readonly Setting[] = [
  { name: 'N 8', n: 8, ...PILOT, bar: true },
  { name: 'N 4', n: 4, ...PILOT, bar: true },
  { name: 'N 16', n: 16, ...PILOT, bar: true },
  { name: 'N 8, correction right in 50 %', n: 8, ...PILOT, corrects: 0.5, bar: false },
  {
    name: 'N 8, flags 40 % of wrong and 20 % of right steps',
    n: 8,
    ...PILOT,
    detects: 0.4,
    falseFlags: 0.2,
    bar: false,
  },
  {
    name: 'N 8, flags 90 % of wrong steps, correction right in 90 %',
    n: 8,
    ...PILOT,
    detects: 0.9,
    corrects: 0.9,
    bar: false,
  },
]

interface Way {
  search: Search
  options: Record<string, unknown>
  control: boolean
  /** Chance that the corrector is right; absent = none is asked. */
  corrects?(setting: Setting): number
}

const REFINED = 'refined'
const CUT = 'cut and resample at the flagged step'
const PLAIN = 'best of N'
const refined = { search: refinedBestOfN, options: { onUnflagged: 'resample' } }
const WAYS: Record<string, Way> = {
  [PLAIN]: { search: bestOfN, options: {}, control: true },
  'cut and resample at a random step': { ...refined, options: { ...refined.options, cut: 'random' }, control: true },
  [CUT]: { ...refined, control: true },
  [REFINED]: { ...refined, control: false, corrects: ({ corrects }) => corrects },
  'refined, correction always right': { ...refined, control: false, corrects: () => 1 },
}

interface Row {
  right: number
  usage: Usage
  /** Attempts that were cut, and how many of them led to a right answer where the cut one had a wrong one. */
  children: number
  mended: number
}

/** A flagged step rewritten by the reward model against the policy's own next try from the same place. */
export const gmPrm: Replication = {
  paper: 'gm-prm',
  title: 'Refined best of N',
  claim:
    'best of N gains when the reward model rewrites the first wrong step of half of the samples and the policy goes on',
  failsIf:
    'refined is not above cut-and-resample at the flagged step by the interval of the paired difference at N = 4, 8 or 16 (flags 70 % of wrong and 10 % of right steps, correction right in 80 %); "partly" when it is at some of them only',
  setting:
    'self-repairing chains of 8 operations, slips .15, .25 and .35; simulated flags and corrections of the stated quality; half of the N attempts are plain samples, the others follow from them (an unflagged one gives a fresh sample), so that all arms ask for N samples; text only',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const seeds = quick ? 1 : 5
    const problems = quick ? 100 : 300
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    let met = 0
    for (const setting of SETTINGS) {
      progress(setting.name)
      const rows = new Map<string, Row[]>()
      for (let s = 0; s < seeds; s++) {
        for (const [name, more] of await rowsOf(setting, problems, `${seed}/gm-prm/${s}`)) {
          rows.set(name, [...(rows.get(name) ?? []), ...more])
        }
      }
      const draw = `${seed}/${setting.name}`
      const rights = (name: string): number[] => (rows.get(name) ?? []).map(({ right }) => right)
      settings.push({ name: setting.name, arms: [...rows].map(([name, own]) => armOf(name, own, draw)) })
      const correction = pairedDifference(rights(REFINED), rights(CUT), draw)
      const place = pairedDifference(rights(CUT), rights(PLAIN), draw)
      if (setting.bar && correction.low > 0) met++
      notes.push(
        `${setting.name}: what the correction adds ${said(correction)}; what the place alone adds to best of N ${said(place)}`,
      )
    }
    const asked = SETTINGS.filter(({ bar }) => bar).length
    return {
      settings,
      outcome: met === 0 ? 'fails' : met === asked ? 'holds' : 'partly',
      because: `the correction adds to resampling from the same place at ${met} of ${asked} N`,
      notes: [
        ...notes,
        'attempts that go on from a prefix write fewer tokens than whole samples: refined arms are at equal samples, and cheaper in tokens',
        'the corrector is asked about steps that were right, too, and then rewrites them',
        'no images; the critique by three criteria is not tested here',
      ],
    }
  },
}

async function rowsOf(setting: Setting, count: number, seed: string): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>()
  const reward = detector(setting, seed)
  const policies = SLIPS.map((slip) => taskCompleter({ task, slip, recovery: 0, seed: `${seed}/policy` }))
  for (const [i, problem] of task.generate(`${seed}/problems`, LEVEL, count).entries()) {
    const context = searchContext({ problem, policy: policies[i % policies.length]!, reward, seed })
    for (const [name, { search, options, corrects }] of Object.entries(WAYS)) {
      const chance = corrects?.(setting)
      const own: SearchContext = chance === undefined ? context : { ...context, correct: corrector(chance, seed) }
      const found = await solveWith(search, own, { ...options, n: setting.n, threshold: reward.threshold })
      rows.set(name, [...(rows.get(name) ?? []), rowOf(problem, found)])
    }
  }
  return rows
}

function rowOf(problem: Problem, { answer, candidates, usage }: Solution): Row {
  const rights = candidates.map(({ trace }) => task.check(problem, trace.answer ?? ''))
  const children = candidates.flatMap(({ trace }, i) => {
    const from = trace.extra?.['from']
    return typeof from === 'number' ? [{ i, from }] : []
  })
  const mended = children.filter(({ i, from }) => rights[i] && !rights[from]).length
  return { right: Number(task.check(problem, answer ?? '')), usage, children: children.length, mended }
}

/** Flags steps as often as stated, the same step after the same steps alike; scores are P(right | flag). */
function detector({ detects, falseFlags }: Setting, seed: string): RewardModel & { threshold: number } {
  const wrong = mean(SLIPS)
  const rightWhen = (right: number, bad: number): number => ((1 - wrong) * right) / ((1 - wrong) * right + wrong * bad)
  const [flagged, plain] = [rightWhen(falseFlags, detects), rightWhen(1 - falseFlags, 1 - detects)]
  return {
    threshold: (flagged + plain) / 2,
    name: 'simulated detector',
    identity: { detects, falseFlags, seed },
    meaning: 'correctness',
    aggregate: 'product',
    score: async (lines) =>
      lines.map(({ problem, steps }): Scored => {
        const texts = steps.map(({ text }) => text)
        const scores = task.oracle(problem, texts).map(({ correct }, i) => {
          const draw = random(`${seed}/flag/${problem.id}/${texts.slice(0, i + 1).join('\n')}`)
          return draw.next() < (correct ? falseFlags : detects) ? flagged : plain
        })
        return { ok: true, scores, usage: NO_USAGE }
      }),
  }
}

/** Rewrites the last step: right with the given chance, else wrong. */
function corrector(chance: number, seed: string): NonNullable<SearchContext['correct']> {
  return async ({ problem, steps }) => {
    const before = steps.slice(0, -1).map(({ text }) => text)
    const draw = random(`${seed}/correct/${problem.id}/${steps.map(({ text }) => text).join('\n')}`)
    const wanted = draw.next() < chance
    for (;;) {
      const [text] = task.complete(problem, before, draw, { slip: wanted ? 0 : 0.9, recovery: 0 })
      const correct = text !== undefined && task.oracle(problem, [...before, text]).at(-1)?.correct
      if (text === undefined || correct === wanted) return { text: text ?? null, usage: NO_USAGE }
    }
  }
}

function armOf(name: string, rows: readonly Row[], seed: string): Arm {
  const children = rows.reduce((sum, row) => sum + row.children, 0)
  const mended = rows.reduce((sum, row) => sum + row.mended, 0)
  const figures = [
    meanFigure(
      'answers right',
      rows.map(({ right }) => right),
      seed,
    ),
  ]
  const share = children === 0 ? Number.NaN : mended / children
  figures.push({ name: 'cut attempts mended', estimate: { value: share, low: share, high: share }, n: children })
  const usage = rows.reduce((sum, row) => addUsage(sum, row.usage), NO_USAGE)
  return { name, control: WAYS[name]?.control ?? true, figures, usage }
}

const said = (d: { value: number; low: number; high: number }): string =>
  `${d.value.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`
