import type { Method } from '../../core/method.ts'

/**
 * Decides where a step ends.
 *
 * Pieces joined without anything between them are the text again, character for character: white space and separators
 * belong to the piece that they follow. No piece is empty; empty text gives no piece.
 */
export interface Splitter extends Method {
  split(text: string): string[] | Promise<string[]>
}

/** The text cut before each of the given positions (any order, duplicates and ends allowed). */
export function cutAt(text: string, positions: Iterable<number>): string[] {
  const cuts = [...new Set(positions)].filter((p) => p > 0 && p < text.length).sort((a, b) => a - b)
  const out: string[] = []
  let from = 0
  for (const cut of [...cuts, text.length]) {
    if (cut > from) out.push(text.slice(from, cut))
    from = cut
  }
  return mergeBlank(out)
}

/** White space alone is no step: it joins the piece before it, at the start the piece after it. */
function mergeBlank(pieces: readonly string[]): string[] {
  const out: string[] = []
  let lead = ''
  for (const piece of pieces) {
    if (piece.trim() !== '') {
      out.push(lead + piece)
      lead = ''
    } else if (out.length > 0) out[out.length - 1] += piece
    else lead += piece
  }
  if (lead !== '') out.push(lead)
  return out
}
