import type { Rational } from './rational.ts'
import { decimal, div, mul, ONE, rational } from './rational.ts'

/** What stands behind a number: a quantity with a factor to its base unit, or a counted word. */
export type Unit =
  | { kind: 'quantity'; dimension: string; factor: Rational }
  | { kind: 'angle'; degrees: boolean }
  | { kind: 'percent' }
  | { kind: 'word'; word: string }

/** Base units: metre, gram, second, cent, bit of a year (month), cubic metre by length. Definitions: SI brochure, NIST SP 811. */
const TABLE: Readonly<Record<string, readonly [dimension: string, factor: string]>> = {
  mm: ['length', '0.001'],
  millimeter: ['length', '0.001'],
  cm: ['length', '0.01'],
  centimeter: ['length', '0.01'],
  m: ['length', '1'],
  meter: ['length', '1'],
  km: ['length', '1000'],
  kilometer: ['length', '1000'],
  in: ['length', '0.0254'],
  inch: ['length', '0.0254'],
  ft: ['length', '0.3048'],
  foot: ['length', '0.3048'],
  feet: ['length', '0.3048'],
  yd: ['length', '0.9144'],
  yard: ['length', '0.9144'],
  mi: ['length', '1609.344'],
  mile: ['length', '1609.344'],
  mg: ['mass', '0.001'],
  milligram: ['mass', '0.001'],
  g: ['mass', '1'],
  gram: ['mass', '1'],
  kg: ['mass', '1000'],
  kilogram: ['mass', '1000'],
  lb: ['mass', '453.59237'],
  pound: ['mass', '453.59237'],
  oz: ['mass', '28.349523125'],
  ounce: ['mass', '28.349523125'],
  s: ['time', '1'],
  sec: ['time', '1'],
  second: ['time', '1'],
  min: ['time', '60'],
  minute: ['time', '60'],
  h: ['time', '3600'],
  hr: ['time', '3600'],
  hour: ['time', '3600'],
  day: ['time', '86400'],
  week: ['time', '604800'],
  month: ['calendar', '1'],
  year: ['calendar', '12'],
  cent: ['money', '1'],
  '¢': ['money', '1'],
  dollar: ['money', '100'],
  usd: ['money', '100'],
  ml: ['length^3', '0.000001'],
  milliliter: ['length^3', '0.000001'],
  l: ['length^3', '0.001'],
  liter: ['length^3', '0.001'],
}
const MULTIPLES: Readonly<Record<string, string>> = {
  hundred: '1e2',
  thousand: '1e3',
  million: '1e6',
  billion: '1e9',
  trillion: '1e12',
  dozen: '12',
}

/** Words behind a number that change what it says; a phrase with one of them is no unit. */
const NO_UNITS: ReadonlySet<string> = new Set(
  (
    'squared cubed factorial choose mod modulo over half halves third fourth fifth sixth seventh eighth ninth tenth hundredth ' +
    'thousandth quarter plus minus times divided dozen score gross million thousand billion hundred base negative ' +
    'below under loss debt short less fewer more where when if for with not unless except or and is are to than'
  ).split(' '),
)
export const changesNumber = (phrase: string): boolean =>
  !/^[A-Za-z¢%€£¥₹°./\s()-]*$/.test(phrase) ||
  phrase
    .toLowerCase()
    .split(/[\s/.()-]+/)
    .some((w) => NO_UNITS.has(w) || NO_UNITS.has(singular(w)))

export const DOLLAR: Unit = { kind: 'quantity', dimension: 'money', factor: rational(100n) }

export function singular(word: string): string {
  if (word === 'feet') return 'foot'
  if (word === 'inches') return 'inch'
  if (/(s|x|ch|sh)es$/.test(word)) return word.slice(0, -2)
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`
  return word.length > 2 && /[^s]s$/.test(word) ? word.slice(0, -1) : word
}

/**
 * Reads `square inches`, `miles per hour`, `cm` with power 2, `million dollars`, `apples`.
 * @param power exponent written behind the unit, 1 where none is
 */
export function readUnit(phrase: string, power: number): { multiple: Rational; unit: Unit | null } {
  const words = phrase
    .toLowerCase()
    .replace(/metre/g, 'meter')
    .replace(/litre/g, 'liter')
    .replace(/\bsq\.?\b/g, 'square')
    .replace(/\//g, ' per ')
    .replace(/[.,]/g, ' ')
    .trim()
    .split(/\s+/)
    .filter((w) => w !== '')
  let multiple = ONE
  while (words[0] !== undefined && Object.hasOwn(MULTIPLES, words[0])) {
    multiple = mul(multiple, decimal(MULTIPLES[words.shift() as string] as string))
    if (words[0] === 'of') words.shift()
  }
  if (words.length === 0) return { multiple, unit: null }
  const joined = words.map(singular).join(' ')
  if (joined === 'percent' || joined === '%' || joined === 'per cent') return { multiple, unit: { kind: 'percent' } }
  if (joined === 'degree' || joined === 'deg') return { multiple, unit: { kind: 'angle', degrees: true } }
  if (joined === 'radian' || joined === 'rad') return { multiple, unit: { kind: 'angle', degrees: false } }
  return { multiple, unit: quantity(words, power) ?? { kind: 'word', word: joined } }
}

function quantity(words: readonly string[], power: number): Unit | null {
  const dimensions = new Map<string, number>()
  let factor = ONE
  let next = 1
  let side = 1
  let last: [string, Rational] | null = null
  const apply = (dimension: string, unit: Rational, times: number): void => {
    const [base, own] = dimension.split('^') as [string, string?]
    const k = times * Number(own ?? 1)
    dimensions.set(base, (dimensions.get(base) ?? 0) + k)
    for (let i = 0; i < Math.abs(times); i++) factor = times > 0 ? mul(factor, unit) : div(factor, unit)
  }
  for (const raw of words) {
    const word = singular(raw)
    if (word === 'per') side = -1
    else if (word === 'square' || word === 'cubic') next = word === 'square' ? 2 : 3
    else if ((word === 'squared' || word === 'cubed') && last) {
      apply(last[0], last[1], side * (word === 'squared' ? 1 : 2))
    } else {
      const entry = Object.hasOwn(TABLE, word) ? TABLE[word] : Object.hasOwn(TABLE, raw) ? TABLE[raw] : undefined
      if (!entry) return null
      last = [entry[0], decimal(entry[1])]
      apply(last[0], last[1], side * next * power)
      next = 1
    }
  }
  const dimension = [...dimensions]
    .filter(([, k]) => k !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, k]) => (k === 1 ? name : `${name}^${k}`))
    .join(' ')
  return { kind: 'quantity', dimension, factor }
}

/** Is every word of the phrase one that measures or multiplies? */
export function isKnownUnit(phrase: string): boolean {
  const { unit } = readUnit(phrase, 1)
  return unit === null || unit.kind !== 'word'
}

/** Factors of all single units of a dimension, for spotting a number given in another unit of the same kind. */
export const factorsOf = (dimension: string): Rational[] =>
  Object.values(TABLE)
    .filter(([d]) => d === dimension)
    .map(([, factor]) => decimal(factor))
