import { bootstrap, type Estimate, groupsOf } from '../core/stats/index.ts'

/** How often a labeller is right, measured against exact labels. */
export interface LabellerAccuracy {
  /** P(called wrong | wrong). */
  sensitivity: number
  /** P(called right | right). */
  specificity: number
}

export interface StepErrorRate {
  /** Share of labelled steps that are called wrong; null where no step has a label: not 0. */
  rate: Estimate | null
  /** The share that the labeller's own errors leave, in [0, 1]; null also where the labeller tells nothing. */
  corrected: Estimate | null
  /** Labelled steps. */
  steps: number
  /** Steps without a label; they count neither way. */
  open: number
}

/**
 * Step-wise error rate (SWER) of solutions: the share of wrong steps, which says more about supervision than how many
 * solutions end wrong.
 *
 * Corrected by inverting the labeller's confusion matrix: (rate + specificity - 1) / (sensitivity + specificity - 1)
 * (Rogan and Gladen 1978). Intervals by problem; they do not contain the uncertainty of the accuracy itself.
 * @param traces wrong = true, right = false, no label = null, one a step; `problem` groups solutions of one problem
 * @see papers/hard-task-supervision.md
 */
export function stepErrorRate(
  traces: readonly { problem: string; wrong: readonly (boolean | null)[] }[],
  accuracy?: LabellerAccuracy,
): StepErrorRate {
  const rows = traces.map(({ wrong }) => {
    const labelled = wrong.filter((w) => w !== null)
    return { wrong: labelled.filter((w) => w).length, steps: labelled.length, open: wrong.length - labelled.length }
  })
  const steps = rows.reduce((sum, row) => sum + row.steps, 0)
  const open = rows.reduce((sum, row) => sum + row.open, 0)
  if (steps === 0) return { rate: null, corrected: null, steps, open }
  const rate = bootstrap(groupsOf(traces.map((t) => t.problem)), (picked) => {
    let [wrong, all] = [0, 0]
    for (const p of picked) {
      wrong += rows[p]?.wrong ?? 0
      all += rows[p]?.steps ?? 0
    }
    return all === 0 ? Number.NaN : wrong / all
  })
  const told = accuracy === undefined ? 0 : accuracy.sensitivity + accuracy.specificity - 1
  // a labeller that calls right and wrong steps wrong alike says nothing about how many there are
  if (accuracy === undefined || told <= 0) return { rate, corrected: null, steps, open }
  const invert = (seen: number): number => Math.min(1, Math.max(0, (seen + accuracy.specificity - 1) / told))
  const corrected = { value: invert(rate.value), low: invert(rate.low), high: invert(rate.high) }
  return { rate, corrected, steps, open }
}
