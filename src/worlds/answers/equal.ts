import { LIMITS } from '../../core/limits.ts'
import type { Expr } from './expression.ts'
import { integer, isValue, number, symbolsOf } from './expression.ts'
import { markedAnswer } from './extract.ts'
import { div, rational } from './rational.ts'
import type { Answer, Reading } from './read.ts'
import { readAnswer } from './read.ts'
import { compare } from './structure.ts'
import type { Unit } from './units.ts'
import { factorsOf } from './units.ts'
import { approximate, compareValues } from './values.ts'
import type { Verdict } from './verdict.ts'
import { different, equalBy, unknown } from './verdict.ts'
import { startWork } from './work.ts'

export { extractAnswer, statesAnswer } from './extract.ts'
export type { Verdict } from './verdict.ts'

export interface EqualOptions {
  /** Numbers within this relative distance count as equal; 0 (the default) asks for exact equality. */
  tolerance?: number
}

type Maths = Reading & { kind: 'math' }

/**
 * Do two written answers say the same?
 *
 * `equal` is only said where it was shown (by exact normal forms, or by agreement to 36 digits), `different` where a
 * difference was shown; everything else is `unknown`. Deterministic, never throws, and bounded by step limits.
 *
 * Reading: LaTeX with or without delimiters and plain text alike. `50%` is 1/2, and unknown beside a bare 50; a missing
 * unit is forgiven; 0.333 is not 1/3; `1,234` is one number outside brackets and a pair inside; roots and logarithms are
 * real, so sqrt(1/n) = 1/sqrt(n) while sqrt(x^2) is |x|.
 */
export function equal(a: string, b: string, options: EqualOptions = {}): Verdict {
  if (a.length > LIMITS.answerChars || b.length > LIMITS.answerChars) return unknown('longer than the limit', 'limits')
  startWork()
  try {
    const [x, y] = [stated(a), stated(b)]
    if (x.trim() === '' || y.trim() === '') return unknown('an empty answer')
    if (x.trim() === y.trim()) return equalBy('identical', 'same text')
    const [p, q] = [readAnswer(x), readAnswer(y)]
    if (p.plain === q.plain && p.plain !== '') return equalBy('identical', 'same text but for spacing and delimiters')
    const verdict = compareAnswers(p, q)
    return verdict.verdict !== 'equal' && options.tolerance ? (tolerated(p, q, options.tolerance) ?? verdict) : verdict
  } catch (error) {
    // Deep recursion and used-up steps end here; nothing else is expected.
    return unknown(error instanceof Error ? error.message : 'failed', 'limits')
  }
}

/** The marked answer where the text marks one. */
const stated = (text: string): string => {
  const marked = /boxed|####|answer|result|^\s*A:/i.test(text) ? markedAnswer(text) : null
  return marked ?? text
}

function compareAnswers(a: Answer, b: Answer): Verdict {
  // 11:30 beside 22:61 is a ratio.
  if (a.main.kind === 'clock' && a.other && b.main.kind === 'math') return compareReadings(a.other, b.main)
  if (b.main.kind === 'clock' && b.other && a.main.kind === 'math') return compareReadings(a.main, b.other)
  const verdict = compareReadings(a.main, b.main)
  if ((a.other === null && b.other === null) || verdict.verdict === 'equal') return verdict
  const others = [a.main, a.other].flatMap((x) => [b.main, b.other].map((y) => (x && y ? compareReadings(x, y) : null)))
  return others.some((v) => v?.verdict === 'equal') ? unknown('a sign that can be read in two ways') : verdict
}

function compareReadings(a: Reading, b: Reading): Verdict {
  if (a.kind === 'math' && b.kind === 'math') return compareMeasured(a, b)
  if (a.kind === 'choice' || b.kind === 'choice') return compareChoices(a, b)
  if (a.kind === 'clock' && b.kind === 'clock') return compareClocks(a, b)
  if (a.kind === 'clock' || b.kind === 'clock') return unknown('a time and something else')
  if (a.kind === 'text' && b.kind === 'text') return compareTexts(a.words, b.words)
  const [text, maths] = a.kind === 'text' ? [a, b as Maths] : [b as Reading & { kind: 'text' }, a as Maths]
  return textAndMaths(text.words, maths)
}

/** Values beside their units. */
function compareMeasured(a: Maths, b: Maths): Verdict {
  const [u, v] = [a.unit, b.unit]
  if (u === null && v === null) return compare(a.expr, b.expr)
  if (u === null || v === null) return u === null ? oneUnit(b, v as Unit, a.expr) : oneUnit(a, u, b.expr)
  if (u.kind === 'word' || v.kind === 'word') return countedWords(a, b, u, v)
  if (u.kind !== v.kind) return unknown('units of different kinds', 'units')
  if (u.kind === 'quantity' && v.kind === 'quantity') {
    if (u.dimension !== v.dimension) return different('units', `${u.dimension} and ${v.dimension}`)
    return compare(scaled(a.expr, number(u.factor)), scaled(b.expr, number(v.factor)))
  }
  if (u.kind === 'angle' && v.kind === 'angle' && u.degrees !== v.degrees) {
    return compare(inRadians(a.expr, u), inRadians(b.expr, v))
  }
  return compare(a.expr, b.expr)
}

const scaled = (x: Expr, factor: Expr): Expr => (isValue(x) ? { t: 'product', a: [x, factor] } : x)
const inRadians = (x: Expr, unit: Unit & { kind: 'angle' }): Expr =>
  unit.degrees ? scaled(x, { t: 'quotient', n: { t: 'constant', name: 'pi' }, d: integer(180n) }) : x

/** One side leaves the unit out. */
function oneUnit(measured: Maths, unit: Unit, bare: Expr): Verdict {
  const raw = compare(measured.expr, bare)
  if (unit.kind === 'percent') {
    const share = compare(scaled(measured.expr, number(rational(1n, 100n))), bare)
    if (share.verdict === 'equal') return share
    return raw.verdict === 'equal' ? unknown('percent on one side only', 'units') : share
  }
  if (raw.verdict !== 'different') return raw
  const elsewhere =
    unit.kind === 'angle'
      ? [inRadians(measured.expr, { kind: 'angle', degrees: true })]
      : unit.kind === 'quantity'
        ? factorsOf(unit.dimension).map((f) => scaled(measured.expr, number(div(unit.factor, f))))
        : []
  const converted = elsewhere.find((x) => compare(x, bare).verdict === 'equal')
  if (converted === undefined) return raw
  return unit.kind === 'angle'
    ? equalBy('units', 'the same angle in radians')
    : unknown('the same in another unit', 'units')
}

/** Apples, eggs, euros: the same words count the same things, and so do `eggs` and `duck eggs`. */
function countedWords(a: Maths, b: Maths, u: Unit, v: Unit): Verdict {
  const within = (x: string, y: string): boolean => x === y || x.endsWith(` ${y}`) || y.endsWith(` ${x}`)
  if (u.kind === 'word' && v.kind === 'word' && within(u.word, v.word)) return compare(a.expr, b.expr)
  return unknown('different units', 'units')
}

function compareChoices(a: Reading, b: Reading): Verdict {
  if (a.kind === 'choice' && b.kind === 'choice') {
    if (a.letter.toUpperCase() !== b.letter.toUpperCase()) return different('choice', 'different letters')
    const contents =
      a.rest !== '' && b.rest !== '' ? compareReadings(readAnswer(a.rest).main, readAnswer(b.rest).main) : null
    return contents?.verdict === 'different'
      ? unknown('same letter, different contents', 'choice')
      : equalBy('choice', 'same letter')
  }
  const [choice, other] = a.kind === 'choice' ? [a, b] : [b as Reading & { kind: 'choice' }, a]
  if (choice.rest === '') {
    // A bare letter may be a variable after all.
    const asSymbol: Maths = { kind: 'math', expr: { t: 'symbol', name: choice.letter }, unit: null }
    return other.kind === 'math' && symbolsOf(other.expr).size > 0
      ? compareMeasured(asSymbol, other)
      : unknown('a letter and its content')
  }
  const verdict = compareReadings(readAnswer(choice.rest).main, other)
  return verdict.verdict === 'equal' ? verdict : unknown('a choice and something else', 'choice')
}

type Clock = Reading & { kind: 'clock' }

function compareClocks(a: Clock, b: Clock): Verdict {
  if ((a.half === null) === (b.half === null)) {
    return a.minutes === b.minutes ? equalBy('structure', 'same time') : different('structure', 'different times')
  }
  const [half, plain] = a.half !== null ? [a, b] : [b, a]
  if (half.minutes === plain.minutes && plain.minutes >= 780) return equalBy('structure', 'same time of day')
  if ((half.minutes - plain.minutes) % 720 === 0) return unknown('morning or afternoon on one side only')
  return different('structure', 'different times')
}

/** Words for which another word is another answer. */
const CLOSED: readonly (readonly string[])[] = [
  ['yes', 'no'],
  ['true', 'false'],
  ['even', 'odd', 'neither'],
  ['positive', 'negative', 'zero'],
  ['no solution', 'infinitely many', 'all real numbers'],
]

function compareTexts(a: string, b: string): Verdict {
  if (a === '' || b === '') return unknown('nothing that can be read')
  if (a === b) return equalBy('text', 'same words')
  if (CLOSED.some((words) => words.includes(a) && words.includes(b))) return different('text', 'different words')
  // Two single words, such as names, are two answers; longer texts may say the same in other words.
  const single = /^[a-z][a-z'-]*$/
  if (single.test(a) && single.test(b) && !a.startsWith(b) && !b.startsWith(a))
    return different('text', 'different words')
  return unknown('texts that cannot be compared')
}

const NUMERALS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  )

function textAndMaths(words: string, maths: Maths): Verdict {
  const numeral = NUMERALS.indexOf(words)
  if (numeral >= 0) return compare(integer(BigInt(numeral)), maths.expr)
  const { expr } = maths
  if (words === 'no solution') {
    if (expr.t === 'list' && expr.open === '{' && expr.items.length === 0) return equalBy('text', 'no solution')
    if (isValue(expr)) return different('text', 'no solution and a value')
  }
  if (words === 'all real numbers') {
    const verdict = compare({ t: 'reals' }, expr)
    if (verdict.verdict !== 'unknown') return verdict
  }
  if (words === 'infinitely many' && isValue(expr)) return different('text', 'infinitely many and one value')
  return unknown('words and a formula')
}

function tolerated(a: Answer, b: Answer, tolerance: number): Verdict | null {
  if (a.main.kind !== 'math' || b.main.kind !== 'math') return null
  const [x, y] = [a.main.expr, b.main.expr]
  if (!isValue(x) || !isValue(y) || compareValues(x, y).verdict === 'equal') return null
  const [p, q] = [approximate(x), approximate(y)]
  if (p === null || q === null || Math.abs(p - q) > tolerance * Math.max(Math.abs(p), Math.abs(q))) return null
  const units = compareMeasured({ ...a.main, expr: integer(1n) }, { ...b.main, expr: integer(1n) })
  return units.verdict === 'equal' ? equalBy('tolerance', `within ${tolerance} of each other`) : null
}
