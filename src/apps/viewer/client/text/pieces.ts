/** A part of a step's text by what it is. `source` is the exact stretch of the text: joined, the sources are the text. */
export type Piece =
  | { kind: 'text'; source: string }
  | { kind: 'strong'; source: string; text: string }
  | { kind: 'code'; source: string; text: string }
  | { kind: 'block'; source: string; text: string; language: string }
  | { kind: 'math'; source: string; tex: string; display: boolean }

/** Longer formulas are shown as text: typesetting is the only work here whose cost grows faster than its input. */
const MATH_CHARS = 4_000
/** As far as an inline piece (`code`, **bold**, $x$) may reach. */
const INLINE_CHARS = 1_000

const FENCE = /(^|\n)([ \t]*)(```+|~~~+)([^\n`]*)(?:\n|$)/g
const ENVIRONMENT =
  /\\begin\{(align|aligned|alignat|array|bmatrix|cases|eqnarray|equation|gather|gathered|matrix|multline|pmatrix|split|vmatrix)(\*?)\}/y

/** Cuts a text into prose, formulas and code, in one pass; what is not closed stays prose. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = []
  let at = 0
  for (const fence of fences(text)) {
    if (fence.from > at) inline(text.slice(at, fence.from), out)
    out.push(fence.piece)
    at = fence.from + fence.piece.source.length
  }
  if (at < text.length) inline(text.slice(at), out)
  return out
}

/** Fenced blocks; one that is never closed reaches to the end, as in a step that was cut. */
function* fences(text: string): Generator<{ from: number; piece: Piece }> {
  FENCE.lastIndex = 0
  for (let open = FENCE.exec(text); open !== null; open = FENCE.exec(text)) {
    const from = open.index + open[1]!.length
    const start = open.index + open[0].length
    const mark = open[3]!
    const close = closing(text, start, mark)
    const end = close === null ? text.length : close.after
    yield {
      from,
      piece: {
        kind: 'block',
        source: text.slice(from, end),
        text: text.slice(start, close === null ? text.length : close.at),
        language: open[4]!.trim().split(/\s+/)[0]!.toLowerCase(),
      },
    }
    FENCE.lastIndex = end
  }
}

function closing(text: string, from: number, mark: string): { at: number; after: number } | null {
  for (let at = from; at <= text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(at, Math.min(end, at + 200)).trim()
    if (line.startsWith(mark) && line === mark[0]!.repeat(line.length))
      return { at: Math.max(from, at - 1), after: end }
    if (newline < 0) return null
    at = newline + 1
  }
  return null
}

function inline(text: string, out: Piece[]): void {
  const find = finder(text)
  let plain = 0
  const flush = (to: number): void => {
    if (to > plain) out.push({ kind: 'text', source: text.slice(plain, to) })
  }
  for (let at = 0; at < text.length; ) {
    const piece = opensPiece(text.charCodeAt(at)) ? pieceAt(text, at, find) : null
    if (piece === null) {
      // An escaped backslash or dollar opens nothing.
      at += text[at] === '\\' && (text[at + 1] === '\\' || text[at + 1] === '$') ? 2 : 1
      continue
    }
    flush(at)
    out.push(piece)
    at += piece.source.length
    plain = at
  }
  flush(text.length)
}

/** $ * \ ` */
function opensPiece(code: number): boolean {
  return code === 36 || code === 42 || code === 92 || code === 96
}

function pieceAt(text: string, at: number, find: Find): Piece | null {
  const c = text[at]!
  const next = text[at + 1]
  if (c === '\\') {
    if (next === '(') return math(text, at, find, '\\)', false)
    if (next === '[') return math(text, at, find, '\\]', true)
    return next === 'b' ? environment(text, at, find) : null
  }
  if (c === '$') return next === '$' ? math(text, at, find, '$$', true) : dollars(text, at, find)
  if (c === '`') return wrapped(text, at, find, '`', 'code')
  return next === '*' ? wrapped(text, at, find, '**', 'strong') : null
}

/** Every opening has two characters. */
function math(text: string, at: number, find: Find, close: string, display: boolean): Piece | null {
  const end = find(close, at + 2, MATH_CHARS)
  const tex = text.slice(at + 2, end)
  if (end < 0 || tex.trim() === '') return null
  return { kind: 'math', source: text.slice(at, end + close.length), tex, display }
}

function environment(text: string, at: number, find: Find): Piece | null {
  ENVIRONMENT.lastIndex = at
  const open = ENVIRONMENT.exec(text)
  if (open === null) return null
  const close = `\\end{${open[1]}${open[2]}}`
  const end = find(close, at, MATH_CHARS)
  if (end < 0) return null
  const source = text.slice(at, end + close.length)
  return { kind: 'math', source, tex: source, display: true }
}

/**
 * $...$ as Pandoc reads it, so that prices stay prose: no space inside the dollars, no digit after the closing one, no
 * empty line between them.
 */
function dollars(text: string, at: number, find: Find): Piece | null {
  if (/\s/.test(text[at + 1] ?? ' ')) return null
  const end = find('$', at + 1, INLINE_CHARS)
  if (end < 0 || /\s/.test(text[end - 1]!) || /\d/.test(text[end + 1] ?? '')) return null
  const tex = text.slice(at + 1, end)
  if (/\n\s*\n/.test(tex)) return null
  return { kind: 'math', source: text.slice(at, end + 1), tex, display: false }
}

function wrapped(text: string, at: number, find: Find, mark: string, kind: 'code' | 'strong'): Piece | null {
  const from = at + mark.length
  const end = find(mark, from, INLINE_CHARS)
  const inner = text.slice(from, end)
  if (end < 0 || inner.trim() === '' || inner.includes('\n')) return null
  return { kind, source: text.slice(at, end + mark.length), text: inner }
}

/** Position of the next `what` at or after `from` and within `reach`, or -1. */
type Find = (what: string, from: number, reach: number) => number

/** Positions only ever grow, so each text is searched once for each `what`, however many openings there are. */
function finder(text: string): Find {
  const next = new Map<string, number>()
  return (what, from, reach) => {
    let at = next.get(what) ?? -1
    if (at < from) {
      at = text.indexOf(what, from)
      while (at >= 0 && escaped(text, at)) at = text.indexOf(what, at + what.length)
      if (at < 0) at = Number.POSITIVE_INFINITY
      next.set(what, at)
    }
    return at - from <= reach ? at : -1
  }
}

/** A dollar after an odd number of backslashes is text. */
function escaped(text: string, at: number): boolean {
  if (text[at] !== '$') return false
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes++
  return slashes % 2 === 1
}
