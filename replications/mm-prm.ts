import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import type { Problem } from '../src/core/words.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { type Completer, meanFigure, pairedDifference, rolledTraces } from './chains.ts'

/** Rollouts a step, candidates a problem (papers/mm-prm.md: 16 candidates). */
const K = 8
const N = 16
/** Level of 8 operations. */
const LEVEL = 2
/** Chance that a lost rollout still ends right. */
const RECOVERIES = [0, 0.05, 0.15] as const
const SLIP = 0.15
/** Standard deviation of what the reward model sees of a step: some nine in ten single steps are told apart. */
const NOISE = 0.8

/** Step scores of a candidate in (0, 1) to one number; larger is better. Sum of logs ranks as the product. */
const AGGREGATORS: Record<string, (p: readonly number[]) => number> = {
  min: (p) => Math.min(...p),
  last: (p) => p.at(-1) ?? Number.NEGATIVE_INFINITY,
  product: (p) => p.reduce((a, b) => a * b, 1),
  mean: (p) => mean(p),
  max: (p) => Math.max(...p),
  'sum of logits': (p) => p.reduce((sum, x) => sum + Math.log(x / (1 - x)), 0),
  'mean odds': (p) => mean(p.map((x) => x / (1 - x))),
}

interface Candidate {
  right: boolean
  answer: string
  features: number[][]
}
type Labels = 'soft' | 'hard'

/** Soft against hard rollout labels for a small reward model, by every aggregator, beside random and majority. */
export const mmPrm: Replication = {
  paper: 'mm-prm',
  title: 'Soft labels for best-of-N',
  claim: 'a process reward model trained on soft rollout labels picks better answers than one trained on hard labels',
  failsIf:
    'the paired difference of soft minus hard, each with its best aggregator, is not above 0 by its interval at any recovery; "partly" when it is at some',
  setting:
    'self-repairing chains of 8 operations, slip .15, 8 rollouts a step; the reward model is a logistic regression on noisy sight of the step and of the line so far, and the position; best of 16; no images and no language model',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const seeds = quick ? 1 : 5
    const training = quick ? 150 : 300
    const problems = quick ? 200 : 300
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const better: boolean[] = []
    for (const recovery of RECOVERIES) {
      progress(`recovery ${recovery}`)
      const picked = new Map<string, number[]>()
      for (let s = 0; s < seeds; s++) {
        const one = `${seed}/mm-prm/${s}`
        const completer = { slip: SLIP, recovery: 0, rescue: recovery }
        const models = await trained(completer, training, one)
        for (const problem of task.generate(`${one}/test`, LEVEL, problems)) {
          const candidates = await candidatesOf(problem, completer, one)
          for (const [name, right] of picks(candidates, models)) picked.set(name, [...(picked.get(name) ?? []), right])
        }
      }
      const name = `recovery ${100 * recovery} %`
      settings.push({
        name,
        arms: [...picked].map(
          ([arm, rights]): Arm => ({
            name: arm,
            control: !arm.startsWith('soft'),
            figures: [meanFigure('answers right', rights, `${seed}/${name}`)],
          }),
        ),
      })
      const [soft, hard] = (['soft', 'hard'] as const).map((labels) => bestOf(picked, labels))
      if (!soft || !hard) continue
      const d = pairedDifference(soft.rights, hard.rights, `${seed}/${name}`)
      better.push(d.low > 0)
      notes.push(
        `${name}: ${soft.name} minus ${hard.name} ${d.value.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`,
      )
    }
    const wins = better.filter(Boolean).length
    return {
      settings,
      outcome: wins === 0 ? 'fails' : wins === better.length ? 'holds' : 'partly',
      because: `soft labels are above hard ones, each with its best aggregator, at ${wins} of ${better.length} recoveries`,
      notes: [
        ...notes,
        'the best aggregator is chosen on the problems that are reported, alike for both',
        'only the claim on labels is tested here; images, path diversity and learning rates are not',
      ],
    }
  },
}

async function trained(completer: Completer, n: number, seed: string): Promise<Record<Labels, number[]>> {
  const features: number[][] = []
  const soft: number[] = []
  for (const trace of await rolledTraces(task, LEVEL, n, completer, `${seed}/train`)) {
    const seen = featuresOf(trace.problem, trace.texts, `${seed}/train`)
    for (let step = 0; step < trace.texts.length; step++) {
      const trials = step === trace.texts.length - 1 ? 1 : K
      features.push(seen[step] ?? [])
      soft.push((await trace.count(step + 1, trials)) / trials)
    }
  }
  const hard = soft.map((y) => (y > 0 ? 1 : 0))
  return { soft: logistic(features, soft), hard: logistic(features, hard) }
}

async function candidatesOf(problem: Problem, completer: Completer, seed: string): Promise<Candidate[]> {
  const writer = taskCompleter({ task, ...completer, seed: `${seed}/candidates` })
  return Promise.all(
    Array.from({ length: N }, async (_, sample): Promise<Candidate> => {
      const written = await writer.complete(problem, [], sample)
      const texts = written.ok ? written.steps.map((step) => step.text) : []
      const answer = task.answerOf(texts) ?? ''
      const features = featuresOf(problem, texts, `${seed}/candidates/${sample}`)
      return { right: task.check(problem, answer), answer, features }
    }),
  )
}

/** Of each step: noisy sight of whether it is right, of whether the line so far can still end right, and its place. */
function featuresOf(problem: Problem, texts: readonly string[], seed: string): number[][] {
  const draw = random(`${seed}/sight/${problem.id}`)
  return task
    .oracle(problem, texts, { slip: 0, recovery: 0 })
    .map(({ correct, value }, step) => [
      (correct ? 1 : -1) + NOISE * draw.normal(),
      ((value ?? 0) > 0 ? 1 : -1) + NOISE * draw.normal(),
      (step + 1) / texts.length,
      1,
    ])
}

/** Did each way of picking one of the candidates pick a right one? Chances for random; 1 or 0 else. */
function picks(candidates: readonly Candidate[], models: Record<Labels, number[]>): [string, number][] {
  const out: [string, number][] = [
    ['random', mean(candidates.map((c) => Number(c.right)))],
    ['majority', majority(candidates)],
    [`any of ${N}`, Number(candidates.some((c) => c.right))],
  ]
  for (const labels of ['hard', 'soft'] as const) {
    const scores = candidates.map((c) => c.features.map((x) => clipped(sigmoid(dot(models[labels], x)))))
    for (const [name, aggregate] of Object.entries(AGGREGATORS)) {
      const values = scores.map(aggregate)
      const best = candidates[values.indexOf(Math.max(...values))]
      out.push([`${labels}, ${name}`, Number(best?.right ?? false)])
    }
  }
  return out
}

function majority(candidates: readonly Candidate[]): number {
  const groups = [...Map.groupBy(candidates, (c) => c.answer).values()]
  const largest = groups.reduce((a, b) => (b.length > a.length ? b : a))
  return Number(largest[0]?.right ?? false)
}

function bestOf(picked: ReadonlyMap<string, number[]>, labels: Labels): { name: string; rights: number[] } | undefined {
  return [...picked]
    .filter(([name]) => name.startsWith(labels))
    .map(([name, rights]) => ({ name, rights }))
    .reduce<{ name: string; rights: number[] } | undefined>(
      (a, b) => (a && mean(a.rights) >= mean(b.rights) ? a : b),
      undefined,
    )
}

/** Cross-entropy against labels in [0, 1] by gradient descent; convex, so that the start decides nothing. */
function logistic(features: readonly number[][], labels: readonly number[]): number[] {
  const w = new Array<number>(features[0]?.length ?? 0).fill(0)
  for (let round = 0; round < 400; round++) {
    const gradient = new Array<number>(w.length).fill(0)
    features.forEach((x, i) => {
      const error = sigmoid(dot(w, x)) - labels[i]!
      for (let j = 0; j < w.length; j++) gradient[j]! += error * x[j]!
    })
    for (let j = 0; j < w.length; j++) w[j]! -= (1.5 * gradient[j]!) / features.length
  }
  return w
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const clipped = (p: number): number => Math.min(1 - 1e-9, Math.max(1e-9, p))
