import type { Layout } from './layout.ts'

/** What of a tree is in sight: heights are of the whole tree times `zoom`, columns have a fixed width. */
export interface View {
  /** Height of the whole tree, px. */
  zoom: number
  /** Position of the top left corner, px. */
  x: number
  y: number
  /** Width of a column, px. */
  column: number
}

/** Narrower columns hold no text worth reading. */
const NARROWEST = 76
const WIDEST = 260
/** Height of a line of text, px. */
export const LINE = 14

/** All of the tree in height; in width, as much as can be read. */
export function fit(l: Layout, width: number, height: number): View {
  const column = Math.min(WIDEST, Math.max(NARROWEST, width / (l.columns + 1)))
  return { zoom: height, x: 0, y: 0, column }
}

/** Keeps the tree in sight. */
export function clamp(view: View, l: Layout, width: number, height: number): View {
  const zoom = Math.min(Math.max(view.zoom, height), 4_000_000)
  const wide = view.column * (l.columns + 1)
  return {
    zoom,
    column: view.column,
    x: Math.max(0, Math.min(view.x, wide - width)),
    y: Math.max(0, Math.min(view.y, zoom - height)),
  }
}

/** Zooms about a height on the screen, which stays where it is. */
export function zoomAt(view: View, y: number, factor: number): View {
  return { ...view, zoom: view.zoom * factor, y: (view.y + y) * factor - y }
}

/** Brings a node into sight: as it is where it can be read, else enlarged until it can. */
export function reveal(view: View, l: Layout, node: number, width: number, height: number): View {
  const share = l.bottom[node]! - l.top[node]!
  const zoom = Math.max(view.zoom, Math.min((LINE * 3) / share, 4_000_000))
  const [top, bottom] = [l.top[node]! * zoom, l.bottom[node]! * zoom]
  const y0 = zoom === view.zoom ? view.y : (top + bottom) / 2 - height / 2
  const y = bottom - top > height || top < y0 ? top - 20 : bottom > y0 + height ? bottom - height + 20 : y0
  const left = l.depth[node]! * view.column
  const x = left < view.x ? left : left + view.column > view.x + width ? left + view.column - width : view.x
  return clamp({ ...view, zoom, x, y }, l, width, height)
}

/** Breaks at spaces where there are any. */
export function wrap(text: string, letters: number, rows: number): string[] {
  const flat = text
    .slice(0, letters * (rows + 1) * 2)
    .replace(/\s+/g, ' ')
    .trim()
  const out: string[] = []
  let rest = flat
  while (rest !== '' && out.length < rows) {
    if (rest.length <= letters) {
      out.push(rest)
      return out
    }
    const space = rest.lastIndexOf(' ', letters)
    const at = space > letters / 2 ? space : letters
    out.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  if (rest !== '' && out.length > 0) out[out.length - 1] = `${out.at(-1)!.slice(0, Math.max(0, letters - 1))}…`
  return out
}
