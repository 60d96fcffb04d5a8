import type { Expr } from './expression.ts'
import { number, some } from './expression.ts'
import { parse } from './parse.ts'
import { add, compare, decimal, mul, ONE, same, TooLarge } from './rational.ts'
import { FUNCTIONS, NotMath } from './tokens.ts'
import type { Unit } from './units.ts'
import { changesNumber, DOLLAR, isKnownUnit, readUnit } from './units.ts'

/** One way to read an answer. */
export type Reading =
  | { kind: 'math'; expr: Expr; unit: Unit | null }
  | { kind: 'choice'; letter: string; rest: string }
  | { kind: 'clock'; minutes: number; half: 'am' | 'pm' | null; text: string }
  | { kind: 'text'; words: string }

export interface Answer {
  /** Without delimiters and spacing; equal for answers that differ in those only. */
  plain: string
  main: Reading
  /** Where a comma can be read in two ways: the other one. */
  other: Reading | null
}

/** Reads an answer; what is no mathematics is text. Never throws. */
export function readAnswer(text: string): Answer {
  const s = cleaned(text)
  // A gap between two letters or digits, or after a comma, can carry meaning: 2 3/4 is not 23/4.
  const plain = s
    .replace(/\\(left|right)(?![A-Za-z])/g, '')
    .replace(/(?:\\[,;:! ]|[\s~])+/g, (gap, at: number, all: string) =>
      /[\dA-Za-z,]/.test(all[at - 1] ?? '') && /[\dA-Za-z]/.test(all[at + gap.length] ?? '') ? ' ' : '',
    )
  const special = readChoice(s) ?? readClock(s) ?? readSaying(s)
  if (special) {
    const ratio =
      special.kind === 'clock' && special.half === null && !/:0+$/.test(special.text)
        ? readMath(s, { inside: false, outside: true })
        : null
    return { plain, main: special, other: ratio?.reading ?? null }
  }
  const main = readMath(s, { inside: false, outside: true })
  if (main === null) return { plain, main: { kind: 'text', words: wordsOf(s) }, other: null }
  const other = main.ambiguous ? readMath(s, { inside: true, outside: false }) : decimalComma(s)
  return { plain, main: main.reading, other: other?.reading ?? null }
}

type Mathematics = { reading: Reading; ambiguous: boolean }

const decimalComma = (s: string): Mathematics | null =>
  /^-?\d+,\d{1,2}$/.test(s) ? readMath(s.replace(',', '.'), { inside: false, outside: true }) : null

/** Takes delimiters, emphasis, hedges and the final stop away. */
export function cleaned(text: string): string {
  let s = text.trim()
  for (let i = 0; i < 4; i++) {
    const before = s
    s = s
      .replace(/^(\*\*|__|`|')([\s\S]*)\1$/, '$2')
      .replace(/^(?:\\?["“”])+|(?:\\?["“”])+$/g, '')
      .replace(/^\\\(([\s\S]*)\\\)$/, '$1')
      .replace(/^\\\[([\s\S]*)\\\]$/, '$1')
      .replace(/^\$\$([\s\S]*)\$\$$/, '$1')
      .replace(/^\$([^$]*[^$\\])\$$/, '$1')
      .replace(/^\\(?:boxed|fbox|displaystyle|mathbf|textbf|boldsymbol)\s*\{([^{}]*)\}$/, '$1')
      .replace(/[.,;:]+$/, (end) => (/\d$|[})\]A-Za-z!$%]$/.test(s.slice(0, -end.length)) && end.length < 3 ? '' : end))
      .replace(/^(?:\\approx|≈|~|approximately|about|roughly|exactly)\s*(?=\S)/i, '')
      .trim()
    if (s === before) break
  }
  // A dollar sign left over before a number is money, any other one a delimiter.
  return s
    .replace(/\\\$/g, '¤')
    .replace(/\\(?:!|,|;|:) ?/g, (gap, at: number, all: string) =>
      /\d[{,}]*$/.test(all.slice(0, at)) && /^\d/.test(all.slice(at + gap.length)) ? '' : ' ',
    )
    .replace(/^\$(?=\s*\d[^$]*$)/, '¤')
    .replace(/^-\$(?=\s*\d[^$]*$)/, '-¤')
    .replace(/\$/g, ' ')
    .trim()
}

function readChoice(s: string): Reading | null {
  const bare = s.replace(/^\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{([\s\S]*)\}$/, '$1').trim()
  const alone = /^(?:(?:option|choice)\s+)?(?:\(\s*([A-J])\s*\)|([A-J])[.):]|(?:option|choice)\s+([A-J]))$/i.exec(bare)
  const single = /^([A-J])$/.exec(bare)
  const letter = alone?.slice(1).find((x) => x !== undefined) ?? single?.[1]
  if (letter !== undefined && (alone === null || letter === letter.toUpperCase()))
    return { kind: 'choice', letter, rest: '' }
  const long =
    /^(?:\\(?:text|textbf|mathrm|mathbf)\s*\{\s*)?(?:\(([A-J])\)|([A-J])[).:](?=\s))\s*\}?\s*(\S[\s\S]*)$/.exec(s)
  if (long && !/^(?:[=<>,+\-*/^]|(?:and|or)\b)/.test(long[3] as string)) {
    return { kind: 'choice', letter: (long[1] ?? long[2]) as string, rest: long[3] as string }
  }
  return null
}

function readClock(s: string): Reading | null {
  const text = s.replace(/\\(?:text|mbox|mathrm)\s*\{([^{}]*)\}/g, ' $1 ').trim()
  const match =
    /^(\d{1,2}):(\d{2})(?:\s*([ap])\.?\s?m\.?)?$/i.exec(text) ?? /^(\d{1,2})()\s*([ap])\.?\s?m\.?$/i.exec(text)
  if (!match) return null
  const hour = Number(match[1])
  const minute = Number(match[2] || '0')
  if (hour > 24 || minute > 59) return null
  const half = match[3] === undefined ? null : match[3].toLowerCase() === 'a' ? 'am' : 'pm'
  if (half !== null && (hour < 1 || hour > 12)) return null
  const shift = half === null ? 0 : half === 'am' ? (hour === 12 ? -720 : 0) : hour === 12 ? 0 : 720
  return { kind: 'clock', minutes: hour * 60 + minute + shift, half, text: text.replace(/\s*[ap]\.?\s?m\.?$/i, '') }
}

const SAYINGS: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:there (?:is|are|exists?) )?(?:no|not any|zero) (?:real |such |integer )?(?:solutions?|roots?|values?)(?: (?:exists?|exist))?$/,
    'no solution',
  ],
  [/^(?:does not exist|dne|undefined|none|no solution)$/, ''],
  [/^(?:there are )?infinite(?:ly many)?(?: solutions?)?$/, 'infinitely many'],
  [/^(?:all|any|every) real(?: numbers?)?$/, 'all real numbers'],
]

function readSaying(s: string): Reading | null {
  const words = wordsOf(s)
  if (words === '') return null
  for (const [pattern, saying] of SAYINGS) if (pattern.test(words)) return { kind: 'text', words: saying || words }
  // 6th is no product of t and h.
  if (words === 'all real numbers' || /^\d+(?:st|nd|rd|th)$/.test(words)) return { kind: 'text', words }
  return null
}

/** Words alone, lower case, without LaTeX text commands, stops and articles. */
export function wordsOf(s: string): string {
  return s
    .replace(/\\(?:text|textbf|textit|textrm|mbox|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}/g, ' $1 ')
    .replace(/\\[,;:! ]|~/g, ' ')
    .toLowerCase()
    .replace(/[.,;:!?'"`*]+(?=\s|$)/g, ' ')
    .replace(/(^|\s)["'`*]+/g, '$1')
    .replace(/\b(?:the|a|an)\b(?=\s+\S)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

const POWER = String.raw`\s*(?:\^\s*\{?\s*([23])\s*\}?|([²³]))?`
const TEXT_UNIT = new RegExp(
  String.raw`^([\s\S]*?)[\s~]*\\(?:text|mbox|mathrm|textrm|operatorname)\s*\{([^{}]*[A-Za-z%][^{}]*)\}${POWER}$`,
)
const WORD_UNIT = new RegExp(String.raw`^([\s\S]*?[\d})\]!¼½¾])(\s*)([A-Za-z¢][A-Za-z./ ]*)${POWER}$`)

function readMath(s: string, thousands: { inside: boolean; outside: boolean }): Mathematics | null {
  const two = twoUnits(s)
  if (two !== null) return { reading: two, ambiguous: false }
  const peeled = peel(s)
  if (peeled !== null) {
    const inner = tryParse(peeled.head, thousands)
    if (inner !== null && !some(inner.expr, (x) => x.t === 'list' && x.items.length > 1)) {
      const expr: Expr = same(peeled.multiple, ONE)
        ? inner.expr
        : { t: 'product', a: [inner.expr, number(peeled.multiple)] }
      return { reading: { kind: 'math', expr, unit: peeled.unit }, ambiguous: inner.ambiguous }
    }
  }
  const whole = tryParse(s, thousands)
  return whole === null ? null : { reading: { kind: 'math', expr: whole.expr, unit: null }, ambiguous: whole.ambiguous }
}

/** `5 feet 6 inches`, `18 hours and 48 minutes`: a sum in the base unit of both. */
function twoUnits(s: string): Reading | null {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+),? (?:and )?(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(s)
  if (!match) return null
  const [, n = '', first = '', m = '', second = ''] = match
  const [u, v] = [readUnit(first, 1).unit, readUnit(second, 1).unit]
  if (u?.kind !== 'quantity' || v?.kind !== 'quantity' || u.dimension !== v.dimension) return null
  if (compare(u.factor, v.factor) <= 0) return null
  const total = add(mul(decimal(n), u.factor), mul(decimal(m), v.factor))
  return { kind: 'math', expr: number(total), unit: { kind: 'quantity', dimension: u.dimension, factor: ONE } }
}

type Peeled = { head: string; multiple: typeof ONE; unit: Unit | null }

/** Splits the unit off: money before, percent, degrees and words behind. */
function peel(s: string): Peeled | null {
  const money = /^(-?)\s*[¤]\s*([\s\S]+)$/.exec(s)
  if (money) {
    const rest = `${money[1]}${money[2]}`
    const more = peel(rest)
    if (more !== null && (more.unit === null || isMoney(more.unit))) return { ...more, unit: DOLLAR }
    return { head: rest, multiple: ONE, unit: DOLLAR }
  }
  const foreign = /^(-?)\s*([€£¥₹])\s*([\s\S]+)$/.exec(s)
  if (foreign)
    return { head: `${foreign[1]}${foreign[3]}`, multiple: ONE, unit: { kind: 'word', word: foreign[2] as string } }
  const percent = /^([\s\S]*[\d})])\s*\\?%$/.exec(s)
  if (percent) return { head: percent[1] as string, multiple: ONE, unit: { kind: 'percent' } }
  const degrees = /^([\s\S]*[\d})])\s*(?:\^\s*(?:\\circ|\{\s*\\circ\s*\})|°|\\degree)$/.exec(s)
  if (degrees) return { head: degrees[1] as string, multiple: ONE, unit: { kind: 'angle', degrees: true } }
  const text = TEXT_UNIT.exec(s)
  if (text && /[\d}]|\\pi/.test(text[1] as string))
    return measured(text[1] as string, text[2] as string, text[3] ?? text[4])
  const word = WORD_UNIT.exec(s)
  if (!word) return null
  const [, head = '', gap = '', phrase = ''] = word
  const words = phrase.trim().split(/[\s/]+/)
  const known = isKnownUnit(phrase)
  if (!known && (gap === '' || changesNumber(phrase) || words.some((w) => w.length < 3 || FUNCTIONS.has(w))))
    return null
  // A single letter right behind a number is a variable.
  if (known && phrase.trim().length === 1 && gap === '') return null
  return measured(head, phrase, word[4] ?? word[5])
}

const isMoney = (unit: Unit): boolean => unit.kind === 'quantity' && unit.dimension === 'money'

function measured(head: string, phrase: string, power: string | undefined): Peeled {
  const k = power === undefined ? 1 : power === '²' ? 2 : power === '³' ? 3 : Number(power)
  return { head, ...readUnit(phrase, k) }
}

function tryParse(
  s: string,
  thousands: { inside: boolean; outside: boolean },
): { expr: Expr; ambiguous: boolean } | null {
  if (s.trim() === '') return null
  try {
    return parse(s.replace(/¤/g, ''), thousands)
  } catch (error) {
    if (error instanceof NotMath || error instanceof TooLarge || error instanceof RangeError) return null
    throw error
  }
}
