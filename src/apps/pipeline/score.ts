import type { GradusError } from '../../core/errors.ts'
import type { Evidence, Label, StepLabel, Trace } from '../../core/words.ts'
import { firstBelow } from '../../models/rewards/calibrate.ts'
import type { RewardModel, Scored } from '../../models/rewards/reward.ts'

/** A trace with a model's scores as labels, or why it has none. */
export type ScoredTrace =
  | { ok: true; trace: Trace; scores: (number | null)[] }
  | { ok: false; trace: Trace; error: GradusError }

/**
 * Scores of a reward model as step labels with the source `reward:<name>`; what the same model said before gives way.
 * Where the model has a threshold for wrong steps, a first-error label too. What stands behind the scores is kept as
 * evidence.
 */
export async function scoreTraces(
  reward: RewardModel,
  traces: readonly Trace[],
  signal?: AbortSignal,
): Promise<ScoredTrace[]> {
  const lines = traces.map(({ problem, steps, evidence }) => ({ problem, steps, ...(evidence && { evidence }) }))
  const scored = await reward.score(lines, signal)
  return traces.map((trace, i): ScoredTrace => {
    const said = scored[i]!
    if (!said.ok) return { ok: false, trace, error: said.error }
    return { ok: true, trace: withScores(trace, reward, said), scores: said.scores }
  })
}

function withScores(trace: Trace, reward: RewardModel, { scores, evidence }: Extract<Scored, { ok: true }>): Trace {
  const source = `reward:${reward.name}`
  const others = <T extends { source: string }>(list: readonly T[] = []): T[] => list.filter((e) => e.source !== source)
  const fresh: Evidence[] = [...others(trace.evidence), ...(evidence ?? [])]
  return {
    ...trace,
    labels: [...others(trace.labels), ...firstErrorOf(reward, scores, source), ...stepLabels(reward, scores, source)],
    ...((trace.evidence || evidence) && { evidence: fresh }),
  }
}

function stepLabels({ meaning }: RewardModel, scores: readonly (number | null)[], source: string): StepLabel[] {
  return scores.map((value, step) => ({
    step,
    meaning,
    value,
    ...(value === null && { reason: 'not-covered' as const }),
    source,
  }))
}

/** A line in which no step has a score has no first error either way. */
function firstErrorOf({ threshold }: RewardModel, scores: readonly (number | null)[], source: string): Label[] {
  if (threshold === undefined || scores.every((score) => score === null)) return []
  return [{ meaning: 'first-error', value: firstBelow(scores, threshold), source }]
}
