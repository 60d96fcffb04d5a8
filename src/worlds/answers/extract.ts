import { closing } from './tokens.ts'

/** Characters from the end in which an answer is looked for. */
const TAIL = 20_000
/** Boxes tried from the end before giving up on a text full of unclosed ones. */
const MAX_BOXES = 20

/**
 * The final answer that a text states, or null where it states none.
 *
 * In this order: the last balanced `\boxed{}` (or `\fbox{}`); the last line `#### x`; a JSON member `"answer"`; the last
 * `answer is x` / `Answer: x` / `A: x`; a closing sentence `so ... is x`; a last line that is one formula in `$ $`, or
 * bold. A bare number somewhere in the text is never taken: that is how wrong answers pass.
 */
export function extractAnswer(text: string): string | null {
  const tail = text.length > TAIL ? text.slice(-TAIL) : text
  return boxed(tail) ?? hashes(tail) ?? member(tail) ?? phrase(tail) ?? closingSentence(tail) ?? lastLine(tail)
}

/** An answer marked as such: what `equal` looks for before it reads the whole text as an answer. */
export function markedAnswer(text: string): string | null {
  return boxed(text) ?? hashes(text) ?? phrase(text)
}

/**
 * Does a step end a solution: a box, a line `#### x`, or `the answer is x`? Stricter than what `extractAnswer` reads out
 * of a whole solution, since a step in the middle may close with a formula or a result of its own.
 */
export function statesAnswer(step: string): boolean {
  return boxed(step) !== null || hashes(step) !== null || /\b(?:final )?answer[ \t]{0,4}(?:is|:|=)/i.test(step)
}

function boxed(text: string): string | null {
  const opens = [...text.matchAll(/\\(?:boxed|fbox|framebox)\s{0,8}\{/g)].slice(-MAX_BOXES).reverse()
  for (const open of opens) {
    const from = open.index + open[0].length
    const to = closing(text, from)
    if (to < text.length) return filled(text.slice(from, to))
  }
  return null
}

function hashes(text: string): string | null {
  const matches = [...text.matchAll(/^[ \t]*####[ \t]*(.+)$/gm)]
  return filled(matches.at(-1)?.[1])
}

function member(text: string): string | null {
  const matches = [...text.matchAll(/"(?:final_)?answer"\s*:\s*("(?:[^"\\]|\\.)*"|-?[\d.]+)/gi)]
  const value = matches.at(-1)?.[1]
  if (value === undefined) return null
  if (!value.startsWith('"')) return value
  try {
    return filled(String(JSON.parse(value)))
  } catch {
    // Models write single backslashes into JSON: \frac is then no escape but LaTeX.
    return filled(value.slice(1, -1))
  }
}

function phrase(text: string): string | null {
  const pattern =
    /(?:\b(?:final |correct |right )?(?:answer|result)[ \t]{0,4}(?:is|are|was|equals|=|:)|^[ \t]{0,8}A:)[ \t:*]{0,8}(.+?)(?=\.?[ \t]{0,8}(?:\n|$)|\.[ \t]{1,8}[A-Z])/gim
  const found = [...text.matchAll(pattern)].at(-1)?.[1]
  return found === undefined ? null : filled(unmarked(found))
}

function closingSentence(text: string): string | null {
  const last =
    text
      .trim()
      .split(/\n|(?<=[.!?])\s+(?=[A-Z])/)
      .at(-1) ?? ''
  const match =
    /^\W*(?:so|thus|therefore|hence|then|finally|in total|altogether)\b.*?(?:\bis\b|\bare\b|=|\bequals\b)\s*([^=]+?)\.?\s*$/i.exec(
      last.slice(0, 500),
    )
  const value = match?.[1] === undefined ? null : unmarked(match[1].replace(/^.*\b(?:is|are|equals)\s+/i, ''))
  return value !== null && /\d|\\/.test(value) ? filled(value) : null
}

function lastLine(text: string): string | null {
  const last = text.trim().split('\n').at(-1)?.trim() ?? ''
  const match = /^\$([^$]+)\$\.?$/.exec(last) ?? /^\*\*([^*]+)\*\*\.?$/.exec(last) ?? /^\\\[(.+)\\\]$/.exec(last)
  return filled(match?.[1])
}

const unmarked = (text: string): string => text.replace(/^[*_`\s]+|[*_`\s]+$/g, '')

function filled(text: string | undefined): string | null {
  const out = text?.trim()
  return out === undefined || out === '' ? null : out
}
