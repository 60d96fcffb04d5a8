import { z } from 'zod'
import type { Evidence, StepLabel } from '../../core/words.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  reduce: z
    .enum(['max', 'aligned', 'monotone', 'mean'])
    .default('max')
    .describe(
      'over the rests of the reference: the best (as published), the one after as many steps, never going back, all',
    ),
  normalise: z
    .enum(['token', 'none'])
    .default('token')
    .describe('log-ratio by token, or whole: long rests then weigh most'),
  centre: z.boolean().default(false).describe('minus the same for shuffled steps, where the evidence has it'),
  least: z
    .number()
    .optional()
    .describe('a step is right when its log-ratio is at least so large; without it values only'),
})
type Options = z.output<typeof Options>
type Likelihood = Extract<Evidence, { kind: 'likelihood' }>

/**
 * P2S: how much the steps so far speak for the rest of the reference, as a value.
 *
 * PFR = max over t of log p(rest from t | steps so far) - log p(rest from t | baseline), by token; the value is
 * 1 / (1 + exp(-PFR)): the chance, at even odds, that the rest follows these steps and not the baseline. The max is
 * optimistic: of steps that say nothing it is above 0 (`centre` takes that away), and it lets steps be skipped for
 * nothing (`monotone` and `aligned` do not).
 *
 * With `least` the labels are of correctness: the first step below it is wrong, later ones have no label.
 * @see papers/p2s.md
 */
export const faithfulness: LabelRule = {
  name: 'faithfulness',
  summary: 'how much the steps so far raise the probability of the rest of the reference',
  paper: 'p2s',
  options: Options,
  apply(steps, evidence, given) {
    const options = Options.parse(given)
    const scores = logRatios(steps, evidence, options)
    const { least } = options
    const first = least === undefined ? -1 : scores.findIndex((score) => score !== null && score < least)
    return scores.map((score, step): StepLabel => {
      const meaning = least === undefined ? 'value' : 'correctness'
      const head = { step, meaning, source: faithfulness.name } as const
      if (first >= 0 && step > first) return { ...head, value: null, reason: 'after-first-error' }
      if (score === null) return { ...head, value: null, reason: evidence.length === 0 ? 'no-evidence' : 'not-covered' }
      return { ...head, value: least === undefined ? 1 / (1 + Math.exp(-score)) : Number(score >= least) }
    })
  },
}

/** The reduced log-ratio of each step; null where there is no evidence. */
export function logRatios(
  steps: number,
  evidence: readonly Evidence[],
  given: Partial<Options> = {},
): (number | null)[] {
  const options = Options.parse(given)
  const byStep = new Array<Likelihood | null>(steps).fill(null)
  for (const e of evidence) if (e.kind === 'likelihood' && e.step >= 0 && e.step < steps) byStep[e.step] = e
  // What was not weighed is never the best.
  const of = (e: Likelihood, ratios: readonly (number | null)[]): number[] =>
    ratios.map((ratio, t) => {
      if (ratio === null) return Number.NEGATIVE_INFINITY
      return options.normalise === 'token' ? ratio / Math.max(1, e.tokens[t] ?? 1) : ratio
    })
  const own = reduced(
    byStep.map((e) => e && of(e, e.ratios)),
    options.reduce,
  )
  if (!options.centre) return own
  const control = reduced(
    byStep.map((e) => (e?.control ? of(e, e.control) : null)),
    options.reduce,
  )
  return own.map((score, step) => {
    const less = control[step] ?? null
    return score === null || less === null ? null : score - less
  })
}

function reduced(rows: readonly (number[] | null)[], reduce: Options['reduce']): (number | null)[] {
  if (reduce === 'monotone') return monotone(rows)
  return rows.map((ratios, step) => {
    const weighed = (ratios ?? []).filter((r) => r > Number.NEGATIVE_INFINITY)
    if (!ratios || weighed.length === 0) return null
    if (reduce === 'max') return Math.max(...weighed)
    if (reduce === 'mean') return weighed.reduce((sum, r) => sum + r, 0) / weighed.length
    return finite(ratios[Math.min(step + 1, ratios.length - 1)])
  })
}

/** The assignment of rests to steps that never goes back in the reference and has the largest sum. */
function monotone(rows: readonly (number[] | null)[]): (number | null)[] {
  const width = Math.max(0, ...rows.map((row) => row?.length ?? 0))
  if (width === 0) return rows.map(() => null)
  // best[t] = largest sum so far with the last step at a rest of t or earlier; from[step][t] = where it stands.
  let best = new Array<number>(width).fill(0)
  const from: number[][] = []
  for (const row of rows) {
    const at: number[] = []
    const next: number[] = []
    let top = Number.NEGATIVE_INFINITY
    let where = 0
    for (let t = 0; t < width; t++) {
      const sum = (best[t] ?? 0) + (row ? (row[t] ?? Number.NEGATIVE_INFINITY) : 0)
      if (sum > top) {
        top = sum
        where = t
      }
      next.push(top)
      at.push(where)
    }
    from.push(at)
    best = next
  }
  const out = new Array<number | null>(rows.length).fill(null)
  let t = width - 1
  for (let step = rows.length - 1; step >= 0; step--) {
    t = from[step]?.[t] ?? 0
    out[step] = finite(rows[step]?.[t])
  }
  return out
}

const finite = (x: number | undefined): number | null => (x !== undefined && Number.isFinite(x) ? x : null)
