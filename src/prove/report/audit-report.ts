import type { AuditArm, AuditReport } from '../audit.ts'
import { type Html, page, paragraph, section, table } from './html.ts'
import { decimal, estimate } from './text.ts'

/** The report of `gradus label --audit`: annotators and rules against the exact oracle of the task. */
export async function auditReport(title: string, report: AuditReport): Promise<string> {
  const { figure } = await import('./html.ts')
  const { intervalPlot, reliabilityPlot } = await import('./plots.ts')
  const named = report.arms.filter((arm) => arm.figures.length > 1)
  const valued = report.arms.filter((arm) => arm.figures.length === 1)
  const labelled = named.filter((arm) => arm.bins.length > 0)
  const drawn = named
    .filter((arm) => !arm.control)
    .flatMap((arm) => arm.figures.slice(0, 3).map((f) => ({ name: nameOf(arm), figure: f.name, ...f.estimate })))
  return page(title, [
    paragraph(
      `${report.traces.toLocaleString('en-US')} traces with ${report.steps.toLocaleString('en-US')} steps, ${report.erroneous.toLocaleString('en-US')} traces with an error, by the exact oracle of their task. Intervals are 95 %, bootstrapped by question. Rows without a rule look at nothing: what any annotator must beat.`,
    ),
    section(
      'First errors',
      firstErrors(named),
      ...(drawn.length > 0 ? [figure(intervalPlot(drawn), 'The same, drawn.')] : []),
    ),
    ...(labelled.length > 0
      ? [
          section('Untrue step labels by position', noiseTable(labelled)),
          section(
            'Calibration',
            figure(
              reliabilityPlot(labelled.map((arm) => ({ name: nameOf(arm), bins: arm.bins }))),
              'Stated chance that a step is right against how often it is, in ten bins of equal size.',
            ),
          ),
        ]
      : []),
    ...(valued.length > 0
      ? [
          section(
            'Values',
            table(
              ['', 'steps', 'AUC: before the first error against the rest'],
              valued.map((arm) => [nameOf(arm), count(arm.figures[0]?.n ?? 0), estimateOf(arm, 0)]),
            ),
          ),
        ]
      : []),
  ])
}

function firstErrors(arms: readonly AuditArm[]): Html {
  const names =
    arms.find((arm) => !arm.control)?.figures.map((f) => f.name) ?? arms[0]?.figures.map((f) => f.name) ?? []
  return table(
    ['', ...names, 'tokens an exact error'],
    arms.map((arm) => [
      nameOf(arm),
      ...names.map((_, f) => estimateOf(arm, f)),
      arm.tokensPerError === null ? '-' : count(Math.round(arm.tokensPerError)),
    ]),
  )
}

function noiseTable(arms: readonly AuditArm[]): Html {
  const fifths = arms[0]?.noise.length ?? 0
  return table(
    ['', ...Array.from({ length: fifths }, (_, i) => `fifth ${i + 1}`)],
    arms.map((arm) => [
      nameOf(arm),
      ...arm.noise.map(({ n, wrong }) => (n === 0 ? '-' : `${decimal(wrong / n)} of ${count(n)}`)),
    ]),
  )
}

/** The audit for a terminal: the figures of first errors, an annotator and rule a line. */
export function auditText({ arms, traces, erroneous }: AuditReport): string {
  const named = arms.filter((arm) => arm.figures.length > 1)
  const shown = (named[0]?.figures ?? []).slice(0, 4).map((f) => f.name)
  const rows = [
    ['', ...shown, 'tokens/error'],
    ...named.map((arm) => [
      nameOf(arm),
      // The interval of one of them says how sure the others are.
      ...shown.map((name, f) =>
        name === 'F1' ? estimateOf(arm, f) : decimal(arm.figures[f]?.estimate.value ?? Number.NaN),
      ),
      arm.tokensPerError === null ? '-' : count(Math.round(arm.tokensPerError)),
    ]),
  ]
  const values = arms.filter((arm) => arm.figures.length === 1)
  const widths = rows[0]?.map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0))) ?? []
  const lines = rows.map((row) => {
    const cells = row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
    return `    ${cells.join('   ')}`.trimEnd()
  })
  return [
    `  audit of ${count(traces)} traces, ${count(erroneous)} with an error`,
    ...lines,
    ...values.map((arm) => `    ${nameOf(arm).padEnd(widths[0] ?? 0)}   ${estimateOf(arm, 0)} AUC of values`),
    '',
  ].join('\n')
}

function nameOf({ annotator, rule }: AuditArm): string {
  const short = annotator.replace(/^verifier:/, '')
  return rule === '' ? short : `${short} / ${rule}`
}

const estimateOf = (arm: AuditArm, f: number): string => (arm.figures[f] ? estimate(arm.figures[f].estimate) : '-')
const count = (n: number): string => n.toLocaleString('en-US')
