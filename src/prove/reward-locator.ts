import { bootstrap, type Estimate, groupsOf } from '../core/stats/index.ts'
import { firstErrorF1, firstErrorThreshold, type Located } from '../models/rewards/calibrate.ts'
import type { RewardModel } from '../models/rewards/reward.ts'

/** A scored line with what is known of it. */
export interface AuditLine {
  /** What is resampled whole. */
  question: string
  half: 'tune' | 'report'
  scores: readonly (number | null)[]
  /** Characters of each step. */
  lengths: readonly number[]
  /** Did it end right? */
  right?: boolean
  /** Is each step right? null = nobody says. */
  truth?: readonly (boolean | null)[]
}

/** `level`: the first step that scores low; `drop`: the first step that lowers the score much (of values). */
export type LocatorKind = 'level' | 'drop'

export interface LocatorFigure {
  kind: LocatorKind
  /** Chosen on the tune half, as was the kind. */
  threshold: number
  /** On the report half, by ProcessBench's rule. */
  f1: Estimate
  wrong: number
  clean: number
  /** Lines of the report half. */
  lines: number
}

/**
 * A reward model as a locator of first wrong steps: threshold (and for values: level or drop) chosen on the tune half,
 * figures on the report half. null where a half lacks clean or wrong lines.
 */
export function locateBy(
  lines: readonly AuditLine[],
  meaning: RewardModel['meaning'],
  seed = 'locator',
): LocatorFigure | null {
  const known = lines.flatMap((line) => {
    const firstError = firstErrorOf(line)
    return firstError === null ? [] : [{ line, firstError }]
  })
  const [tune, report] = (['tune', 'report'] as const).map((side) => known.filter(({ line }) => line.half === side))
  if (!tune || !report) return null
  const starts = tune.flatMap(({ line }) => line.scores[0] ?? [])
  const start = starts.reduce((a, b) => a + b, 0) / Math.max(1, starts.length)
  const located = (own: typeof known, kind: LocatorKind): Located[] =>
    own.map(({ line: { scores }, firstError }) => ({
      scores: kind === 'level' ? scores : drops(scores, start),
      firstError,
    }))
  const kinds: readonly LocatorKind[] = meaning === 'value' ? ['level', 'drop'] : ['level']
  let best: { kind: LocatorKind; threshold: number; f1: number } | null = null
  for (const kind of kinds) {
    const own = located(tune, kind)
    const threshold = firstErrorThreshold(own)
    if (threshold === null) continue
    const { f1 } = firstErrorF1(own, threshold)
    if (!best || f1 > best.f1) best = { kind, threshold, f1 }
  }
  if (!best || !report.some((r) => r.firstError >= 0) || !report.some((r) => r.firstError < 0)) return null
  const { kind, threshold } = best
  const own = located(report, kind)
  const { wrong, clean } = firstErrorF1(own, threshold)
  const f1 = bootstrap(
    groupsOf(report.map(({ line }) => line.question)),
    (items) =>
      firstErrorF1(
        items.map((i) => own[i]!),
        threshold,
      ).f1,
    { seed },
  )
  return { kind, threshold, f1, wrong, clean, lines: report.length }
}

/** Low where a step lowers the score: 1 less the fall from the step before; a step without a score is passed over. */
export function drops(scores: readonly (number | null)[], start: number): (number | null)[] {
  let before = start
  return scores.map((score) => {
    if (score === null) return null
    const fall = Math.max(0, before - score)
    before = score
    return 1 - fall
  })
}

/** The first step known to be wrong after steps known to be right; -1 = all right; null = holes before that. */
function firstErrorOf({ truth }: AuditLine): number | null {
  if (!truth) return null
  for (const [t, right] of truth.entries()) {
    if (right === null) return null
    if (!right) return t
  }
  return -1
}
