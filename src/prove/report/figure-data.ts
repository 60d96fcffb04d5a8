import type { Estimate } from '../../core/stats/index.ts'

/**
 * A figure as data: what the report draws, the viewer shows and anybody can read from `figures.json`.
 * `x`, `y`, `series`, `low`, `high` name columns.
 */
export interface FigureData {
  id: string
  title: string
  kind: 'line' | 'bar' | 'dot' | 'heat' | 'table'
  columns: string[]
  rows: (string | number | null)[][]
  x?: string
  y?: string
  /** Colour or line. */
  series?: string
  /** Of a heat map: the column with the value. */
  value?: string
  /** Ends of the interval of `y`. */
  low?: string
  high?: string
  note?: string
}

/** `.583 [.541, .622]` as the tables have it: three digits, no leading zero. */
export function estimateText({ value, low, high }: Estimate): string {
  if (Number.isNaN(value)) return '-'
  return Number.isNaN(low) ? digits(value) : `${digits(value)} [${digits(low)}, ${digits(high)}]`
}

function digits(x: number): string {
  return x.toFixed(3).replace(/^(-?)0\./, '$1.')
}
