/**
 * How step scores in [0, 1] become one score of the whole; larger is better, only the order counts.
 * A step without a score is left out; a line without any score has none.
 */
export const AGGREGATORS = {
  min: (s: readonly number[]) => Math.min(...s),
  product: (s: readonly number[]) => s.reduce((a, b) => a * b, 1),
  mean: (s: readonly number[]) => s.reduce((a, b) => a + b, 0) / s.length,
  last: (s: readonly number[]) => s[s.length - 1]!,
  /** Sum of log-odds: a step that says nothing (.5) changes nothing. */
  'log-odds': (s: readonly number[]) => s.reduce((a, p) => a + logit(p), 0),
} as const satisfies Record<string, (scores: readonly number[]) => number>

export type AggregatorName = keyof typeof AGGREGATORS

/** null where no step has a score. */
export function aggregate(name: AggregatorName, scores: readonly (number | null)[]): number | null {
  const said = scores.filter((s) => s !== null)
  return said.length === 0 ? null : AGGREGATORS[name](said)
}

/** Scores of exactly 0 and 1 are held this far from the ends, so that one step cannot weigh infinitely. */
const EDGE = 1e-6

function logit(p: number): number {
  const q = Math.min(1 - EDGE, Math.max(EDGE, p))
  return Math.log(q / (1 - q))
}
