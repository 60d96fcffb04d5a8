import type { Expr } from '../../answers/expression.ts'
import { isValue, some, symbolsOf } from '../../answers/expression.ts'
import { parse } from '../../answers/parse.ts'
import { TooLarge } from '../../answers/rational.ts'
import { closing, NotMath } from '../../answers/tokens.ts'

/** One side of an equation, read whole. */
export interface Side {
  text: string
  expr: Expr
  /** Words or money signs were taken off. */
  units: boolean
  /** Text behind operands, joined. */
  words: string
  percent: boolean
  degrees: boolean
  /** More than a bare number. */
  compound: boolean
  /** Places after the point where the side is one written number. */
  places: number | null
  symbols: ReadonlySet<string>
}

/** Sides longer than this are left alone: what people check by eye is shorter. */
const MAX_CHARS = 400

/** Reads a side without its units; null where any part of it cannot be read as a value. */
export function readSide(raw: string): Side | null {
  if (raw.length > MAX_CHARS) return null
  const stripped = withoutUnits(raw)
  if (stripped === null || !/[\dA-Za-z]/.test(stripped.text)) return null
  const text = stripped.text.replace(/\s+/g, ' ').trim()
  try {
    const { expr, ambiguous } = parse(text, { inside: true, outside: true })
    if (!isValue(expr)) return null
    if (ambiguous && some(expr, (x) => x.t === 'call' && /^(?:gcd|lcm|min|max)$/.test(x.f))) return null
    const plain = /^[-+]?\s*\d+(?:\.(\d+))?$/.exec(text)
    return {
      text,
      expr,
      units: stripped.units,
      words: stripped.words,
      percent: /%/.test(text),
      degrees: /\\circ|°|\\degree/.test(text),
      compound: expr.t !== 'number' && expr.t !== 'symbol' && expr.t !== 'constant',
      places: plain === null ? null : (plain[1]?.length ?? 0),
      symbols: symbolsOf(expr),
    }
  } catch (error) {
    if (error instanceof NotMath || error instanceof TooLarge || error instanceof RangeError) return null
    throw error
  }
}

const TEXT_GROUP = /\\(?:text|mbox|textrm|mathrm|textbf|rm|operatorname)\s*\{/g

/** Takes money signs and text behind an operand away; null where text stands for an operand or a rule. */
function withoutUnits(raw: string): { text: string; units: boolean; words: string } | null {
  let text = raw
    .replace(/\\(?:boxed|fbox|mathbf|boldsymbol|mathit|displaystyle|textstyle|color\{[a-z]+\})(?![A-Za-z])/g, '')
    .replace(/,\\!/g, ',')
    .replace(/\{,\}/g, '')
    .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
    .replace(/(\d)\\[,;: ](?=\d{3}(?!\d))/g, '$1')
    .replace(/(\d)~(?=\d)/g, '$1 ')
    .replace(/\\,|\\;|\\:|\\!|\\ |~/g, ' ')
    .replace(/[.,;:]\s*$/, '')
  let units = false
  let words = ''
  const money = text.replace(/\\\$|[$£€]|\\(?:pounds|euro)(?![A-Za-z])/g, ' ')
  if (money !== text) {
    units = true
    text = money
  }
  TEXT_GROUP.lastIndex = 0
  for (let match = TEXT_GROUP.exec(text); match !== null; match = TEXT_GROUP.exec(text)) {
    const from = match.index
    const close = closing(text, from + match[0].length)
    const inner = text.slice(from + match[0].length, close)
    const before = text.slice(0, from).trimEnd()
    const behind = text.slice(close + 1)
    if (/^[\s\d.,+\-*/()]*$/.test(inner)) {
      text = `${text.slice(0, from)}${inner}${behind}`
      TEXT_GROUP.lastIndex = from + inner.length
      continue
    }
    if (/^\s*of\s*$/.test(inner) && /[\d%}]$/.test(before)) {
      text = `${before} * ${behind}`
      TEXT_GROUP.lastIndex = before.length + 3
      continue
    }
    if (/\d/.test(inner) || /\b(?:million|thousand|hundred|dozen|billion|times|more|less|of|mod|base)\b/i.test(inner))
      return null
    // `5 \text{ m}/\text{s}`: the second text follows a stroke after the first.
    const slash = /\/\s*$/.test(before) && units
    if (!/[\d)}\]%]$/.test(before) && !slash) return null
    units = true
    words += inner.trim()
    const power = /^\s*\^\s*(?:\d|\{\s*-?\d\s*\})/.exec(behind)?.[0] ?? ''
    const head = slash ? before.replace(/\/\s*$/, '') : before
    text = `${head} ${behind.slice(power.length)}`
    TEXT_GROUP.lastIndex = head.length
  }
  return { text, units, words }
}
