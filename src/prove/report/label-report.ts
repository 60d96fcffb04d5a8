import type { Trace } from '../../core/words.ts'
import { figure, type Html, html, page, paragraph, section, table } from './html.ts'
import { traceHtml } from './trace-html.ts'

/** Traces shown whole in a report; the labelled file has them all. */
export const REPORT_TRACES = 40

export interface LabelReport {
  title: string
  /** File or files that were labelled. */
  files: readonly string[]
  traces: number
  wrong: number
  clean: number
  unsure: number
  steps: number
  decided: number
  annotators: readonly { name: string; correct: number; incorrect: number }[]
  leftOut: readonly { where: string; code: string; found: string }[]
  /** Position of each first wrong step as share of its trace. */
  positions: readonly number[]
  /** Traces with a first wrong step first. */
  examples: readonly Trace[]
  /** Figures against known labels, where there are some. */
  evaluation?: Html
}

/** The report of `gradus label`: what was found, by what, with examples. */
export async function labelReport(report: LabelReport): Promise<string> {
  const { traces, wrong, clean, unsure } = report
  const parts: Html[] = [
    paragraph(
      `${n(traces)} traces from ${report.files.join(', ')}: ${n(wrong)} with a first wrong step, ${n(clean)} without one, ${n(unsure)} on which nothing can be said. ${n(report.decided)} of ${n(report.steps)} steps were decided by a tool; no model was called.`,
    ),
    section(
      'What decided',
      table(
        ['annotator', 'steps found right', 'steps found wrong'],
        report.annotators
          .filter((a) => a.correct + a.incorrect > 0)
          .map((a) => [a.name.replace(/^verifier:/, ''), n(a.correct), n(a.incorrect)]),
      ),
    ),
  ]
  if (report.evaluation) parts.push(section('Against known labels', report.evaluation))
  if (report.positions.length > 1) {
    const { positionPlot } = await import('./plots.ts')
    parts.push(
      section(
        'Where it goes wrong',
        figure(
          positionPlot(report.positions.map((position) => ({ name: 'all', position }))),
          'First wrong steps by their position in the trace.',
        ),
      ),
    )
  }
  if (report.leftOut.length > 0)
    parts.push(
      section(
        'Left out',
        table(
          ['where', 'code', 'found'],
          report.leftOut.map((r) => [r.where, r.code, r.found]),
        ),
      ),
    )
  const shown = report.examples.slice(0, REPORT_TRACES)
  parts.push(
    section(
      'Traces',
      ...shown.map(traceHtml),
      html`<p class="soft">${n(shown.length)} of ${n(traces)} traces are shown; the labelled file has them all.</p>`,
    ),
  )
  return page(report.title, parts)
}

function n(value: number): string {
  return value.toLocaleString('en-US')
}
