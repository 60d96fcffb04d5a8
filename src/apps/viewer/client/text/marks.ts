/**
 * Characters that change how a line looks without being seen: controls, bidirectional marks and overrides, zero-width
 * characters. They are shown as what they are, so that a trace cannot show one thing and say another.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** Text and hidden characters in turn: even entries are text, odd ones the name of a character (`U+202E`). */
export function marks(text: string): string[] {
  const out: string[] = []
  let at = 0
  for (const found of text.matchAll(HIDDEN)) {
    const name = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    out.push(text.slice(at, found.index), `U+${name}`)
    at = found.index + found[0].length
  }
  out.push(text.slice(at))
  return out
}
