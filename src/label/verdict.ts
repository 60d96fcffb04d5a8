import type { StepLabel, Verdict } from '../core/words.ts'

/** Share of traces with an error, before any evidence (ProcessBench, tune half, four parts pooled: .60). */
export const TRACE_PRIOR = 0.6

/** A first error is named when its probability reaches this. */
export const FIRST_ERROR_THRESHOLD = 0.5

/**
 * The verdict that follows from the risks of single steps.
 *
 * Without evidence a step's hazard is such that the whole trace has an error with `TRACE_PRIOR`; a step with evidence
 * has its risk as hazard. The first step with risk of at least one half carries its risk as probability of being the
 * first error, since that is what its source's reliability was measured on; what is left is shared out in proportion
 * to hazard times survival.
 */
export function verdictFromRisks(
  risk: readonly (number | null)[],
  source: string,
  threshold = FIRST_ERROR_THRESHOLD,
): Verdict {
  const n = risk.length
  const hazard = 1 - (1 - TRACE_PRIOR) ** (1 / Math.max(1, n))
  const probability: number[] = []
  let survival = 1
  for (const r of risk) {
    const h = r ?? hazard
    probability.push(survival * h)
    survival *= 1 - h
  }
  probability.push(survival)

  const flagged = risk.findIndex((r) => r !== null && r >= 0.5)
  if (flagged >= 0) {
    let cleared = 1
    for (const r of risk.slice(0, flagged)) cleared *= 1 - (r ?? 0)
    const mass = (risk[flagged] ?? 0) * cleared
    const elsewhere = 1 - probability[flagged]!
    for (let t = 0; t <= n; t++) {
      probability[t] = t === flagged ? mass : elsewhere === 0 ? 0 : (probability[t]! / elsewhere) * (1 - mass)
    }
  }
  // The prior alone decides nothing: a single step without evidence would be called wrong by it.
  const firstError = risk.some((r) => r !== null) ? firstErrorOf(probability, threshold) : null
  return { risk: [...risk], firstErrorProb: probability, firstError, source }
}

/** Argmax when it reaches the threshold: the index, -1 for "no error", null = cannot say. */
export function firstErrorOf(firstErrorProb: readonly number[], threshold = FIRST_ERROR_THRESHOLD): number | null {
  let best = 0
  firstErrorProb.forEach((p, t) => {
    if (p > firstErrorProb[best]!) best = t
  })
  if (firstErrorProb.length === 0 || firstErrorProb[best]! < threshold) return null
  return best === firstErrorProb.length - 1 ? -1 : best
}

/** Risk = 1 - P(correct); null where the label cannot say. A neutral step is not wrong. */
export function risksOf(labels: readonly StepLabel[]): (number | null)[] {
  return labels.map((label) => {
    if (label.meaning !== 'correctness') return null
    if (label.value !== null) return 1 - label.value
    return label.reason === 'neutral' ? 0 : null
  })
}
