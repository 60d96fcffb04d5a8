import { inkOn, valueColour } from '../parts/colour.ts'
import type { Layout } from './layout.ts'
import { LINE, type View, wrap } from './view.ts'

export interface Marks {
  selected: number
  /** Nodes on the best line and on the search's path. */
  best: ReadonlySet<number>
  path: ReadonlySet<number>
}

const FONT = '11.5px system-ui, sans-serif'
/** Average width of a letter in that font; text is cut by it rather than measured, which is slow. */
const LETTER = 6

/** Draws what is in sight. Boxes below a pixel share it, so the work is bounded by the screen, not by the tree. */
export function draw(
  ctx: CanvasRenderingContext2D,
  l: Layout,
  text: (node: number) => string,
  view: View,
  marks: Marks,
  colours: { page: string; line: string },
): void {
  const width = ctx.canvas.width / devicePixelRatio
  const height = ctx.canvas.height / devicePixelRatio
  ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
  ctx.fillStyle = colours.page
  ctx.fillRect(0, 0, width, height)
  ctx.font = FONT
  ctx.textBaseline = 'top'
  const first = Math.floor(view.x / view.column)
  const last = Math.min(l.columns, Math.floor((view.x + width) / view.column))
  for (let column = first; column <= last; column++) drawColumn(ctx, l, text, view, column, height)
  outline(ctx, l, view, marks.path, colours.line, [4, 3], height)
  outline(ctx, l, view, marks.best, colours.line, [], height)
  if (marks.selected >= 0) select(ctx, l, view, marks.selected, colours)
}

function drawColumn(
  ctx: CanvasRenderingContext2D,
  l: Layout,
  text: (node: number) => string,
  view: View,
  column: number,
  height: number,
): void {
  const left = column * view.column - view.x
  const end = l.columnStart[column + 1]!
  let filled = -1
  for (let i = firstInSight(l, column, view.y / view.zoom); i < end; i++) {
    const node = l.byColumn[i]!
    const top = l.top[node]! * view.zoom - view.y
    if (top > height) return
    const bottom = l.bottom[node]! * view.zoom - view.y
    const y = Math.max(top, -2)
    const tall = Math.min(bottom, height + 2) - y
    if (bottom <= filled) continue
    filled = Math.max(Math.floor(top) + 1, filled)
    const gap = tall > 3 ? 1 : 0
    ctx.fillStyle = valueColour(l.value[node]!)
    ctx.fillRect(left + 0.5, y, view.column - 1, Math.max(tall - gap, 1))
    if (tall >= LINE) write(ctx, text(node), left + 5, y, view.column - 10, tall, inkOn(l.value[node]!))
  }
}

/** Binary search: boxes of a column stand from top to bottom. */
function firstInSight(l: Layout, column: number, height: number): number {
  let low = l.columnStart[column]!
  let high = l.columnStart[column + 1]!
  while (low < high) {
    const middle = (low + high) >> 1
    if (l.bottom[l.byColumn[middle]!]! <= height) low = middle + 1
    else high = middle
  }
  return low
}

function write(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  width: number,
  height: number,
  ink: string,
): void {
  ctx.fillStyle = ink
  const lines = wrap(text, Math.floor(width / LETTER), Math.min(8, Math.floor(height / LINE)))
  const top = y + Math.max(1, Math.min(5, (height - lines.length * LINE) / 2))
  for (const [row, line] of lines.entries()) ctx.fillText(line, x, top + row * LINE, width)
}

function outline(
  ctx: CanvasRenderingContext2D,
  l: Layout,
  view: View,
  nodes: ReadonlySet<number>,
  colour: string,
  dash: number[],
  height: number,
): void {
  ctx.strokeStyle = colour
  ctx.lineWidth = dash.length > 0 ? 1.5 : 2
  ctx.setLineDash(dash)
  for (const node of nodes) {
    const y = l.top[node]! * view.zoom - view.y
    const tall = (l.bottom[node]! - l.top[node]!) * view.zoom
    if (y > height || y + tall < 0) continue
    const x = l.depth[node]! * view.column - view.x
    ctx.strokeRect(x + 1.5, y + 1, view.column - 3, Math.max(tall - 3, 1))
  }
  ctx.setLineDash([])
}

/** Seen on every colour: a dark line with a light one around it. */
function select(
  ctx: CanvasRenderingContext2D,
  l: Layout,
  view: View,
  node: number,
  colours: { page: string; line: string },
): void {
  const x = l.depth[node]! * view.column - view.x
  const y = l.top[node]! * view.zoom - view.y
  const tall = Math.max((l.bottom[node]! - l.top[node]!) * view.zoom, 3)
  ctx.lineWidth = 5
  ctx.strokeStyle = colours.page
  ctx.strokeRect(x + 2, y + 1.5, view.column - 4, tall - 3)
  ctx.lineWidth = 2.5
  ctx.strokeStyle = colours.line
  ctx.strokeRect(x + 2, y + 1.5, view.column - 4, tall - 3)
}
