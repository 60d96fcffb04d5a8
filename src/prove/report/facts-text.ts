import { type Agreement, GOLD } from '../agreement.ts'
import type { OutcomeTable } from '../benchmarks/outcome.ts'
import type { Difference, Table } from '../evaluate.ts'
import { decimal, estimate } from './text.ts'

/** A table of text as both the terminal and Markdown show it: the first column is the row's head. */
export interface TextTable {
  title: string
  head: readonly string[]
  rows: readonly (readonly string[])[]
  note?: string
}

/** Differences of the first predictor to the others, of every rule that has some. */
export function differenceTables(tables: readonly Table[]): TextTable[] {
  return tables
    .filter((t) => t.differences.length > 0)
    .map((t) => ({
      title: `${t.benchmark}: ${shortName(t.differences[0]!.first)} less each other`,
      head: ['', ...new Set(t.differences.map((d) => d.figure))],
      rows: [...Map.groupBy(t.differences, (d) => d.other)].map(([other, own]) => [shortName(other), ...own.map(sure)]),
      note: 'paired bootstrap by question; * = the interval leaves out 0',
    }))
}

function sure({ estimate: e }: Difference): string {
  return `${estimate(e)}${e.low > 0 || e.high < 0 ? ' *' : ''}`
}

export function agreementTables(agreements: readonly Agreement[]): TextTable[] {
  return agreements.map(({ on, items, raters, alpha, pairs }) => {
    const predictors = raters.filter((r) => r !== GOLD)
    const kappa = (a: string, b: string): string => {
      const pair = pairs.find((p) => (p.a === a && p.b === b) || (p.a === b && p.b === a))
      return pair === undefined ? '' : `${decimal(pair.kappa)} (${pair.n.toLocaleString('en-US')})`
    }
    return {
      title: `agreement on ${items.toLocaleString('en-US')} ${on}, Cohen's kappa (items that both answered)`,
      head: ['', GOLD, ...(predictors.length > 1 ? predictors.map((_, i) => String(i + 1)) : [])],
      // Columns by number: a matrix of file names is wider than any page.
      rows: predictors.map((a, i) => [
        predictors.length > 1 ? `${i + 1} ${shortName(a)}` : shortName(a),
        kappa(a, GOLD),
        ...(predictors.length > 1 ? predictors.map((b) => (a === b ? '' : kappa(a, b))) : []),
      ]),
      ...(predictors.length > 1 && { note: `Krippendorff's alpha over the predictors ${decimal(alpha)}` }),
    }
  })
}

export function outcomeTexts(tables: readonly OutcomeTable[]): TextTable[] {
  return tables.map(({ generator, problems, traces, successes, rows }) => ({
    title: `outcomes${generator === '' ? '' : ` of ${generator}`}: ${successes.toLocaleString('en-US')} of ${traces.toLocaleString('en-US')} runs of ${problems.toLocaleString('en-US')} problems succeed`,
    head: ['', 'problems', 'pass@k', 'pass^k'],
    rows: rows.map((r) => [
      `k = ${r.k}`,
      r.problems.toLocaleString('en-US'),
      estimate(r.passAtK),
      estimate(r.passHatK),
    ]),
    note: 'a fact of the set, whatever a predictor says; intervals 95 %, bootstrapped by problem',
  }))
}

/** For a terminal. */
export function plainFacts(tables: readonly TextTable[]): string {
  return tables
    .map(({ title, head, rows, note }) => {
      const all = [head, ...rows]
      const width = head.map((_, c) => Math.max(...all.map((row) => row[c]!.length)))
      const line = (row: readonly string[]): string =>
        `  ${row.map((cell, c) => (c === 0 ? cell.padEnd(width[c]!) : cell.padStart(width[c]!))).join('   ')}`.trimEnd()
      return [title, ...all.map(line), ...(note === undefined ? [] : [`  ${note}`]), ''].join('\n')
    })
    .join('\n')
}

export function markdownFacts(tables: readonly TextTable[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return tables
    .map(({ title, head, rows, note }) =>
      [
        `### ${title}`,
        '',
        line(head),
        line(head.map(() => '---')),
        ...rows.map(line),
        '',
        ...(note === undefined ? [] : [note, '']),
      ].join('\n'),
    )
    .join('\n')
}

/** The last folder and the file's name. */
export function shortName(name: string): string {
  return name.split('/').slice(-2).join('/')
}
