import { createRequire } from 'node:module'
import type { Plain } from './model.ts'

/** How the solver ended; a limit or a failure of the solver is never read as a property of the model. */
export type Solution =
  | { status: 'optimal'; value: number; point: number[] }
  | { status: 'infeasible' }
  | { status: 'unbounded' }
  | { status: 'timeout' }
  | { status: 'failed'; why: string }

/** Minimises one model after another. */
export interface Solver {
  solve(model: Plain): Solution
}

/** One model of a hundred variables takes milliseconds; what takes longer is no word problem. Seconds. */
const TIME_LIMIT = 5

type Highs = import('highs').LegacyHighs

let loading: Promise<Highs> | null = null

/** HiGHS in WebAssembly, loaded once. */
export async function highs(): Promise<Solver> {
  loading ??= createRequire(import.meta.url)('highs')() as Promise<Highs>
  const engine = await loading
  return { solve: (model) => branched(engine, model) ?? solveWith(engine, model) }
}

/**
 * Branch and bound on the relaxations of HiGHS: its own integer solver takes some 30 ms to start, a relaxation of a
 * word problem half a millisecond. null = not finished within the node limit, or not bounded: left to HiGHS.
 */
function branched(engine: Highs, model: Plain): Solution | null {
  if (!model.integer.some(Boolean)) return null
  const open: Plain[] = [model]
  let best: Solution = { status: 'infeasible' }
  for (let nodes = 0; open.length > 0; nodes++) {
    const node = open.pop()
    if (!node || nodes === MAX_NODES) return null
    const relaxed = solveWith(engine, { ...node, integer: node.integer.map(() => false) })
    if (relaxed.status === 'infeasible') continue
    if (relaxed.status !== 'optimal') return null
    if (best.status === 'optimal' && relaxed.value >= best.value - WHOLE * Math.max(1, Math.abs(best.value))) continue
    const at = relaxed.point.findIndex((x, i) => model.integer[i] && Math.abs(x - Math.round(x)) > WHOLE)
    if (at < 0) {
      best = { ...relaxed, point: relaxed.point.map((x, i) => (model.integer[i] ? Math.round(x) : x)) }
      continue
    }
    const below = Math.floor(relaxed.point[at] ?? 0)
    const row = model.cost.map((_, i) => (i === at ? 1 : 0))
    const origin = { kind: 'upper', variable: '' } as const
    open.push(
      { ...node, clauses: [...node.clauses, { row, bound: below, origin }] },
      { ...node, clauses: [...node.clauses, { row: row.map((c) => (c === 0 ? 0 : -c)), bound: -below - 1, origin }] },
    )
  }
  return best
}

const MAX_NODES = 100

/** HiGHS's own integrality tolerance. */
const WHOLE = 1e-6

function solveWith(engine: Highs, model: Plain): Solution {
  try {
    const first = engine.solve(lpText(model), OPTIONS)
    if (first.Status === 'Optimal') {
      const point = model.cost.map((_, i) => first.Columns[`x${i}`]?.Primal ?? 0)
      return { status: 'optimal', value: dot(model.cost, point) + model.offset, point }
    }
    if (first.Status === 'Infeasible') return { status: 'infeasible' }
    if (first.Status === 'Unbounded' || first.Status === 'Primal infeasible or unbounded') {
      // Integer programs are reported unbounded from their relaxation: the two are told apart without an objective.
      const feasible = engine.solve(lpText({ ...model, cost: model.cost.map(() => 0) }), OPTIONS).Status
      if (feasible === 'Optimal') return { status: 'unbounded' }
      if (feasible === 'Infeasible') return { status: 'infeasible' }
      return { status: 'failed', why: feasible }
    }
    return first.Status === 'Time limit reached' ? { status: 'timeout' } : { status: 'failed', why: first.Status }
  } catch (error) {
    return { status: 'failed', why: error instanceof Error ? error.message : String(error) }
  }
}

const OPTIONS = { output_flag: false, mip_rel_gap: 0, time_limit: TIME_LIMIT } as const

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)
}

/**
 * CPLEX LP text, every variable free and every bound a row, so that nothing depends on the defaults of the format.
 * Rows without variables cannot be written: one that holds is left out, one that does not becomes an impossible row.
 */
function lpText(model: Plain): string {
  const names = model.cost.map((_, i) => `x${i}`)
  const sum = (row: readonly number[]): string => {
    const terms = row.flatMap((c, i) => (c === 0 ? [] : [`${c < 0 ? '-' : '+'} ${Math.abs(c)} x${i}`]))
    return terms.length === 0 ? '0 x0' : terms.join(' ')
  }
  const rows = model.clauses.flatMap((clause, i) => {
    if (clause.row.some((c) => c !== 0)) return [` c${i}: ${sum(clause.row)} <= ${clause.bound}`]
    return clause.bound >= 0 ? [] : [` c${i}a: x0 <= 0`, ` c${i}b: x0 >= 1`]
  })
  const whole = names.filter((_, i) => model.integer[i])
  return [
    'Minimize',
    ` obj: ${sum(model.cost)}`,
    'Subject To',
    ...(rows.length === 0 ? [' c: 0 x0 <= 1'] : rows),
    'Bounds',
    ...names.map((name) => ` ${name} free`),
    ...(whole.length === 0 ? [] : ['General', ` ${whole.join(' ')}`]),
    'End',
    '',
  ].join('\n')
}
