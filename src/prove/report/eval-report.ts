import { calibrations } from '../calibration.ts'
import type { Case, Predictor } from '../cases.ts'
import type { Table } from '../evaluate.ts'
import { shortName, type TextTable } from './facts-text.ts'
import { figure, type Html, html, page, paragraph, section, table } from './html.ts'
import { decimal, estimate, itemsOf } from './text.ts'

/**
 * The report of `gradus eval`: every table, the intervals drawn, calibration and risk-coverage.
 * @param facts differences, agreement and outcomes, as the text outputs have them
 */
export async function evalReport(
  title: string,
  cases: readonly Case[],
  predictors: readonly Predictor[],
  tables: readonly Table[],
  facts: readonly TextTable[] = [],
): Promise<string> {
  return page(title, [
    paragraph(
      `${cases.length.toLocaleString('en-US')} cases with gold labels. Intervals are 95 %, bootstrapped by question; rows without interval are trivial predictors that any method must beat.`,
    ),
    ...(await evalSections(cases, predictors, tables)),
    ...facts.map(factSection),
  ])
}

/** The sections alone, for reports that have more to say. */
export async function evalSections(
  cases: readonly Case[],
  predictors: readonly Predictor[],
  tables: readonly Table[],
): Promise<Html[]> {
  const { intervalPlot, reliabilityPlot, riskCoveragePlot } = await import('./plots.ts')
  const parts = tables.map((t) =>
    section(`${t.benchmark}: ${t.summary}`, tableHtml(t), ...t.notes.map((note) => html`<p class="soft">${note}</p>`)),
  )
  const last = tables.at(-1)
  if (last) {
    const rows = last.rows
      .filter((r) => !r.trivial)
      .flatMap((r) => r.figures.map((f) => ({ name: shortName(r.predictor), figure: f.name, ...f.estimate })))
    parts.push(section('Intervals', figure(intervalPlot(rows), `The figures of ${last.benchmark}, drawn.`)))
  }
  const known = calibrations(cases, predictors).map((c) => ({ ...c, name: shortName(c.predictor) }))
  if (known.length > 0) {
    parts.push(
      section(
        'Calibration',
        figure(
          reliabilityPlot(known),
          'Probability of the predicted class against how often it was right, in ten bins of equal size. On the diagonal it says what it knows.',
        ),
        table(
          ['predictor', ...Array.from({ length: 10 }, (_, i) => `bin ${i + 1}`)],
          known.map(({ name, bins }) => [name, ...bins.map((b) => `${decimal(b.stated)} / ${decimal(b.observed)}`)]),
        ),
        figure(
          riskCoveragePlot(known.map(({ name, riskCoverage: curve }) => ({ name, curve }))),
          'Share of wrong labels when only the most certain steps are kept.',
        ),
      ),
    )
  }
  return parts
}

/** Figures as rows, since there are more of them than predictors. */
function tableHtml(t: Table): Html {
  const figures = t.rows[0]?.figures ?? []
  const head = ['', 'items', ...t.rows.map((r) => shortName(r.predictor))]
  const cells = (f: number): string[] => t.rows.map((r) => estimate(r.figures[f]!.estimate))
  return table(
    head,
    figures.map(({ name }, f) => [name, itemsOf(t, f), ...cells(f)]),
  )
}

function factSection({ title, head, rows, note }: TextTable): Html {
  return section(title, table(head, rows), ...(note === undefined ? [] : [html`<p class="soft">${note}</p>`]))
}
