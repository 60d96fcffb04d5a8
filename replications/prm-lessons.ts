import { type Random, random } from '../src/core/seeds.ts'
import { bootstrap, harmonic, mean } from '../src/core/stats/index.ts'
import type { Evidence } from '../src/core/words.ts'
import { consensus } from '../src/label/rules/consensus.ts'
import { hard } from '../src/label/rules/hard.ts'
import type { Figure } from '../src/prove/benchmarks/benchmark.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { selfRepairingChain } from '../src/worlds/tasks/self-repairing-chain.ts'
import { type Completer, rolledTraces, rolloutEvidenceOf } from './chains.ts'

const K = 8
/** Accuracy of the simulated judge: places an error rightly, calls a right trace right (papers/prm-lessons.md). */
const JUDGE = { places: 0.75, clears: 0.9 } as const
/** Level of 8 operations. */
const LEVEL = 2

const SETTINGS: readonly { name: string; completer: Completer; tied: number }[] = [
  { name: 'slip .15, recovery 3 %', completer: { slip: 0.15, recovery: 0, rescue: 0.03 }, tied: 0 },
  { name: 'slip .15, recovery 8 %', completer: { slip: 0.15, recovery: 0, rescue: 0.08 }, tied: 0 },
  { name: 'slip .25, recovery 3 %', completer: { slip: 0.25, recovery: 0, rescue: 0.03 }, tied: 0 },
  {
    name: "slip .15, recovery 8 %, half of the judge's mistakes tied to the rollouts'",
    completer: { slip: 0.15, recovery: 0, rescue: 0.08 },
    tied: 0.5,
  },
]

/** What a source says of a trace: index of the first wrong step, -1 = none, null = no label. */
type Said = number | null

interface Row {
  gold: number
  rollouts: Said
  judge: Said
  consensus: Said
  /** Order in which a random drop keeps traces. */
  lot: number
}

/** Consensus of rollouts and a judge against each alone and against a random drop of the same share. */
export const prmLessons: Replication = {
  paper: 'prm-lessons',
  title: 'Consensus filtering',
  claim: 'consensus of rollouts and judge gives cleaner labels than either alone',
  failsIf:
    'consensus is not above rollouts and judge in the precision of "wrong" labels by the interval of the paired difference, in any setting with independent mistakes; "partly" when it fails only where mistakes are tied',
  setting:
    'self-repairing chains of 8 operations, 8 rollouts a step; the judge is simulated: it places 75 % of errors rightly and clears 90 % of right traces; consensus on the first wrong step of the trace',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const seeds = quick ? 1 : 8
    const problems = quick ? 250 : 300
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const above: boolean[] = []
    for (const { name, completer, tied } of SETTINGS) {
      progress(name)
      const rows: Row[] = []
      for (let s = 0; s < seeds; s++)
        rows.push(...(await rowsOf(completer, tied, problems, `${seed}/prm-lessons/${s}`)))
      const arms = armsOf(rows, `${seed}/${name}`)
      settings.push({ name, arms })
      const gains = (['rollouts', 'judge'] as const).map((source) => {
        const d = difference(rows, source, `${seed}/${name}`)
        notes.push(`${name}: precision of consensus minus ${source} ${text(d.value)} [${text(d.low)}, ${text(d.high)}]`)
        return d.low > 0
      })
      above.push(gains.every(Boolean))
      const kept = rows.filter((r) => r.consensus !== null).length / rows.length
      notes.push(`${name}: kept ${(100 * kept).toFixed(0)} %`)
    }
    const independent = above.filter((_, i) => SETTINGS[i]?.tied === 0).every(Boolean)
    const all = above.every(Boolean)
    return {
      settings,
      outcome: !independent ? 'fails' : all ? 'holds' : 'partly',
      because: !independent
        ? 'consensus is not above both sources where their mistakes are independent'
        : all
          ? 'consensus is above both sources by the interval of the difference in every setting'
          : 'consensus is above both sources where mistakes are independent, and not where half of them are tied',
      notes: [...notes, 'rollouts spend the same in every arm; the judge is free here'],
    }
  },
}

async function rowsOf(completer: Completer, tied: number, problems: number, seed: string): Promise<Row[]> {
  const rows: Row[] = []
  for (const trace of await rolledTraces(selfRepairingChain, LEVEL, problems, completer, seed)) {
    const steps = trace.texts.length
    const draw = random(`${seed}/judge/${trace.problem.id}`)
    const rolled = await rolloutEvidenceOf(trace, K)
    const byRollouts = firstWrong(hard.apply(steps, rolled, hard.options.parse({})))
    const judge = judgeOf(trace.firstError, steps, byRollouts, tied, draw)
    const judged = Array.from(
      { length: judge < 0 ? steps : judge + 1 },
      (_, step): Evidence => ({
        kind: 'judgement',
        source: 'judge',
        step,
        verdict: step === judge ? 'incorrect' : 'correct',
        reason: 'simulated',
      }),
    )
    const options = consensus.options.parse({ agree: 'first-error' })
    const agreed = consensus.apply(steps, [...rolled, ...judged], options)
    const dropped = agreed.every((l) => l.reason === 'sources-disagree')
    rows.push({
      gold: trace.firstError,
      rollouts: byRollouts,
      judge,
      consensus: dropped ? null : firstWrong(agreed),
      lot: draw.next(),
    })
  }
  return rows
}

function firstWrong(labels: readonly { value: number | null }[]): number {
  return labels.findIndex((l) => l.value === 0)
}

/** A judge that errs as often as stated; `tied` = share of its mistakes in which it says what the rollouts say. */
function judgeOf(gold: number, steps: number, rollouts: number, tied: number, draw: Random): number {
  if (draw.next() < (gold < 0 ? JUDGE.clears : JUDGE.places)) return gold
  if (draw.next() < tied && rollouts !== gold) return rollouts
  const others = Array.from({ length: steps + 1 }, (_, i) => i - 1).filter((said) => said !== gold)
  return draw.pick(others)
}

/** Share of named first errors that are right. */
function precision(rows: readonly Row[], said: (row: Row) => Said): number {
  const named = rows.filter((row) => (said(row) ?? -1) >= 0)
  return named.length === 0 ? Number.NaN : mean(named.map((row) => Number(said(row) === row.gold)))
}

/** Harmonic mean of the accuracies on kept traces with and without an error. */
function f1(rows: readonly Row[], said: (row: Row) => Said): number {
  const kept = rows.filter((row) => said(row) !== null)
  const accuracy = (of: readonly Row[]): number => mean(of.map((row) => Number(said(row) === row.gold)))
  const wrong = kept.filter((row) => row.gold >= 0)
  const right = kept.filter((row) => row.gold < 0)
  return wrong.length === 0 || right.length === 0 ? Number.NaN : harmonic(accuracy(wrong), accuracy(right))
}

function armsOf(rows: readonly Row[], seed: string): Arm[] {
  const kept = rows.filter((row) => row.consensus !== null).length
  const byLot = [...rows].sort((a, b) => a.lot - b.lot)
  const lucky = new Set(byLot.slice(0, kept))
  const sources: { name: string; control: boolean; said: (row: Row) => Said }[] = [
    { name: 'rollouts', control: true, said: (row) => row.rollouts },
    { name: 'judge', control: true, said: (row) => row.judge },
    { name: 'consensus', control: false, said: (row) => row.consensus },
    {
      name: 'rollouts, random drop of the same share',
      control: true,
      said: (row) => (lucky.has(row) ? row.rollouts : null),
    },
    { name: 'judge, random drop of the same share', control: true, said: (row) => (lucky.has(row) ? row.judge : null) },
  ]
  const groups = rows.map((_, i) => i)
  return sources.map(({ name, control, said }) => {
    const figure = (title: string, of: (picked: Row[]) => number): Figure => ({
      name: title,
      estimate: bootstrap(groups, (items) => of(items.map((i) => rows[i]!)), { seed }),
      n: rows.length,
    })
    return {
      name,
      control,
      figures: [
        figure('precision of "wrong"', (picked) => precision(picked, said)),
        figure('F1 on kept', (picked) => f1(picked, said)),
        figure('kept', (picked) => mean(picked.map((row) => Number(said(row) !== null)))),
      ],
    }
  })
}

function difference(rows: readonly Row[], source: 'rollouts' | 'judge', seed: string) {
  return bootstrap(
    rows.map((_, i) => i),
    (items) => {
      const picked = items.map((i) => rows[i]!)
      return precision(picked, (row) => row.consensus) - precision(picked, (row) => row[source])
    },
    { seed },
  )
}

const text = (x: number): string => x.toFixed(3).replace(/^(-?)0\./, '$1.')
