/** Stretches of text that no step boundary may cut. */
export interface Stretch {
  from: number
  to: number
}

const FENCE = /^(```+|~~~+)[^\n]*\n[\s\S]*?(?:^\1[ \t]*$|$(?![\s\S]))/gm
const DISPLAY = /\$\$[\s\S]*?\$\$|\\\[[\s\S]*?\\\]|\\begin\{(\w+\*?)\}[\s\S]*?\\end\{\1\}/g
/** Inline mathematics stays on one paragraph; a lone dollar sign is money. */
const INLINE =
  /\\\((?:(?!\n\s*\n)[\s\S])*?\\\)|(?<![\\$\w])\$(?![\s$])(?:(?!\n\s*\n)[^$\\]|\\[\s\S])*?(?<![\s\\])\$(?![\w$])/g

/** Fenced code and display mathematics; with `inline` also inline mathematics. Sorted, not overlapping. */
export function protectedStretches(text: string, inline: boolean): Stretch[] {
  const found: Stretch[] = []
  const add = (pattern: RegExp): void => {
    for (const m of text.matchAll(pattern)) {
      const stretch = { from: m.index, to: m.index + m[0].length }
      if (stretch.to > stretch.from && !found.some((f) => stretch.from < f.to && f.from < stretch.to))
        found.push(stretch)
    }
  }
  add(FENCE)
  add(DISPLAY)
  if (inline) add(INLINE)
  return found.sort((a, b) => a.from - b.from)
}

/** Positions that lie in no stretch; its edges may be cut at. */
export function outside(positions: Iterable<number>, stretches: readonly Stretch[]): number[] {
  return [...positions].filter((p) => !stretches.some((s) => p > s.from && p < s.to))
}

/** Positions behind each match of a pattern (global). */
export function* ends(text: string, pattern: RegExp): Generator<number> {
  for (const m of text.matchAll(pattern)) yield m.index + m[0].length
}

/** Positions before each match of a pattern (global). */
export function* starts(text: string, pattern: RegExp): Generator<number> {
  for (const m of text.matchAll(pattern)) yield m.index
}
