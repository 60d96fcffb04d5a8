import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { half } from '../src/core/split.ts'
import { groupsOf, mean, resampled } from '../src/core/stats/index.ts'
import { differenceOf, type Estimate, estimateOf } from '../src/core/stats/intervals.ts'
import type { Trace } from '../src/core/words.ts'
import { readTraces } from '../src/io/read.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from '../src/models/rewards/aggregators.ts'
import { stepFeatures } from '../src/models/rewards/bodies/step-features.ts'
import { trainReward } from '../src/models/rewards/train-reward.ts'
import { type BonQuestion, type BonScorer, bestArm, bestOfNCurves } from '../src/prove/bon.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { hopworld as task } from '../src/worlds/tasks/hopworld.ts'
import { labelledPool, scoredPool, sightBody } from './reward-pools.ts'

/** Candidates a question. */
const N = 16
/** Questions of 3 hops: 4 searches with what they find, and the answer. */
const LEVEL = 3
/** Two strengths of the policy. */
const POLICIES = [
  { name: 'base', slip: 0.3 },
  { name: 'tuned', slip: 0.12 },
] as const
/** Share of the training questions, and chance that a critic's label is turned round. */
const SETTINGS = [
  { share: 0.1, flips: 0 },
  { share: 0.25, flips: 0 },
  { share: 1, flips: 0 },
  { share: 0.25, flips: 0.15 },
] as const
const NOISE = { step: 1, line: 1.5 } as const
const SCORERS = [
  { name: 'PRM', aggregate: 'mean' },
  { name: 'ORM', aggregate: 'last' },
  // The outcome model once more, its scores of all prefixes averaged.
  { name: 'ORM averaged', aggregate: 'mean' },
] as const satisfies readonly BonScorer[]

/** Ranking of agent traces by a process and by an outcome model; people's labels and real runs as controls. */
export const toolcomp: Replication = {
  paper: 'toolcomp',
  title: 'Process against outcome models for tool use',
  claim:
    'a process model ranks tool-using traces better than an outcome model trained on the same ones, most of all with few labels and a weak policy',
  failsIf:
    'at a quarter of the questions the process model (mean) is not above the outcome model by the interval on traces of the base policy; "partly" when that holds but not with a critic that turns 15 % of the labels, not for the tuned policy, or not against the outcome model when its scores of all prefixes are averaged too',
  setting:
    'HopWorld questions of 3 hops with a search tool; policies are completers with slips .3 and .12; both models are small networks on the same noisy sight, differing in targets alone; rank@1 of 16; real controls: labels of people on AgentProcessBench, outcomes of tau-bench airline',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const settings: ReplicationResult['settings'] = []
    const gaps = new Map<string, Estimate>()
    for (const policy of POLICIES) {
      for (const { share, flips } of SETTINGS) {
        const name = `${policy.name} policy, ${100 * share} % of questions, ${100 * flips} % of labels turned`
        progress(name)
        const questions: BonQuestion[] = []
        for (let s = 0; s < (quick ? 1 : 3); s++) {
          const own = { slip: policy.slip, share, flips, seed: `${seed}/toolcomp/${policy.name}/${s}` }
          questions.push(...(await pool(own, 160, 120)))
        }
        const table = bestOfNCurves(questions, SCORERS, { ns: [N], seed: `${seed}/toolcomp` })
        settings.push({ name, arms: armsOf(table.rows, table.questions) })
        for (const { first, other, estimate } of table.differences) {
          if (first !== bestArm('PRM', 'mean')) continue
          const key = `${policy.name}/${share}/${flips}`
          if (other === bestArm('ORM', 'last')) gaps.set(key, estimate)
          if (other === bestArm('ORM averaged', 'mean')) gaps.set(`${key}/averaged`, estimate)
        }
      }
    }
    const real = await realControls()
    const at = (key: string): boolean => (gaps.get(key)?.low ?? 0) > 0
    const [base, noisy, tuned] = [at('base/0.25/0'), at('base/0.25/0.15'), at('tuned/0.25/0')]
    const averaged = at('base/0.25/0/averaged')
    return {
      settings: [...settings, ...real.settings],
      outcome: !base ? 'fails' : noisy && tuned && averaged ? 'holds' : 'partly',
      because: `at a quarter of the questions the process model is ${base ? '' : 'not '}above on the base policy, ${noisy ? '' : 'not '}with a noisy critic, ${tuned ? '' : 'not '}on the tuned policy, ${averaged ? '' : 'not '}against the outcome model averaged over its prefixes`,
      notes: [
        ...[...gaps].map(
          ([key, e]) => `PRM less ORM, ${key}: ${e.value.toFixed(3)} [${e.low.toFixed(3)}, ${e.high.toFixed(3)}]`,
        ),
        ...real.notes,
      ],
    }
  },
}

async function pool(
  { slip, share, flips, seed }: { slip: number; share: number; flips: number; seed: string },
  training: number,
  problems: number,
): Promise<BonQuestion[]> {
  const body = sightBody({ task, ...NOISE, seed })
  const completer = { slip, recovery: 0 }
  const all = task.generate(`${seed}/train`, LEVEL, training)
  const traces = await labelledPool(task, all.slice(0, Math.round(share * training)), 4, completer, {
    flips,
    seed: `${seed}/train`,
  })
  const learner = { learner: 'mlp', learnerOptions: { units: 16 }, seed } as const
  const prm = await trainReward({ traces, kind: 'process', body, ...learner })
  const orm = await trainReward({ traces, kind: 'outcome', body, ...learner })
  const unseen = await labelledPool(task, task.generate(`${seed}/test`, LEVEL, problems), N, completer, {
    seed: `${seed}/test`,
  })
  return scoredPool(unseen, [prm.model, orm.model, orm.model])
}

function armsOf(rows: ReturnType<typeof bestOfNCurves>['rows'], questions: number): Arm[] {
  const shown = rows.filter(({ arm }) => !arm.includes('averaged') || arm === bestArm('ORM averaged', 'mean'))
  return shown.map(({ arm, control, right }) => ({
    name: arm,
    control: control || arm.includes('ORM'),
    figures: [{ name: 'rank@1', estimate: right, n: questions }],
  }))
}

/** Files of people's labels; runs of a question share its number. */
const PEOPLE = ['hotpotqa', 'gaia_dev', 'bfcl', 'tau2'] as const

/** How far step labels decide real runs at all: rank@1 among the runs of a question, those of one outcome left out. */
async function realControls(): Promise<Pick<ReplicationResult, 'settings' | 'notes'>> {
  const root = process.env.GRADUS_DATA ?? ''
  const settings: ReplicationResult['settings'] = []
  const notes: string[] = []
  const people = join(root, 'agentprocessbench', 'human_step_labels')
  for (const name of root !== '' && existsSync(people) ? PEOPLE : []) {
    const { traces } = await readTraces(join(people, `${name}_final.jsonl`))
    const runs = traces.flatMap((trace): Run[] => {
      const labels = (trace.labels ?? []).flatMap((l) => (l.meaning === 'correctness' ? [l] : []))
      const end = (trace.evidence ?? []).find((e) => e.kind === 'imported' && e.step === null)
      if (end?.kind !== 'imported' || typeof end.raw !== 'number') return []
      // Neutral steps are neither; the last step states the answer, so it is the outcome itself.
      const scores = trace.steps.slice(0, -1).map((_, t) => {
        const own = labels.find((l) => l.step === t)
        return own?.reason === 'neutral' ? 0.5 : (own?.value ?? null)
      })
      return [{ question: trace.problem.id, right: end.raw > 0, scores }]
    })
    settings.push({
      name: `AgentProcessBench ${name}, people's labels of all steps but the last`,
      arms: rankArms(runs, "people's labels"),
    })
  }
  if (root === '' || !existsSync(people)) {
    notes.push('AgentProcessBench is not here (GRADUS_DATA): no real step labels')
  }
  const airline = join(root, 'tau-bench', 'gpt-4o-airline.json.gz')
  if (root !== '' && existsSync(airline)) {
    const { traces } = await readTraces(airline)
    const [tune, report] = (['tune', 'report'] as const).map((side) =>
      traces.filter(({ problem, outcome }) => half(problem.id) === side && outcome !== undefined),
    ) as [Trace[], Trace[]]
    const { model } = await trainReward({ traces: tune, kind: 'outcome', body: stepFeatures([]) })
    const scored = await model.score(report.map(({ problem, steps }) => ({ problem, steps })))
    const runs = report.map((trace, i): Run => {
      const one = scored[i]!
      return { question: trace.problem.id, right: trace.outcome! > 0.5, scores: one.ok ? one.scores : [] }
    })
    settings.push({ name: 'tau-bench airline, outcome model on plain step features', arms: rankArms(runs, 'ORM') })
  } else notes.push('tau-bench is not here (GRADUS_DATA): no real outcomes')
  return { settings, notes }
}

interface Run {
  question: string
  right: boolean
  scores: (number | null)[]
}

/** rank@1 by each aggregator beside a random run; runs of equal score share the first place. */
function rankArms(all: readonly Run[], by: string): Arm[] {
  const questions = [...Map.groupBy(all, (run) => run.question).values()].filter(
    (runs) => new Set(runs.map(({ right }) => right)).size === 2,
  )
  const names = Object.keys(AGGREGATORS) as AggregatorName[]
  const columns = [
    questions.map((runs) => mean(runs.map(({ right }) => Number(right)))),
    ...names.map((name) =>
      questions.map((runs) => {
        const scores = runs.map(({ scores: own }) => aggregate(name, own) ?? 0.5)
        const top = Math.max(...scores)
        return mean(runs.filter((_, i) => scores[i] === top).map(({ right }) => Number(right)))
      }),
    ),
  ]
  const taken = resampled(
    groupsOf(questions.map((_, i) => String(i))),
    columns.map((column) => (items: readonly number[]) => mean(items.map((i) => column[i]!))),
    { seed: by },
  )
  return ['random', ...names].map((name, i) => ({
    name: i === 0 ? name : `${by}, ${name}`,
    control: i === 0,
    figures: [
      { name: 'rank@1', estimate: estimateOf(taken[i]!), n: questions.length },
      { name: 'less random', estimate: differenceOf(taken[i]!, taken[0]!), n: questions.length },
    ],
  }))
}
