import type { Trace, Usage } from '../../core/words.ts'
import type { FigureData } from './figure-data.ts'
import { figure, type Html, html, page, paragraph, section, table } from './html.ts'
import { traceHtml } from './trace-html.ts'

export interface RunReport {
  title: string
  /** What was done, a sentence each. */
  done: readonly string[]
  stages: readonly { name: string; done: number; seconds: number }[]
  figures: readonly FigureData[]
  usage: Usage
  /** With verdicts, those with a first wrong step first. */
  examples: readonly Trace[]
  /** The configuration, as it can be given again. */
  config: string
}

/** The report of `gradus run`: one self-contained page. */
export async function runReport(report: RunReport): Promise<string> {
  const { dataPlot } = await import('./plots.ts')
  const { usage } = report
  const drawn = report.figures.map((data): Html => {
    const note = data.note === undefined ? [] : [html`<p class="soft">${data.note}</p>`]
    if (data.kind === 'line' || data.kind === 'dot' || data.kind === 'bar') {
      return section(data.title, figure(dataPlot(data), data.note ?? ''), asDetails(data))
    }
    return section(data.title, tableOf(data), ...note)
  })
  return page(report.title, [
    ...report.done.map((sentence) => paragraph(sentence)),
    ...drawn,
    section('Traces with their first wrong step', ...report.examples.map(traceHtml)),
    section(
      'What it took',
      table(
        ['stage', 'items', 'seconds'],
        report.stages.map((s) => [s.name, n(s.done), s.seconds.toFixed(1)]),
      ),
      paragraph(
        `${n(usage.calls)} calls, ${n(usage.promptTokens)} prompt and ${n(usage.completionTokens)} completion tokens${usage.cost === undefined ? '' : `, $${usage.cost.toFixed(2)}`}.`,
      ),
    ),
    section('Settings', html`<pre>${report.config}</pre>`),
  ])
}

function tableOf({ columns, rows }: FigureData): Html {
  return table(
    columns,
    rows.map((row) => row.map(cell)),
  )
}

/** The numbers of a plot, folded. */
function asDetails(data: FigureData): Html {
  return html`<details><summary>the numbers</summary>${tableOf(data)}</details>`
}

function cell(value: string | number | null): string {
  if (value === null) return '-'
  if (typeof value === 'string') return value
  return Number.isInteger(value) ? n(value) : value.toFixed(3)
}

function n(value: number): string {
  return value.toLocaleString('en-US')
}
