import { relative } from 'node:path'
import type { Terminal } from '../verb.ts'

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

/** Colour adds, never carries the meaning. */
export function paint(terminal: Pick<Terminal, 'colour'>, style: keyof typeof CODES, text: string): string {
  return terminal.colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
}

const BARS = '▁▂▃▄▅▆▇█'

/** What `paint` writes; nothing else that begins with an escape reaches a terminal. */
const PAINT = `\\u001b\\[(?:0|${Object.values(CODES).join('|')})m`
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
const PAINT_OR_HARMFUL = new RegExp(`${PAINT}|${HARMFUL.source}`, 'g')

/**
 * The last gate before a terminal: control characters and bidirectional overrides of files, names and messages are
 * written as `\\u001b`, which is the same value inside JSON; lines, tabs and colours stay.
 */
export function harmless(text: string): string {
  return text.replace(PAINT_OR_HARMFUL, (c) =>
    c.length > 1 ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** One bar a step; a middle dot where nothing is known. */
export function sparkline(risk: readonly (number | null)[]): string {
  return risk.map((r) => (r === null ? '·' : BARS[Math.min(7, Math.floor(r * 8))])).join('')
}

/** `1,204` */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/**
 * Text of a trace made harmless for a terminal: control characters shown, bidirectional overrides removed, one line,
 * at most `width` characters.
 */
export function oneLine(text: string, width: number): string {
  const clean = text
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/\s+/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
    .trim()
  const characters = [...clean]
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : clean
}

/** Text of a trace made harmless as by `oneLine`, broken at blanks into at most `most` lines of `width` characters. */
export function wrapped(text: string, width: number, most: number): string[] {
  const lines: string[] = []
  let rest = oneLine(text, Number.POSITIVE_INFINITY)
  while (lines.length < most - 1 && [...rest].length > width) {
    const head = [...rest].slice(0, width + 1).join('')
    const blank = head.lastIndexOf(' ')
    const end = blank > width / 2 ? blank : [...rest].slice(0, width).join('').length
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...lines, oneLine(rest, width)]
}

/** Rows as columns: the first set left, the others right. */
export function columns(rows: readonly (readonly string[])[], gap = 3): string[] {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

/** As a person would type it from here: relative unless that climbs out of the folder. */
export function near(path: string): string {
  const from = relative(process.cwd(), path)
  return from === '' || from.startsWith('..') ? path : from
}

/** Safe to paste into a shell. */
export function quoted(path: string): string {
  return /^[\w./:@%+,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
