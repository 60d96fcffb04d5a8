import { bootstrap, type Estimate, groupsOf, mean, passAtK, passHatK } from '../../core/stats/index.ts'
import type { Trace } from '../../core/words.ts'

/** An outcome this close to 1 is a success; tau-bench's own tolerance for its rewards. */
const SUCCESS = 1 - 1e-6

/** How often one generator's runs succeed; a fact of the set, whatever any predictor says. */
export interface OutcomeTable {
  /** Empty where the set names none. */
  generator: string
  problems: number
  traces: number
  successes: number
  rows: OutcomeRow[]
}

export interface OutcomeRow {
  k: number
  /** Problems with at least k runs; the others are left out of the row. */
  problems: number
  /** Chance that at least one of k runs succeeds: 1 - C(n-c, k) / C(n, k) (arXiv 2107.03374), mean over problems. */
  passAtK: Estimate
  /** Chance that all of k runs succeed: C(c, k) / C(n, k) (arXiv 2406.12045), mean over problems. */
  passHatK: Estimate
}

/**
 * pass@k and pass^k for k up to the most runs that a problem has, one table a generator; traces without outcome are left
 * out.
 */
export function outcomeTables(traces: readonly Trace[]): OutcomeTable[] {
  const withOutcome = traces.filter((t) => t.outcome !== undefined)
  return [...Map.groupBy(withOutcome, (t) => t.source.generator)].map(([generator, own]) => {
    const runs = [...Map.groupBy(own, (t) => t.problem.id).values()].map((list) => ({
      n: list.length,
      c: list.filter((t) => t.outcome! >= SUCCESS).length,
    }))
    const most = Math.max(...runs.map((r) => r.n))
    return {
      generator,
      problems: runs.length,
      traces: own.length,
      successes: runs.reduce((a, r) => a + r.c, 0),
      rows: ksUpTo(most).map((k) => rowOf(runs, k)),
    }
  })
}

/** Were problems tried several times on purpose: at least half of them have a second run? */
export function hasTrials(tables: readonly OutcomeTable[]): boolean {
  return tables.some((t) => t.rows.some((r) => r.k === 2 && 2 * r.problems >= t.problems))
}

/** Every k up to ten, then doubling: a hundred rows would say no more. */
function ksUpTo(most: number): number[] {
  const ks = Array.from({ length: Math.min(most, 10) }, (_, i) => i + 1)
  for (let k = 16; k <= most; k *= 2) ks.push(k)
  return ks
}

function rowOf(runs: readonly { n: number; c: number }[], k: number): OutcomeRow {
  const enough = runs.filter((r) => r.n >= k)
  const groups = groupsOf(enough.map((_, i) => String(i)))
  const over = (name: string, of: typeof passAtK): Estimate => {
    const values = enough.map(({ n, c }) => of(n, c, k))
    return bootstrap(groups, (items) => mean(items.map((i) => values[i]!)), { seed: `${name} ${k}` })
  }
  return { k, problems: enough.length, passAtK: over('pass@k', passAtK), passHatK: over('pass^k', passHatK) }
}
