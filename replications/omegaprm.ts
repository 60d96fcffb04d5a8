import { mean } from '../src/core/stats/index.ts'
import { locator, plainBisection, type Search } from '../src/label/first-error-locator.ts'
import { injectedPrefixes, recoveryRate } from '../src/label/recovery-rate.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { arithmeticChain } from '../src/worlds/tasks/arithmetic-chain.ts'
import { type Completer, meanFigure, pairedDifference, type RolledTrace, rolledTraces, rolloutUsage } from './chains.ts'

/** Rollouts from one prefix (papers/omegaprm.md). */
const K = 8
/** Chains of 16 and 32 operations; slips as in the pilots of the card. */
const LENGTHS = [
  { level: 5, slip: 0.06, says: '16 operations' },
  { level: 6, slip: 0.03, says: '32 operations' },
] as const
/** Where recovery is possible: from any wrong prefix, or by restating a wrong step right after it. */
const RECOVERIES = [
  { rate: 0, atOnce: false },
  { rate: 0.02, atOnce: false },
  { rate: 0.05, atOnce: false },
  { rate: 0.1, atOnce: false },
  { rate: 0.1, atOnce: true },
] as const
/** Of the accuracy and of the rollouts of full Monte Carlo; fixed before the first run. */
const BAR = { accuracy: 0.97, rollouts: 0.3, points: 0.2 } as const
/** Sure enough that stopping costs less than the bar allows. */
const CONFIDENCE = 0.99

/** Accuracy below which a method is said to break. */
const BREAKS = 0.9

const NOTHING = { right: Number.NaN, rollouts: Number.NaN }

interface Located {
  right: boolean
  rollouts: number
}
type Way = (trace: RolledTrace, recovery: { alpha: number; beta: number }) => Promise<Located>

/** The names of the arms, for the rule. */
const FULL = ['every step, first 0 of 8', 'every step, last success'] as const
const PLAIN = 'binary search (OmegaPRM)'
const PLAIN_FEW = 'binary search, 4 rollouts a prefix'
const SURE = 'posterior locator'
const EQUAL = 'posterior locator, at most the rollouts of binary search'

const WAYS: Record<string, { control: boolean; way: Way }> = {
  [FULL[0]]: { control: true, way: (trace) => everyStep(trace, (n) => firstZero(n)) },
  [FULL[1]]: { control: true, way: (trace) => everyStep(trace, (n) => n.findLastIndex((k) => k > 0)) },
  'step by step until 0 of 8': { control: true, way: stepByStep },
  [PLAIN]: { control: false, way: (trace) => binary(trace, K) },
  [PLAIN_FEW]: { control: false, way: (trace) => binary(trace, K / 2) },
  [SURE]: {
    control: false,
    way: (trace, recovery) => posterior(trace, { recovery, confidence: CONFIDENCE, perStep: K, most: Infinity }),
  },
  [EQUAL]: {
    control: false,
    way: async (trace, recovery) =>
      posterior(trace, { recovery, confidence: 1, perStep: 2 * K, most: (await binary(trace, K)).rollouts }),
  },
}

/** First error by binary search over rollouts, against rollouts from every step, as wrong prefixes recover more often. */
export const omegaprm: Replication = {
  paper: 'omegaprm',
  title: 'First errors by binary search',
  claim: 'binary search finds the first wrong step as well as rollouts from every step, at a fraction of them',
  failsIf:
    'with a policy that never recovers, binary search has less than 97 % of the accuracy of rollouts from every step (best reading) or more than 30 % of their number, on either length; "partly" when it holds there and not at a recovery of 5 %',
  setting:
    'arithmetic chains of 16 and 32 operations, completer with slips .06 and .03, failed traces only; a wrong prefix still ends right with probability 0, .02, .05, .1, or a wrong step is restated right after it with probability .1; 8 rollouts a prefix, those from the start counted for every search',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const seeds = quick ? 1 : 5
    const traces = quick ? 80 : 100
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const broken = new Map<string, number>()
    let holds = true
    let holdsAtFive = true
    for (const { level, slip, says } of LENGTHS) {
      for (const { rate: recovery, atOnce } of RECOVERIES) {
        const name = `${says}, ${atOnce ? 'wrong steps restated at once in' : 'recovery'} ${100 * recovery} %`
        progress(name)
        const completer = { slip, recovery: atOnce ? recovery : 0, rescue: atOnce ? 0 : recovery }
        const located = await runSetting({ level, completer, seeds, traces, seed })
        settings.push({ name, arms: armsOf(located, `${seed}/${name}`) })
        const [first = NOTHING, last = NOTHING, plain = NOTHING, sure = NOTHING] = [...FULL, PLAIN, SURE].map((arm) =>
          summary(located[arm]),
        )
        const full = first.right > last.right ? first : last
        for (const arm of [...FULL, PLAIN, SURE]) {
          if (!atOnce && summary(located[arm]).right < BREAKS && !broken.has(`${says}/${arm}`))
            broken.set(`${says}/${arm}`, recovery)
        }
        const fits = (one: { right: number; rollouts: number }): boolean =>
          one.right >= BAR.accuracy * full.right && one.rollouts <= BAR.rollouts * full.rollouts
        if (recovery === 0) {
          holds &&= fits(plain)
          notes.push(
            `${name}: ${PLAIN} ${ofFull(plain, full)}; ${SURE} ${ofFull(sure, full)}: bar ${fits(sure) ? 'met' : 'missed'}`,
          )
        } else {
          if (recovery === 0.05) holdsAtFive &&= fits(plain)
          const d = pairedDifference(rights(located[EQUAL]), rights(located[PLAIN]), `${seed}/${name}/difference`)
          const met =
            recovery === 0.05 ? `: bar of ${100 * BAR.points} points ${d.value >= BAR.points ? 'met' : 'missed'}` : ''
          notes.push(
            `${name}: posterior locator minus binary search at equal rollouts ${points(d.value)} [${points(d.low)}, ${points(d.high)}] points${met}`,
          )
        }
      }
    }
    for (const { says } of LENGTHS) {
      const points = [...FULL, PLAIN, SURE].map((arm) => {
        const at = broken.get(`${says}/${arm}`)
        return `${arm} ${at === undefined ? 'nowhere up to 10 %' : `at a recovery of ${100 * at} %`}`
      })
      notes.push(`${says}: accuracy falls below ${BREAKS} for ${points.join('; ')}`)
    }
    notes.push(
      'the better of the two readings of rollouts from every step is what others are compared with, in each setting',
      'chains have one line more than operations: the answer',
    )
    return {
      settings,
      outcome: !holds ? 'fails' : holdsAtFive ? 'holds' : 'partly',
      because: !holds
        ? 'binary search misses the bar even where a wrong prefix never recovers'
        : holdsAtFive
          ? 'binary search meets the bar with and without recovery'
          : 'binary search meets the bar where a wrong prefix never recovers, and breaks where one run in twenty does: one success is taken as proof',
      notes,
    }
  },
}

async function runSetting(setting: {
  level: number
  completer: Completer
  seeds: number
  traces: number
  seed: string
}): Promise<Record<string, Located[]>> {
  const { level, completer } = setting
  const out: Record<string, Located[]> = Object.fromEntries(Object.keys(WAYS).map((name) => [name, []]))
  for (let s = 0; s < setting.seeds; s++) {
    const seed = `${setting.seed}/omegaprm/${s}`
    const policy = taskCompleter({ task: arithmeticChain, ...completer, seed: `${seed}/recovery` })
    const wrong = injectedPrefixes(arithmeticChain, arithmeticChain.generate(`${seed}/recovery`, level, 60), seed)
    const { recovery } = await recoveryRate(policy, arithmeticChain, wrong)
    for (const trace of await rolledTraces(arithmeticChain, level, setting.traces, completer, seed, unrepaired)) {
      for (const [name, { way }] of Object.entries(WAYS)) out[name]?.push(await way(trace, recovery))
    }
  }
  return out
}

/** A repaired error is none that rollouts could find. */
function unrepaired(firstError: number, texts: readonly string[]): boolean {
  return firstError >= 0 && !texts.some((text) => text.startsWith('fix '))
}

async function everyStep(trace: RolledTrace, first: (counts: number[]) => number): Promise<Located> {
  const counts: number[] = []
  for (let length = 0; length < trace.texts.length; length++) counts.push(await trace.count(length, K))
  return { right: first(counts) === trace.firstError, rollouts: K * counts.length }
}

/** Index of the first step after which no rollout succeeds; the last step where there is none. */
function firstZero(counts: readonly number[]): number {
  const at = counts.findIndex((k, length) => length > 0 && k === 0)
  return (at < 0 ? counts.length : at) - 1
}

async function stepByStep(trace: RolledTrace): Promise<Located> {
  let length = 1
  while (length < trace.texts.length && (await trace.count(length, K)) > 0) length++
  return { right: length - 1 === trace.firstError, rollouts: K * (1 + Math.min(length, trace.texts.length - 1)) }
}

async function binary(trace: RolledTrace, k: number): Promise<Located> {
  const search = plainBisection(trace.texts.length)
  // The rollouts from the start decide whether a problem is searched at all.
  let rollouts = k
  for (let length = search.next(); length !== null; length = search.next()) {
    search.observe(length, await trace.count(length, k), k)
    rollouts += k
  }
  return { right: search.firstError() === trace.firstError, rollouts }
}

async function posterior(
  trace: RolledTrace,
  options: { recovery: { alpha: number; beta: number }; confidence: number; perStep: number; most: number },
): Promise<Located> {
  const search: Search = locator({ steps: trace.texts.length, ...options })
  const used = new Map<number, number>()
  search.observe(0, await trace.count(0, K), K)
  let rollouts = K
  for (let length = search.next(); length !== null && rollouts < options.most; length = search.next()) {
    const sample = used.get(length) ?? 0
    used.set(length, sample + 1)
    search.observe(length, (await trace.succeeds(length, sample)) ? 1 : 0, 1)
    rollouts++
  }
  return { right: search.firstError() === trace.firstError, rollouts }
}

function armsOf(located: Record<string, Located[]>, seed: string): Arm[] {
  return Object.entries(located).map(([name, all]) => ({
    name,
    control: WAYS[name]?.control ?? false,
    figures: [
      meanFigure('first error exact', rights(all), seed),
      meanFigure(
        'rollouts a trace',
        all.map((one) => one.rollouts),
        seed,
      ),
    ],
    usage: rolloutUsage(all.reduce((sum, one) => sum + one.rollouts, 0)),
  }))
}

const rights = (all: readonly Located[] = []): number[] => all.map((one) => Number(one.right))

function summary(all: readonly Located[] = []): { right: number; rollouts: number } {
  return { right: mean(rights(all)), rollouts: mean(all.map((one) => one.rollouts)) }
}

function ofFull(one: { right: number; rollouts: number }, full: { right: number; rollouts: number }): string {
  const share = (a: number, b: number): string => `${((100 * a) / b).toFixed(1)} %`
  return `${share(one.right, full.right)} of the accuracy at ${share(one.rollouts, full.rollouts)} of the rollouts`
}

const points = (share: number): string => (100 * share).toFixed(1)
