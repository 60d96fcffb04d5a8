/** A stretch of a step's text: formula or prose, with its place in the text. */
export interface Span {
  kind: 'formula' | 'prose'
  /** Without delimiters. */
  text: string
  /** Offsets of the span in the step, delimiters included. */
  from: number
  to: number
}

/** Delimiters whose content is a formula; environments of rows are formulas too. */
const DELIMITED =
  /\\\[([\s\S]*?)\\\]|\\\(([\s\S]*?)\\\)|\$\$([\s\S]+?)\$\$|\\begin\{(align|aligned|equation|gather|gathered|multline|split|eqnarray)\*?\}([\s\S]*?)\\end\{\4\*?\}|<<([^<>]*)>>|\\boxed\{([^{}]*)\}|\$(?=[^\s$])((?:[^$\n\\]|\\.){0,400}?(?:[^\s$\\]|\\.))\$(?!\d)/g

/**
 * Splits a text at its formulas.
 *
 * A single dollar sign opens a formula only where no space follows, and closes one only where no space stands before and
 * no digit follows (Pandoc's rule), so that `$5 + $3 = $8` stays money. Words between two single dollar signs make them
 * money as well. Calculator annotations `<<2*3=6>>` are formulas.
 */
export function spansOf(text: string): Span[] {
  const spans: Span[] = []
  let at = 0
  DELIMITED.lastIndex = 0
  for (let match = DELIMITED.exec(text); match !== null; match = DELIMITED.exec(text)) {
    const single = match[8]
    if (single !== undefined && isProse(single)) {
      DELIMITED.lastIndex = match.index + 1
      continue
    }
    const content = match[1] ?? match[2] ?? match[3] ?? match[5] ?? match[6] ?? match[7] ?? single ?? ''
    const between = text.slice(at, match.index)
    const last = spans.at(-1)
    at = match.index + match[0].length
    // A formula that begins with a sign goes on with the one before.
    if (last?.kind === 'formula' && /^\s*=/.test(content) && /^[\s,.]*$/.test(between)) {
      spans[spans.length - 1] = { ...last, text: `${last.text.replace(/[\s,.]+$/, '')} ${content}`, to: at }
      continue
    }
    if (between !== '')
      spans.push({ kind: 'prose', text: between, from: match.index - between.length, to: match.index })
    spans.push({ kind: 'formula', text: content, from: match.index, to: at })
  }
  if (at < text.length) spans.push({ kind: 'prose', text: text.slice(at), from: at, to: text.length })
  return spans
}

/** Three letters in a row outside any command or text group are a word, and a formula has none. */
const isProse = (content: string): boolean =>
  /[A-Za-z]{3}/.test(content.replace(/\\[A-Za-z]+(?:\s*\{[A-Za-z\s.,-]*\})?/g, ' ')) ||
  (/^\d[\d,.]*[\s)]/.test(content) && !/[=\\^_+]/.test(content))
