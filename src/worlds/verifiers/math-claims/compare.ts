import { canonical, rationalOf } from '../../answers/canonical.ts'
import type { Expr } from '../../answers/expression.ts'
import { some } from '../../answers/expression.ts'
import type { Rational } from '../../answers/rational.ts'
import { TooLarge } from '../../answers/rational.ts'
import { approximate, compareValues } from '../../answers/values.ts'
import { OutOfWork, startWork } from '../../answers/work.ts'
import type { Side } from './side.ts'
import { readSide } from './side.ts'

/** `null`: cannot be said, since the writer may have meant a reading in which it holds. */
export interface Comparison {
  holds: boolean | null
  /** Left side as a short number, for people. */
  left: number | null
  why: string
}

/** Ratio of two written results up to which decimals may have been rounded on the way. */
const ROUNDED = 0.01
/** Ratios of units that people leave out: time, length, mass, percent, money, dozens. */
const CONVERSIONS = [
  10, 100, 1_000, 10_000, 100_000, 1e6, 1e9, 60, 3_600, 24, 7, 12, 3, 36, 5_280, 16, 2_000, 52, 365, 30, 1_440, 4, 8, 2,
]

/**
 * Compares two sides without symbols; the right one may be a rounded result.
 *
 * @param chained the two stand in a chain of three or more sides; two alone may be an equation that is tried out
 */
export function compareNumbers(left: Side, right: Side, chained: boolean): Comparison {
  try {
    startWork()
    const verdict = compareValues(left.expr, right.expr)
    if (verdict.verdict === 'equal') return { holds: true, left: null, why: 'equal' }
    if (verdict.verdict === 'unknown') return { holds: null, left: null, why: verdict.reason }
    return otherReading(left, right)
      ? { holds: null, left: null, why: 'holds in another reading' }
      : differ(left, right, chained)
  } catch (error) {
    if (error instanceof OutOfWork || error instanceof TooLarge || error instanceof RangeError)
      return { holds: null, left: null, why: 'too large' }
    throw error
  }
}

function differ(left: Side, right: Side, chained: boolean): Comparison {
  const [l, r] = [realValue(left.expr), realValue(right.expr)]
  if (l === null || r === null) return { holds: null, left: null, why: 'no value' }
  const unit = lastPlace(right) ?? lastPlace(left) ?? 0
  if (Math.abs(l - r) <= (unit / 2) * (1 + 1e-9)) return { holds: true, left: l, why: 'rounded' }
  const why =
    roundingExcuse(left, right, l, r, unit) ??
    (!chained && isTrial(left, right) ? 'may be an equation that is tried out' : null) ??
    unitExcuse(left, right, l, r) ??
    nameExcuse(left, right)
  return why === null ? { holds: false, left: l, why: 'differs' } : { holds: null, left: l, why }
}

/** What the last written digit behind the point stands for; null where the side is no written decimal. */
function lastPlace(s: Side): number | null {
  const percent = /^-?\s*\d+(?:\.(\d+))?\s*\\?%$/.exec(s.text)
  if (percent) return 10 ** -((percent[1]?.length ?? 0) + 2)
  return s.places !== null && s.places > 0 ? 10 ** -s.places : null
}

function roundingExcuse(left: Side, right: Side, l: number, r: number, unit: number): string | null {
  const gap = Math.abs(l - r)
  if (gap < unit) return 'may be rounded'
  // A fraction of whole numbers has no rounding on its way: its written decimals are right or wrong.
  const whole = unit > 0 && !hasDecimal(left) && rationalValue(left.expr) !== null
  const inexact = hasDecimal(left) || hasDecimal(right) || !exact(left) || !exact(right)
  if (!whole && inexact && gap <= ROUNDED * Math.max(Math.abs(l), Math.abs(r))) return 'may be rounded'
  return gap < 1 && Number.isInteger(r) !== Number.isInteger(l) ? 'may be rounded to a whole number' : null
}

function unitExcuse(left: Side, right: Side, l: number, r: number): string | null {
  if (left.words !== '' && right.words !== '' && left.words !== right.words) return 'may change the unit'
  const circular = some(left.expr, isCircular) || some(right.expr, isCircular)
  if (left.degrees !== right.degrees && !circular) return 'degrees on one side only'
  if (circular && !left.degrees && !right.degrees) return 'angles without a unit'
  const ratio = l === 0 || r === 0 ? 0 : Math.abs(l > r ? l / r : r / l)
  const near = (k: number): boolean => Math.abs(ratio / k - 1) < 1e-9
  if ((left.percent || right.percent) && near(100)) return 'percent on one side only'
  return (left.units || right.units) && CONVERSIONS.some(near) ? 'may change the unit' : null
}

function nameExcuse(left: Side, right: Side): string | null {
  const has = (name: string) => (s: Side) => some(s.expr, (x) => x.t === 'constant' && x.name === name)
  if ([left, right].some((s) => some(s.expr, isOpenEnded))) return 'an argument without brackets'
  if ([left, right].some(has('e'))) return 'e may be a name'
  return has('i')(left) !== has('i')(right) ? 'i may be a name' : null
}

/** Both sides of an equation with values put in, not a calculation: they share no number, or only one has a root. */
function isTrial(left: Side, right: Side): boolean {
  if (!left.compound) return !isFactored(right.expr)
  const surds = [left, right].map((s) => rationalValue(s.expr) === null)
  if (surds[0] !== surds[1] && right.compound) return true
  if (right.expr.t !== 'sum' && right.expr.t !== 'product') return false
  const numbers = numbersOf(right.text)
  if (numbers.length < 2) return false
  const seen = new Set(numbersOf(left.text))
  return !numbers.some((n) => seen.has(n))
}
const numbersOf = (text: string): string[] => text.match(/\d+(?:\.\d+)?/g) ?? []
/** Products, powers and sums of whole numbers: how a number is taken apart. */
const isFactored = (x: Expr): boolean =>
  (x.t === 'product' || x.t === 'power' || x.t === 'sum') &&
  !some(x, (y) => (y.t === 'number' && (y.v.d !== 1n || y.v.n < 0n)) || y.t === 'call' || y.t === 'quotient')

const isCircular = (x: Expr): boolean => x.t === 'call' && /^a?(?:sin|cos|tan|cot|sec|csc)/.test(x.f)
/** `\\cos a (b + c)` may mean either product. */
const isOpenEnded = (x: Expr): boolean =>
  x.t === 'call' &&
  /^(?:a?(?:sin|cos|tan|cot|sec|csc)|ln|log)/.test(x.f) &&
  x.a.some((y) => y.t === 'product' && y.a.some((z) => some(z, (w) => w.t === 'sum' || w.t === 'call')))
const hasDecimal = (s: Side): boolean => /\d\.\d/.test(s.text)

/** Is the value a fraction of small size, not a surd or a logarithm? */
function exact(s: Side): boolean {
  const value = rationalValue(s.expr)
  return value !== null && (value.d === 1n || /\/|frac|%/.test(s.text))
}

function rationalValue(x: Expr): Rational | null {
  try {
    return rationalOf(canonical(x))
  } catch (error) {
    if (error instanceof TooLarge || error instanceof RangeError) return null
    throw error
  }
}

function realValue(x: Expr): number | null {
  const value = rationalValue(x)
  if (value === null) return approximate(x)
  const out = Number(value.n) / Number(value.d)
  return Number.isFinite(out) ? out : approximate(x)
}

/** Mixed numbers read as products, `a/bc` read as a/(bc), -2^2 as (-2)^2: does the claim hold in one of them? */
function otherReading(left: Side, right: Side): boolean {
  const variants = (s: Side): Side[] => [s, ...otherReadings(s)]
  const [ls, rs] = [variants(left), variants(right)]
  if (ls.length === 1 && rs.length === 1) return false
  return ls.some((l) =>
    rs.some((r) => (l !== left || r !== right) && compareValues(l.expr, r.expr).verdict === 'equal'),
  )
}

function otherReadings(s: Side): Side[] {
  const out: Side[] = []
  const product = s.text.replace(/(\d)\s*(?=\\[dt]?frac)/g, '$1 * ').replace(/(\d) +(?=\d+\s*\/\s*\d)/g, '$1 * ')
  if (product !== s.text) {
    const side = readSide(product)
    if (side) out.push(side)
  }
  const juxtaposed = s.text.replace(/\/\s*(\d+(?:\.\d+)?\s*(?:\([^()]*\)|\\(?:pi|sqrt\{[^{}]*\})|!)+)/g, '/($1)')
  if (juxtaposed !== s.text) {
    const side = readSide(juxtaposed)
    if (side) out.push(side)
  }
  const halved = s.text.replace(/\/\s*(\d+\s*\/\s*\d+)/g, '/($1)')
  if (halved !== s.text) {
    const side = readSide(halved)
    if (side) out.push(side)
  }
  if (/(^|[=(+*/-])\s*-\s*\d+(?:\.\d+)?\s*\^/.test(s.text)) {
    const side = readSide(s.text.replace(/(^|[=(+*/-])\s*(-\s*\d+(?:\.\d+)?)\s*\^/g, '$1($2)^'))
    if (side) out.push(side)
  }
  return out
}
