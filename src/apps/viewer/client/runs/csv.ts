import type { Figure } from '../api.generated.ts'

/** RFC 4180; a cell that a spreadsheet would run as a formula is led by an apostrophe. */
export function csv({ columns, rows }: Pick<Figure, 'columns' | 'rows'>): string {
  return [columns, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')
}

function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
