import { closing } from '../../answers/tokens.ts'

/** Sides joined by `=`, in order: `a = b = c` has three. */
export interface Chain {
  sides: string[]
  /** How it follows the statement before: by an arrow, as the next row, or just beside it. */
  joint: 'first' | 'arrow' | 'row' | 'beside'
}

/** Constructions in which `=` or the numbers mean something else. */
const OTHER_MEANING =
  /\\(?:equiv|pmod|bmod|mod|cong|begin\{(?!align|gather|equation|split|multline|eqnarray)|overline|underline|sum|prod|int|lim|substack|stackrel|overset|underset|underbrace|overbrace|cancel|not|ast|star|oplus|otimes|circledast|diamond|triangle|odot|dots|ldots|cdots|therefore|mid|hline|nmid|parallel|to|colon)(?![A-Za-z])|\\(?:pmod|bmod)|\.\.\.|…|≡|[?]/
/** What stands between two statements. */
const STATEMENT_BREAK =
  /\\(?:quad|qquad|implies|Rightarrow|Longrightarrow|Leftrightarrow|iff|rightarrow|longrightarrow|Leftarrow|because)(?![A-Za-z])|\\(?:text|mbox|textrm|mathrm)\s*\{[\s,.;]*(?:and|or|so|thus|hence|then|but|where|with|for|since|because|therefore|which|we|if|is|that|gives|implies|respectively|i\.e\.?)\b[^{}]*\}|[⇒⟹→]/g
/** Signs of other relations: they end a chain of equations on their side. */
const OTHER_RELATION =
  /\\(?:neq|ne|leq|le|geq|ge|lt|gt|approx|sim|simeq|propto|in|notin|subset|subseteq|perp|leqslant|geqslant|ll|gg|thickapprox)(?![A-Za-z])|[<>≈≠≤≥≅~∈]|!=|:=/

/** Chains of equations that a formula states; what cannot be taken apart safely is left out. */
export function chainsOf(formula: string): Chain[] {
  const chains: Chain[] = []
  let joint: Chain['joint'] = 'first'
  for (const row of rowsOf(formula)) {
    for (const statement of statementsOf(row)) {
      if (statement.arrow) joint = 'arrow'
      const parts = OTHER_MEANING.test(statement.text) ? [] : topLevel(statement.text, OTHER_RELATION)
      for (const part of parts) {
        const sides = topLevel(part, /==?/).map((s) => s.trim())
        if (sides.length > 1) chains.push({ sides, joint: parts.length > 1 ? 'beside' : joint })
      }
      joint = 'beside'
    }
    joint = 'row'
  }
  return chains
}

/** Rows of an alignment; a row that goes on with a sign belongs to the one before. */
function rowsOf(formula: string): string[] {
  const bare = formula
    .replace(
      /\\(?:begin|end)\{(?:align|aligned|equation|gather|gathered|multline|split|eqnarray|alignat)\*?\}(?:\{\d\})?/g,
      ' ',
    )
    .replace(/\\(?:nonumber|notag|displaystyle|label\{[^{}]*\}|tag\{[^{}]*\})/g, ' ')
  if (/\\begin\{/.test(bare)) return [bare]
  const rows: string[] = []
  for (const raw of bare.split(/\\\\(?:\[[^\]]*\])?/)) {
    const row = raw.replace(/(?<!\\)&/g, ' ').trim()
    if (row === '') continue
    if (rows.length > 0 && /^(?:[=+\-*/]|\\(?:times|cdot|div|pm)(?![A-Za-z]))/.test(row))
      rows[rows.length - 1] += ` ${row}`
    else rows.push(row)
  }
  return rows
}

const isBare = (x: string | undefined): boolean => x !== undefined && /\d/.test(x) && !/[=<>]/.test(x)

function statementsOf(row: string): { text: string; arrow: boolean }[] {
  const out: { text: string; arrow: boolean }[] = []
  let at = 0
  let arrow = false
  const take = (part: string): void => {
    // A comma between digits groups thousands; one that does not may be a decimal comma: nothing is read there.
    if (!/\d,\d/.test(part.replace(/(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)/g, '0').replace(/\([^()]*\)/g, '0'))) {
      const texts = topLevel(part.replace(/(\d),(?=\d{3}(?!\d))/g, '$1'), /,|;|\n\n/)
      // `a, b = c, d` sets two lists equal.
      const lists = texts.some((t, i) => i > 0 && t.includes('=') && [i - 1, i + 1].every((k) => isBare(texts[k])))
      if (!lists) out.push(...texts.map((text, i) => ({ text, arrow: arrow && i === 0 })))
    }
    arrow = false
  }
  for (const match of row.matchAll(STATEMENT_BREAK)) {
    take(row.slice(at, match.index))
    arrow = /implies|rightarrow|Rightarrow|[⇒⟹→]/.test(match[0])
    at = match.index + match[0].length
  }
  take(row.slice(at))
  return out
}

/** Splits at matches outside brackets and groups; what has unbalanced brackets is not split. */
export function topLevel(text: string, separator: RegExp): string[] {
  const at = new RegExp(separator.source, 'y')
  const parts: string[] = []
  let from = 0
  let depth = 0
  for (let i = 0; i < text.length; ) {
    const c = text[i] as string
    if (depth === 0) {
      at.lastIndex = i
      const match = at.exec(text)
      if (match !== null && match[0] !== '') {
        parts.push(text.slice(from, i))
        i += match[0].length
        from = i
        continue
      }
    }
    if (c === '\\') {
      const next = text[i + 1]
      if (next === '{') depth++
      else if (next === '}') depth--
      i += 2
      continue
    }
    if (c === '{') {
      // A group is one item, whatever is in it.
      i = Math.min(text.length, closing(text, i + 1) + 1)
      continue
    }
    if (c === '(' || c === '[') depth++
    else if (c === ')' || c === ']') depth--
    if (depth < 0) return []
    i++
  }
  if (depth !== 0) return []
  parts.push(text.slice(from))
  return parts
}
