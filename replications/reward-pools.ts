import { random } from '../src/core/seeds.ts'
import type { Problem, Step, Trace } from '../src/core/words.ts'
import { NO_USAGE } from '../src/core/words.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { Body } from '../src/models/rewards/bodies/body.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import { type BonQuestion, numberOf } from '../src/prove/bon.ts'
import type { Task } from '../src/worlds/tasks/task.ts'
import type { Completer } from './chains.ts'

/** What a reward model sees of steps: the truth behind noise. */
export interface Sight {
  task: Task
  /** Standard deviation of the sight of each step, where right is 1 and wrong is -1. */
  step: number
  /** The same of whether the line so far can still end right. */
  line: number
  seed: string
}

const COLUMNS = ['step', 'line', 'steps: mean so far', 'steps: lowest so far', 'position'] as const

/**
 * Steps as noisy sight of their truth, in place of a language model's states. What is seen of a step depends on the
 * problem and the text up to it alone, so that every model sees the same and a prefix is seen as in the whole.
 */
export function sightBody({ task, step: stepNoise, line: lineNoise, seed }: Sight): Body {
  return {
    spec: { kind: 'features', columns: [...COLUMNS], tools: [] },
    width: COLUMNS.length,
    features: async (lines) =>
      lines.map(({ problem, steps }) => {
        const texts = steps.map(({ text }) => text)
        const truths = task.oracle(problem, texts, { slip: 0, recovery: 0 })
        let sum = 0
        let lowest = Number.POSITIVE_INFINITY
        const rows = truths.map(({ correct, value }, t) => {
          const draw = random(`${seed}/sight/${problem.id}/${texts.slice(0, t + 1).join('\n')}`)
          const own = (correct ? 1 : -1) + stepNoise * draw.normal()
          const alive = ((value ?? 0) > 0 ? 1 : -1) + lineNoise * draw.normal()
          sum += own
          lowest = Math.min(lowest, own)
          return [own, alive, sum / (t + 1), lowest, t + 1]
        })
        return { ok: true, features: Float32Array.from(rows.flat()), usage: NO_USAGE }
      }),
  }
}

/**
 * Traces of a completer, n a problem, with the oracle's step labels up to the first error, each turned round with the
 * given chance.
 */
export async function labelledPool(
  task: Task,
  problems: readonly Problem[],
  n: number,
  completer: Completer,
  { flips = 0, seed }: { flips?: number; seed: string },
): Promise<Trace[]> {
  const writer = taskCompleter({ task, ...completer, seed: `${seed}/pool` })
  const draw = random(`${seed}/flips`)
  const traces: Trace[] = []
  for (const problem of problems) {
    for (let sample = 0; sample < n; sample++) {
      const written = await writer.complete(problem, [], sample)
      const steps: Step[] = written.ok ? [...written.steps] : []
      const texts = steps.map(({ text }) => text)
      const answer = task.answerOf(texts)
      const truths = task.oracle(problem, texts).map(({ correct }) => correct)
      const first = truths.indexOf(false)
      const labels = truths.slice(0, first < 0 ? undefined : first + 1).map((correct, step) => ({
        step,
        meaning: 'correctness' as const,
        value: Number(draw.next() < flips ? !correct : correct),
        source: 'labeller',
      }))
      traces.push({
        id: `${problem.id}#${sample}`,
        problem,
        steps,
        ...(answer !== null && { answer }),
        outcome: Number(answer !== null && task.check(problem, answer)),
        labels,
        source: { generator: 'completer', dataset: task.name, licence: 'MIT' },
      })
    }
  }
  return traces
}

/** The pool as candidates of each problem, scored by the models. */
export async function scoredPool(traces: readonly Trace[], models: readonly RewardModel[]): Promise<BonQuestion[]> {
  const lines = traces.map(({ problem, steps }) => ({ problem, steps }))
  const scored = await Promise.all(models.map((model) => model.score(lines)))
  return [...Map.groupBy(traces.entries(), ([, { problem }]) => problem.id)].map(([id, own]): BonQuestion => {
    const known: string[] = []
    return {
      question: id,
      candidates: own.map(([at, { answer, outcome }]) => ({
        answer: answer === undefined ? null : numberOf(answer, known, (a, b) => a === b),
        right: outcome === 1,
        tokens: 0,
        scores: scored.map((each) => {
          const one = each[at]
          return one?.ok ? one.scores : null
        }),
      })),
    }
  })
}
