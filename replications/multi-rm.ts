import { stepFeatures } from '../src/models/rewards/bodies/step-features.ts'
import { trainReward } from '../src/models/rewards/train-reward.ts'
import { type BonQuestion, type BonScorer, bestArm, bestOfNCurves } from '../src/prove/bon.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { labelledPool, scoredPool, sightBody } from './reward-pools.ts'

/** Candidates a problem. */
const N = 16
/** Levels of the chain with their number of operations. */
const LENGTHS = [
  { level: 0, operations: 3 },
  { level: 2, operations: 8 },
  { level: 3, operations: 16 },
] as const
/** Chance that a step label of the labeller is turned round. */
const FLIPS = [0, 0.1] as const
/** Chance that a wrong line is restated at once: the detours that labels of steps punish. */
const RECOVERIES = [0, 0.5] as const
/** Share of right candidates that slips are set to (papers/multi-rm.md, pilot). */
const RIGHT = 0.45
/** Noise of the sight of steps and of lines (papers/multi-rm.md, pilot). */
const NOISE = { step: 0.8, line: 1.2 } as const

const SCORERS = [
  { name: 'dPRM', aggregate: 'min' },
  { name: 'dORM', aggregate: 'last' },
  { name: 'length', aggregate: 'last' },
] as const satisfies readonly BonScorer[]

/** Process and outcome models of the same network on the same traces, by length, label noise and self-correction. */
export const multiRm: Replication = {
  paper: 'multi-rm',
  title: 'Process against outcome reward models',
  claim:
    'an outcome model is at least as good as a process model for best-of-N, and gains on it with the length of the line and the noise of step labels',
  failsIf:
    'at 16 operations and 10 % turned labels the process model by min is not below the outcome model by the interval, with or without repairs; "partly" when the gap does not grow from 3 to 16 operations, or only one of the two is below',
  setting:
    'self-repairing chains of 3, 8 and 16 operations, slips set so that .45 of candidates are right; both models are small networks on the same noisy sight of steps and lines, differing in targets alone; best of 16; the discriminative half only: no critiques are written',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const settings: ReplicationResult['settings'] = []
    const gaps = new Map<string, { value: number; low: number; high: number }>()
    for (const recovery of RECOVERIES) {
      for (const { level, operations } of LENGTHS) {
        for (const flips of FLIPS) {
          const name = `${operations} operations, ${100 * flips} % of labels turned, ${recovery > 0 ? 'repairs' : 'no repairs'}`
          progress(name)
          const questions: BonQuestion[] = []
          for (let s = 0; s < (quick ? 1 : 5); s++) {
            const own = { level, operations, recovery, flips, seed: `${seed}/multi-rm/${name}/${s}` }
            questions.push(...(await pool(own, quick ? 120 : 250, quick ? 150 : 300)))
          }
          const table = bestOfNCurves(questions, SCORERS, { ns: [N], seed: `${seed}/multi-rm` })
          settings.push({ name, arms: armsOf(table.rows, table.questions) })
          const gap = table.differences.find(
            (d) => d.first === bestArm('dPRM', 'min') && d.other === bestArm('dORM', 'last'),
          )
          if (gap) gaps.set(`${recovery}/${operations}/${flips}`, gap.estimate)
        }
      }
    }
    const gap = (recovery: number, operations: number, flips: number) => gaps.get(`${recovery}/${operations}/${flips}`)!
    const below = RECOVERIES.filter((r) => gap(r, 16, 0.1).high < 0)
    const grows = RECOVERIES.filter((r) => gap(r, 16, 0.1).value < gap(r, 3, 0.1).value)
    const all = below.length === RECOVERIES.length && grows.length === RECOVERIES.length
    return {
      settings,
      outcome: below.length === 0 ? 'fails' : all ? 'holds' : 'partly',
      because: `at 16 operations and 10 % turned labels the process model is below the outcome model ${below.length} of ${RECOVERIES.length} times; the gap grows with length ${grows.length} of ${RECOVERIES.length} times`,
      notes: [
        ...[...gaps].map(([key, e]) => {
          const [recovery, operations, flips] = key.split('/')
          return `process (min) less outcome (last), recovery ${recovery}, ${operations} operations, ${flips} turned: ${e.value.toFixed(3)} [${e.low.toFixed(3)}, ${e.high.toFixed(3)}]`
        }),
        'the control `length` is an outcome model on position and length of steps alone',
      ],
    }
  },
}

interface Setting {
  level: number
  operations: number
  recovery: number
  flips: number
  seed: string
}

/** Candidates of unseen problems with the scores of both models and of the control. */
async function pool(setting: Setting, training: number, problems: number): Promise<BonQuestion[]> {
  const { level, operations, recovery, flips, seed } = setting
  const completer = { slip: slipFor(operations, recovery), recovery }
  const body = sightBody({ task, ...NOISE, seed })
  const traces = await labelledPool(task, task.generate(`${seed}/train`, level, training), 4, completer, {
    flips,
    seed: `${seed}/train`,
  })
  const learner = { learner: 'mlp', learnerOptions: { units: 16 }, seed } as const
  const prm = await trainReward({ traces, kind: 'process', body, ...learner })
  const orm = await trainReward({ traces, kind: 'outcome', body, ...learner })
  const plain = await trainReward({ traces, kind: 'outcome', body: stepFeatures([]) })
  const unseen = await labelledPool(task, task.generate(`${seed}/test`, level, problems), N, completer, {
    seed: `${seed}/test`,
  })
  return scoredPool(unseen, [prm.model, orm.model, plain.model])
}

/** The slip at which the wanted share of lines ends right: (1 - s) ((1 - s) / (1 - s r))^(k - 1), by halving. */
function slipFor(operations: number, recovery: number): number {
  let [low, high] = [0, 0.9]
  for (let i = 0; i < 50; i++) {
    const slip = (low + high) / 2
    const right = (1 - slip) * ((1 - slip) / (1 - slip * recovery)) ** (operations - 1)
    if (right > RIGHT) low = slip
    else high = slip
  }
  return (low + high) / 2
}

function armsOf(rows: ReturnType<typeof bestOfNCurves>['rows'], questions: number): Arm[] {
  const shown = rows.filter(({ arm }) => !arm.includes('length') || arm === bestArm('length', 'last'))
  return shown.map(({ arm, control, right }) => ({
    name: arm,
    control: control || arm.includes('length'),
    figures: [{ name: 'answers right', estimate: right, n: questions }],
  }))
}
