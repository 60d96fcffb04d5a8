import type { Span } from './spans.ts'

/** A chain of equations in prose: its sides in the notation of formulas, and where it stands in the step. */
export interface ProseChain {
  sides: string[]
  units: boolean
  from: number
  to: number
}

interface Token {
  kind: 'number' | 'operator' | 'open' | 'close' | 'equals' | 'word' | 'stop' | 'other' | 'formula'
  s: string
  at: number
  end: number
}

/** Words after which a number belongs to what was said before. */
const BINDS =
  /^(?:plus|minus|times|over|by|half|twice|thrice|double|triple|third|quarter|less|more|than|per|every|from|subtract|square|squared|cube|cubed|root|power|modulo|mod|base|factorial|negative|not|to|and\/or|least|most|about|approximately|around|nearly|roughly|almost|hundred|thousand|million|billion|dozen|percent|minutes?|hours?)$/i
/** Words that are no unit of a number: it takes part in a sentence. */
const NO_UNIT =
  /^(?:and|or|is|are|was|than|to|from|times|more|less|plus|minus|times|of|by|if|so|then|which|that|we|have|has|had|get|gets|gives|equals?|with|in|on|for|but|because|since|thus|therefore|hence|let|where|when|at|as|not|into|each other|half|twice|million|thousand|billion|hundred|dozen|mod|modulo|base|percent|squared|cubed|factorial|choose)$/i
/** Scales behind a result change it. */
const SCALE =
  /^(?:million|thousand|billion|hundred|dozen|dozens|mod|modulo|k|K|M|remainder|with|r|R|x|choose|factorial|squared|cubed|percent)$/
/** Words whose number is a name: `Step 1 - 36 + 28`. */
const NUMBERED =
  /^(?:steps?|cases?|parts?|phase|stage|choice|option|eq|equations?|method|scenario|example|figure|table|line|days?|weeks?|months?|years?|chapter|question|problem|theorem|lemma|section|number|no|row|column|round|group|team|room|page|grade|level)$/i
const MAX_UNIT_WORDS = 4

const LEXER =
  /(?<other>0\d+|\d[\d.,]*(?!(?:km|cm|mm|kg|mg|lbs?|oz|ft|mph|ml|hrs?|mins?)\b)[A-Za-z_]\w*)|(?<number>(?:[$£€]\s?)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:\\?%)?|(?:[$£€]\s?)?\.\d+(?:\\?%)?)|(?<equals>==?(?![>=]))|(?<operator>\*\*|\\times|\\cdot|\\div|[-+*/^×·÷−–])|(?<open>[([])|(?<close>[)\]])|(?<word>[A-Za-z][A-Za-z']*(?:[/-][A-Za-z']+)*)|(?<stop>[.,;:!?\n"“”|])|(?<sign>[^\s])/g

/** Chains of equations between numbers in the prose of a step; formulas without a relation stand as operands. */
export function proseChains(spans: readonly Span[]): ProseChain[] {
  const tokens = spans.flatMap(tokensOf)
  const chains: ProseChain[] = []
  for (let i = 0; i < tokens.length; ) {
    const found = mayStart(tokens, i) ? readChain(tokens, i) : null
    if (found === null) i++
    else {
      if (found.chain !== null) chains.push(found.chain)
      i = found.next
    }
  }
  return chains
}

function tokensOf(span: Span): Token[] {
  if (span.kind === 'formula') {
    const closed = !/=|<|>|\\(?:le|ge|ne|approx|equiv|implies|text|quad|begin|in)|[,;]/.test(span.text)
    return [{ kind: closed ? 'formula' : 'other', s: span.text, at: span.from, end: span.to }]
  }
  const out: Token[] = []
  for (const match of span.text.matchAll(LEXER)) {
    const name = Object.entries(match.groups ?? {}).find(([, v]) => v !== undefined)?.[0] as Token['kind'] | 'sign'
    const kind = name === 'sign' ? 'other' : name
    const at = span.from + match.index
    out.push({ kind, s: match[0], at, end: at + match[0].length })
  }
  return out
}

/** An operand may begin here: what stands before is the text's start, a stop, an equals sign or a free word. */
function mayStart(tokens: readonly Token[], i: number): boolean {
  const token = tokens[i] as Token
  if (!(token.kind === 'number' || token.kind === 'open' || token.kind === 'formula' || isMinus(token))) return false
  const before = tokens[i - 1]
  if (isMinus(token) && before?.kind === 'word') return false
  if (before === undefined || before.kind === 'equals') return true
  // 6:45, 1,5 and the like are one item.
  if (before.kind === 'stop') return before.end < token.at || tokens[i - 2]?.kind !== 'number'
  if (before.kind === 'open') return !/\d|x/.test(tokens[i - 2]?.s ?? '')
  if (before.kind !== 'word' || before.end === token.at) return false
  if (/^of$/i.test(before.s))
    return !/^(?:half|third|thirds|quarter|quarters|fourths?|fifths?|tenths?|percent|\d.*|\d.*%|root|multiples?)$/i.test(
      tokens[i - 2]?.s ?? '',
    )
  return before.s.length > 1 && !BINDS.test(before.s) && !NUMBERED.test(before.s)
}

const isMinus = (t: Token): boolean => t.kind === 'operator' && /^[-−–]$/.test(t.s)

function readChain(tokens: readonly Token[], from: number): { chain: ProseChain | null; next: number } | null {
  const sides: string[] = []
  let units = false
  let at = from
  for (;;) {
    const side = readExpression(tokens, at)
    if (side === null) break
    // `The total in 8 boxes = 8 * 20`, `Week 1 + Week 2 = 70`, `Weeks 1-2 = 26`: the number is part of a name.
    const named = side.words || tokens[from - 1]?.kind === 'word'
    const tight = tokens[from + 1]?.at === tokens[from]?.end ? /^[\d.,%]+(?:-\d+)?$/ : /^[\d.,%]+$/
    if (sides.length === 0 && named && tight.test(side.text)) return { chain: null, next: side.next }
    units ||= side.units
    sides.push(side.text)
    at = side.next
    if (tokens[at]?.kind !== 'equals') break
    at++
  }
  if (sides.length === 0) return null
  // A side that was begun and not read spoils the one before too: its `=` may go on differently.
  const dangling = tokens[at - 1]?.kind === 'equals'
  if (sides.length < 2) return dangling ? { chain: null, next: at } : null
  const behind = tokens[at]
  const clear =
    dangling ||
    behind === undefined ||
    (behind.kind === 'stop' &&
      !(tokens[at + 1]?.kind === 'number' && tokens[at + 1]?.at === behind.end) &&
      behind.s !== '!') ||
    behind.kind === 'close' ||
    (behind.kind === 'open' && behind.at > (tokens[at - 1] as Token).end) ||
    (behind.kind === 'word' && behind.at > (tokens[at - 1] as Token).end && !SCALE.test(behind.s))
  if (!clear || isList(tokens, from, at)) sides.pop()
  const last = tokens[at - 1] as Token
  return { chain: sides.length < 2 ? null : { sides, units, from: (tokens[from] as Token).at, to: last.end }, next: at }
}

/** `3 - 2, 5 - 2 = 1, 3`: two lists set equal. */
const isList = (tokens: readonly Token[], from: number, to: number): boolean =>
  tokens[from - 1]?.s === ',' &&
  tokens[to]?.s === ',' &&
  /^(?:number|close)$/.test(tokens[from - 2]?.kind ?? '') &&
  (tokens[to + 1]?.kind === 'number' || tokens[to + 1]?.s === '-')

/** Operands joined by operators, from `at` on as far as they go. */
function readExpression(
  tokens: readonly Token[],
  start: number,
): { text: string; units: boolean; words: boolean; next: number } | null {
  let text = ''
  let units = false
  let words = false
  let at = start
  let depth = 0
  let wants = true
  for (;;) {
    const token = tokens[at]
    if (token === undefined) break
    if (wants) {
      if (token.kind === 'number') {
        const value = token.s.replace(/[$£€,\s]/g, '').replace('\\%', '%')
        units ||= /[$£€]/.test(token.s)
        text += value
        wants = false
      } else if (token.kind === 'formula') {
        text += `(${token.s})`
        wants = false
      } else if (token.kind === 'open') {
        text += '('
        depth++
      } else if (isMinus(token) || token.s === '+') text += token.s === '+' ? '+' : '-'
      else return null
      at++
      continue
    }
    if (token.kind === 'operator') {
      // `5 miles / hour`: a stroke before a word belongs to the unit.
      if (token.s === '/' && tokens[at + 1]?.kind === 'word' && (tokens[at + 1] as Token).s.length > 1) {
        units = true
        words = true
        at += 2
        if (tokens[at]?.s === '^' && tokens[at + 1]?.kind === 'number') at += 2
        continue
      }
      text += OPERATOR[token.s] ?? token.s
      wants = true
      at++
      continue
    }
    if (token.kind === 'close' && depth > 0) {
      text += ')'
      depth--
      at++
      continue
    }
    if (token.kind === 'open' && token.at > (tokens[at - 1] as Token).end && isRemark(tokens, at)) {
      units = true
      while (tokens[at]?.kind !== 'close') at++
      at++
      continue
    }
    if (token.kind === 'word') {
      if (isTimes(tokens, at)) {
        text += '*'
        wants = true
        at++
        continue
      }
      if (/^of$/i.test(token.s) && /[%)]$|\/\d+$/.test(text) && tokens[at + 1]?.kind === 'number') {
        text += '*'
        wants = true
        at++
        continue
      }
      const behind = unitEnd(tokens, at)
      if (behind !== null) {
        units = true
        words = true
        at = behind
        // `m/s^2`: the power belongs to the unit.
        if (tokens[at]?.s === '^' && tokens[at + 1]?.kind === 'number') at += 2
        continue
      }
    }
    break
  }
  if (wants || depth !== 0) return null
  return { text, units, words, next: at }
}

const OPERATOR: Readonly<Record<string, string>> = {
  '×': '*',
  '·': '*',
  '\\times': '*',
  '\\cdot': '*',
  '÷': '/',
  '\\div': '/',
  '−': '-',
  '–': '-',
  '**': '^',
}

/** `4 crates x 15 pears` */
const isTimes = (tokens: readonly Token[], i: number): boolean =>
  /^[xX]$/.test(tokens[i]?.s ?? '') && /^(?:number|open)$/.test(tokens[i + 1]?.kind ?? '')

/** Index behind the words of a unit, where a sign, an end or a bracket follows them; null where they are no unit. */
function unitEnd(tokens: readonly Token[], at: number): number | null {
  let i = at
  while (tokens[i]?.kind === 'word' && !isTimes(tokens, i) && i - at <= MAX_UNIT_WORDS) {
    const word = (tokens[i] as Token).s
    if (NO_UNIT.test(word) || word.length === 1) return null
    i++
  }
  if (i === at || i - at > MAX_UNIT_WORDS) return null
  const behind = tokens[i]
  if (behind === undefined || isTimes(tokens, i)) return i
  if (
    behind.kind === 'operator' ||
    behind.kind === 'equals' ||
    behind.kind === 'stop' ||
    behind.kind === 'close' ||
    behind.kind === 'open'
  )
    return i
  return null
}

/** `(Carmen)`, `(from the first day)`: words in brackets between an operand and a sign. */
function isRemark(tokens: readonly Token[], at: number): boolean {
  let i = at + 1
  while (tokens[i]?.kind === 'word' && i - at < 8) i++
  return i > at + 1 && tokens[i]?.kind === 'close'
}
