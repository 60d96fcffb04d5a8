import * as Plot from '@observablehq/plot'
import type { Figure } from '../api.generated.ts'

/** Okabe and Ito's colours, told apart with every common colour blindness, and the same made lighter for a dark page. */
const COLOURS = {
  light: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c8c8c'],
  dark: ['#4fa8de', '#f28a45', '#2bc79a', '#e3a3c6', '#efb94a', '#9ad4f5', '#a8a8a8'],
}
export type Mode = keyof typeof COLOURS

type Datum = Record<string, string | number | null>

/** Categories with longer names stand as rows. */
const LONG_NAME = 7

/** A figure as SVG that is not in the page yet; null for a table. */
export function drawFigure(figure: Figure, width: number, mode: Mode): SVGSVGElement | null {
  if (figure.kind === 'table' || figure.x === undefined || figure.y === undefined) return null
  const data = figure.rows.map((row): Datum => Object.fromEntries(figure.columns.map((c, i) => [c, row[i] ?? null])))
  const options: Plot.PlotOptions = {
    width,
    marginLeft: 56,
    className: 'plot',
    color: { range: COLOURS[mode], domain: seriesOf(figure) },
    ...optionsOf(figure, data, COLOURS[mode][0]!),
  }
  const drawn = Plot.plot(options)
  return drawn instanceof SVGSVGElement ? drawn : null
}

/** Lines or groups of a figure with their colours. */
export function legendOf(figure: Figure, mode: Mode): { name: string; colour: string }[] {
  const colours = COLOURS[mode]
  return seriesOf(figure).map((name, i) => ({ name, colour: colours[i % colours.length]! }))
}

function seriesOf({ series, columns, rows }: Figure): string[] {
  if (series === undefined) return []
  const at = columns.indexOf(series)
  return [...new Set(rows.map((row) => String(row[at] ?? '')))]
}

function optionsOf(figure: Figure, data: readonly Datum[], only: string): Plot.PlotOptions {
  switch (figure.kind) {
    case 'line':
      return line(figure, data, only)
    case 'bar':
      return bar(figure, data, only)
    case 'dot':
      return dot(figure, data, only)
    default:
      return heat(figure, data)
  }
}

function line({ x, y, series, low, high }: Figure, data: readonly Datum[], only: string): Plot.PlotOptions {
  const colour = series ?? only
  const interval = low !== undefined && high !== undefined
  return {
    height: 280,
    grid: true,
    x: { label: x!, nice: true },
    y: { label: y!, nice: true },
    marks: [
      ...(interval
        ? [Plot.areaY(data, { x: x!, y1: low, y2: high, z: series ?? null, fill: colour, fillOpacity: 0.14 })]
        : []),
      Plot.lineY(data, { x: x!, y: y!, z: series ?? null, stroke: colour, strokeWidth: 1.8 }),
      Plot.dot(data, { x: x!, y: y!, fill: colour, r: 2.6 }),
    ],
  }
}

function bar({ x, y, series, low, high }: Figure, data: readonly Datum[], only: string): Plot.PlotOptions {
  const fill = series ?? only
  const interval = low !== undefined && high !== undefined
  const names = [...new Set(data.map((d) => String(d[x!] ?? '')))]
  const longest = Math.max(0, ...names.map((n) => n.length))
  if (data.some((d) => typeof d[x!] === 'string') && longest > LONG_NAME) {
    const groups = series === undefined ? { y: x! } : { fy: x!, y: series }
    const row = series === undefined ? 24 : 8 + 16 * new Set(data.map((d) => d[series])).size
    return {
      height: 50 + row * names.length,
      marginLeft: 12 + 6.4 * Math.min(longest, 34),
      grid: true,
      x: { label: y!, nice: true },
      y: { label: null, ...(series === undefined ? { domain: names, axis: 'left' } : { axis: null }) },
      fy: { label: null, axis: 'left', domain: names },
      marks: [
        Plot.barX(data, { ...groups, x: y!, fill }),
        ...(interval ? [Plot.ruleY(data, { ...groups, x1: low, x2: high, strokeWidth: 1.5 })] : []),
        Plot.ruleX([0]),
      ],
    }
  }
  const groups = series === undefined ? { x: x! } : { fx: x!, x: series }
  return {
    height: 280,
    y: { label: y!, nice: true, grid: true },
    x: { label: series === undefined ? x! : null, axis: series === undefined ? 'bottom' : null, type: 'band' },
    fx: { label: x! },
    marks: [
      Plot.barY(data, { ...groups, y: y!, fill }),
      ...(interval ? [Plot.ruleX(data, { ...groups, y1: low, y2: high, strokeWidth: 1.5 })] : []),
      Plot.ruleY([0]),
    ],
  }
}

function dot({ x, y, series, low, high }: Figure, data: readonly Datum[], only: string): Plot.PlotOptions {
  const colour = series ?? only
  const interval = low !== undefined && high !== undefined
  return {
    height: 300,
    grid: true,
    x: { label: x!, nice: true },
    y: { label: y!, nice: true },
    marks: [
      ...(interval ? [Plot.ruleX(data, { x: x!, y1: low, y2: high, stroke: colour, strokeWidth: 1.4 })] : []),
      Plot.dot(data, { x: x!, y: y!, fill: colour, r: 3.5 }),
    ],
  }
}

/** The number stands in its cell, so colour is not alone and no legend is needed. */
function heat({ x, y, value }: Figure, data: readonly Datum[]): Plot.PlotOptions {
  const of = value!
  const numbers = data.flatMap((d) => (typeof d[of] === 'number' ? [d[of]] : []))
  const [least, most] = [Math.min(0, ...numbers), Math.max(...numbers, 1e-9)]
  const names = [...new Set(data.map((d) => String(d[y!] ?? '')))]
  const tilted = data.some((d) => String(d[x!] ?? '').length > LONG_NAME)
  const dark = (d: Datum): boolean => typeof d[of] === 'number' && (d[of] - least) / (most - least) > 0.55
  return {
    height: (tilted ? 110 : 70) + 30 * names.length,
    marginLeft: 16 + 6.4 * Math.min(24, Math.max(0, ...names.map((n) => n.length))),
    marginBottom: tilted ? 84 : 46,
    x: { label: x!, type: 'band', tickRotate: tilted ? -35 : 0 },
    y: { label: null, type: 'band' },
    color: { type: 'linear', domain: [least, most], range: ['#eef3f8', '#0b4f7d'] },
    marks: [
      Plot.cell(data, { x: x!, y: y!, fill: of, inset: 0.5 }),
      Plot.text(data, {
        x: x!,
        y: y!,
        text: (d: Datum) => (typeof d[of] === 'number' ? String(Number(d[of].toFixed(2))) : ''),
        fill: (d: Datum) => (dark(d) ? '#ffffff' : '#15181d'),
      }),
    ],
  }
}
