import type { Evidence } from '../../core/words.ts'

/** Rollouts of all sources from one prefix: k of n is a sufficient statistic. */
export interface Pooled {
  successes: number
  trials: number
}

/** Counts after each step, null where nothing was rolled out; `start` = from before the first step. */
export function pooledRollouts(
  steps: number,
  evidence: readonly Evidence[],
): { start: Pooled | null; after: (Pooled | null)[] } {
  const by = new Array<Pooled | null>(steps + 1).fill(null)
  for (const e of evidence) {
    if (e.kind !== 'rollouts' || e.trials === 0 || e.step < -1 || e.step >= steps) continue
    const seen = by[e.step + 1]
    by[e.step + 1] = {
      successes: (seen?.successes ?? 0) + e.successes,
      trials: (seen?.trials ?? 0) + e.trials,
    }
  }
  return { start: by[0] ?? null, after: by.slice(1) }
}

/**
 * Right or wrong by tools: `incorrect` where any tool says so, else `correct` where any does, else null. One tool that
 * finds a fault is not outvoted by others that looked elsewhere.
 */
export function toolVerdicts(steps: number, evidence: readonly Evidence[]): (boolean | null)[] {
  const verdicts = new Array<boolean | null>(steps).fill(null)
  for (const e of evidence) {
    if (e.kind !== 'tool' || e.verdict === 'unknown' || e.step < 0 || e.step >= steps) continue
    verdicts[e.step] = e.verdict === 'correct' && verdicts[e.step] !== false
  }
  return verdicts
}

/** Mean value after each step over all rollouts and all looks of searches and value models; null where there is none. */
export function pooledValues(steps: number, evidence: readonly Evidence[]): (number | null)[] {
  const { after } = pooledRollouts(steps, evidence)
  return after.map((rolled, step) => {
    let sum = rolled?.successes ?? 0
    let looks = rolled?.trials ?? 0
    for (const e of evidence) {
      if (e.kind !== 'value' || e.step !== step) continue
      sum += e.value * e.visits
      looks += e.visits
    }
    return looks === 0 ? null : sum / looks
  })
}
