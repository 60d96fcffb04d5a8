import { GradusError } from '../../core/errors.ts'

/**
 * The scores, if they are what a reward model promises: one for each step, in [0, 1] or null.
 * @throws GradusError GRD-REWARD-001
 */
export function checkScores(scores: readonly (number | null)[], steps: number): (number | null)[] {
  const bad = scores.findIndex((score) => score !== null && !(score >= 0 && score <= 1))
  if (scores.length === steps && bad < 0) return [...scores]
  throw new GradusError('GRD-REWARD-001', {
    ...(bad >= 0 && { where: { field: `step ${bad}` } }),
    found: scores.length === steps ? String(scores[bad]) : `${scores.length} scores for ${steps} steps`,
    expected: 'one number in [0, 1] for each step, or null',
  })
}
