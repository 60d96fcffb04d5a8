import type { Estimate } from '../../core/stats/index.ts'
import type { Table } from '../evaluate.ts'

/** `.812 [.790, .830]`; the value alone where it has no interval (trivial rows), `-` where it is not defined. */
export function estimate({ value, low, high }: Estimate): string {
  if (Number.isNaN(value) || Number.isNaN(low)) return decimal(value)
  return `${decimal(value)} [${decimal(low)}, ${decimal(high)}]`
}

export function decimal(value: number): string {
  if (Number.isNaN(value)) return '-'
  return value.toFixed(3).replace(/^(-?)0\./, '$1.')
}

/** The tables as Markdown: one row a figure, one column a predictor. */
export function markdown(tables: readonly Table[]): string {
  return tables.map(markdownTable).join('\n')
}

function markdownTable(table: Table): string {
  const names = table.rows.map((r) => r.predictor)
  const figures = table.rows[0]?.figures ?? []
  const rows = figures.map((figure, f) => [
    `${figure.name} (n = ${itemsOf(table, f)})`,
    ...table.rows.map((r) => (r.figures[f] ? estimate(r.figures[f].estimate) : '-')),
  ])
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    `### ${table.benchmark}: ${table.summary}`,
    '',
    line(['figure', ...names]),
    line(['---', ...names.map(() => '---')]),
    ...rows.map(line),
    '',
    `${table.cases} cases; intervals 95 %, bootstrapped by question.`,
    ...table.notes.map((n) => `- ${n}`),
    '',
  ].join('\n')
}

/** Items of a figure; a range where predictors decide different ones. */
export function itemsOf({ rows }: Table, f: number): string {
  const real = rows.filter((r) => !r.trivial)
  const ns = (real.length > 0 ? real : rows).map((r) => r.figures[f]!.n)
  const [low, high] = [Math.min(...ns), Math.max(...ns)].map((n) => n.toLocaleString('en-US'))
  return low === high ? low! : `${low} to ${high}`
}

/** The tables for a terminal: predictors as rows. */
export function plain(tables: readonly Table[]): string {
  return tables.map(plainTable).join('\n')
}

function plainTable(table: Table): string {
  const heads = ['', ...(table.rows[0]?.figures.map((f) => f.name) ?? [])]
  const body = table.rows.map((row) => [row.predictor, ...row.figures.map((f) => estimate(f.estimate))])
  const blocks: string[] = []
  const perBlock = 5
  for (let from = 1; from < heads.length; from += perBlock) {
    const columns = [0, ...Array.from({ length: Math.min(perBlock, heads.length - from) }, (_, i) => from + i)]
    const width = columns.map((c) => Math.max(heads[c]!.length, ...body.map((row) => row[c]!.length)))
    const line = (row: readonly string[]): string =>
      `  ${columns.map((c, i) => (i === 0 ? row[c]!.padEnd(width[i]!) : row[c]!.padStart(width[i]!))).join('   ')}`.trimEnd()
    blocks.push([heads, ...body].map(line).join('\n'))
  }
  return [
    `${table.benchmark}   ${table.summary}   ${table.cases} cases`,
    ...blocks,
    ...table.notes.map((n) => `  ${n}`),
    '',
  ].join('\n')
}
