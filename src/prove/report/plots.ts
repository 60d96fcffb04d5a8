import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { ReliabilityBin } from '../../core/stats/index.ts'
import { apart } from './apart.ts'
import type { FigureData } from './figure-data.ts'
import { type Html, raw } from './html.ts'

/** Plots as SVG text, drawn without a browser. Colours are the page's own, so they follow light and dark. */
function draw(options: Plot.PlotOptions): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const svg = Plot.plot({
    marginBottom: 44,
    ...options,
    document: document as unknown as Document,
    style: { background: 'transparent', color: 'currentColor', fontSize: '12px' },
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return raw(svg.outerHTML)
}

/** Pixels between two lines of text. */
const LINE = 13

/** A name right of the end of each line; names that would stand on each other are pushed apart. */
function namesAtEnds<T>(ends: readonly T[], { x, y, text }: { x: string; y: string; text: string }): Plot.Text {
  const beside = { x, y, text, textAnchor: 'start', dx: 8 } as const
  return Plot.text(
    [...ends],
    Plot.initializer(beside, (data, facets, channels, scales) => {
      const heights = Array.from((channels['y']?.value ?? []) as Iterable<number>, (v) => Number(scales['y']?.(v)))
      return { data, facets, channels: { y: { value: apart(heights, LINE) } } }
    }),
  )
}

/** Stated confidence against observed accuracy, with the diagonal. */
export function reliabilityPlot(rows: readonly { name: string; bins: readonly ReliabilityBin[] }[]): Html {
  const points = rows.flatMap(({ name, bins }) =>
    bins.map((b) => ({ name, stated: b.stated, observed: b.observed, n: b.n })),
  )
  return draw({
    width: 420,
    height: 320,
    grid: true,
    x: { domain: [0, 1], label: 'stated probability' },
    y: { domain: [0, 1], label: 'observed share right' },
    color: { legend: false, scheme: 'Observable10' },
    r: { range: [2, 7] },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: 'currentColor', strokeOpacity: 0.4, strokeDasharray: '4 3' },
      ),
      Plot.line(points, { x: 'stated', y: 'observed', stroke: 'name' }),
      Plot.dot(points, { x: 'stated', y: 'observed', fill: 'name', r: 'n' }),
      Plot.text(
        rows.map(({ name, bins }) => ({ name, ...bins.at(-1)! })),
        { x: 'stated', y: 'observed', text: 'name', dy: -12, textAnchor: 'end' },
      ),
    ],
  })
}

/** Figures of several predictors with their intervals. */
export function intervalPlot(
  rows: readonly { name: string; figure: string; value: number; low: number; high: number }[],
): Html {
  const shown = rows.filter((r) => !Number.isNaN(r.value))
  const figures = new Set(shown.map((r) => r.figure)).size
  const names = new Set(shown.map((r) => r.name)).size
  return draw({
    width: 760,
    height: 40 + figures * (18 + 16 * names),
    marginLeft: labelWidth(shown.map((r) => r.figure)),
    marginRight: labelWidth(shown.map((r) => r.name)),
    // Correlations may be negative.
    x: { domain: [shown.some((r) => r.low < 0 || r.value < 0) ? -1 : 0, 1], grid: true, label: null },
    y: { label: null, axis: null },
    fy: { label: null, domain: [...new Set(shown.map((r) => r.figure))], axis: 'left' },
    color: { scheme: 'Observable10' },
    marks: [
      Plot.ruleY(shown, { fy: 'figure', y: 'name', x1: 'low', x2: 'high', stroke: 'name', strokeWidth: 2 }),
      Plot.dot(shown, { fy: 'figure', y: 'name', x: 'value', fill: 'name', r: 3.5 }),
      Plot.text(shown, { fy: 'figure', y: 'name', x: 'high', text: 'name', textAnchor: 'start', dx: 6 }),
    ],
  })
}

/** Room for the longest of the texts at 12 pixels a line: about 6.5 a character. */
function labelWidth(texts: readonly string[]): number {
  return 24 + 6.5 * Math.max(10, ...texts.map((t) => t.length))
}

/** Where first errors stand, as share of traces. */
export function positionPlot(rows: readonly { name: string; position: number }[]): Html {
  return draw({
    width: 640,
    height: 220,
    x: { label: 'position of the first wrong step, as share of the trace', domain: [0, 1] },
    y: { label: 'traces', grid: true },
    color: { scheme: 'Observable10' },
    marks: [
      Plot.rectY(
        rows,
        Plot.binX<Plot.RectYOptions>({ y: 'count' }, { x: 'position', thresholds: 20, fill: 'name', fillOpacity: 0.7 }),
      ),
      Plot.ruleY([0]),
    ],
  })
}

/** Risk among the most certain share of steps. */
export function riskCoveragePlot(
  rows: readonly { name: string; curve: readonly { coverage: number; risk: number }[] }[],
): Html {
  const points = rows.flatMap(({ name, curve }) => curve.map((p) => ({ name, ...p })))
  return draw({
    width: 420,
    height: 320,
    grid: true,
    x: { domain: [0, 1], label: 'coverage (most certain steps first)' },
    y: { label: 'share wrong' },
    color: { scheme: 'Observable10' },
    marks: [
      Plot.line(points, { x: 'coverage', y: 'risk', stroke: 'name' }),
      Plot.text(
        rows.map(({ name, curve }) => ({ name, ...curve.at(-1)! })),
        { x: 'coverage', y: 'risk', text: 'name', dy: -8, textAnchor: 'end' },
      ),
    ],
  })
}

/** Share right against tokens spent, a line an arm. */
export function bonPlot(
  rows: readonly { arm: string; tokens: number; value: number; low: number; high: number }[],
): Html {
  return draw({
    width: 760,
    height: 420,
    grid: true,
    marginRight: labelWidth(rows.map(({ arm }) => arm)),
    x: { type: 'log', label: 'tokens a question (log scale)' },
    y: { label: 'share right' },
    color: { scheme: 'Observable10' },
    marks: [
      Plot.line(rows, { x: 'tokens', y: 'value', stroke: 'arm' }),
      Plot.ruleX(rows, { x: 'tokens', y1: 'low', y2: 'high', stroke: 'arm', strokeOpacity: 0.4 }),
      Plot.dot(rows, { x: 'tokens', y: 'value', fill: 'arm', r: 3 }),
      namesAtEnds([...new Map(rows.map((row) => [row.arm, row])).values()], { x: 'tokens', y: 'value', text: 'arm' }),
    ],
  })
}

/** A figure that is kept as data: lines or points with their intervals, or bars. */
export function dataPlot({ kind, columns, rows, x = '', y = '', series, low, high }: FigureData): Html {
  const items = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])))
  const names = [...new Set(items.map((item) => String(item[series ?? ''] ?? '')))]
  const ends = names.flatMap((name) => items.filter((item) => String(item[series ?? ''] ?? '') === name).slice(-1))
  const colour = series === undefined ? {} : { stroke: series }
  const interval =
    low !== undefined && high !== undefined ? { x, y1: low, y2: high, strokeOpacity: 0.5, ...colour } : null
  return draw({
    width: 720,
    height: 360,
    marginRight: series === undefined ? 20 : labelWidth(names),
    grid: true,
    x: { label: x, ...(kind === 'bar' ? {} : { domain: extent(items.map((item) => Number(item[x]))) }) },
    y: { label: y, zero: kind === 'bar' },
    color: { scheme: 'Observable10' },
    marks:
      kind === 'bar'
        ? [Plot.barY(items, { x, y, fillOpacity: 0.7 }), Plot.ruleY([0])]
        : [
            ...(interval ? [Plot.ruleX(items, interval)] : []),
            ...(kind === 'line' ? [Plot.line(items, { x, y, ...colour })] : []),
            Plot.dot(items, { x, y, ...(series !== undefined && { fill: series }), r: 2.5 }),
            ...(series === undefined ? [] : [namesAtEnds(ends, { x, y, text: series })]),
          ],
  })
}

function extent(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)]
}
