import type { Linear } from './linear.ts'

/** Ages, prices and counts stated in words, as linear facts about one quantity a name. */

export interface QuantityProblem {
  names: string[]
  premises: Linear[]
  read(sentence: string): Linear[]
}

const NUMBERS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
  'twenty',
]
const NUMBER = `(?:[$€£]\\s?)?\\d[\\d,]*(?:\\.\\d+)?|${NUMBERS.join('|')}`
const TIMES: Readonly<Record<string, number>> = { half: 0.5, twice: 2, double: 2, thrice: 3, triple: 3 }

function numberOf(text: string): number {
  const at = NUMBERS.indexOf(text.toLowerCase())
  return at >= 0 ? at : Number(text.replace(/[$€£,\s]/g, ''))
}

const MORE = 'more|older|taller|heavier|longer|pricier|higher|greater|larger|faster'
const LESS = 'fewer|less|younger|shorter|lighter|cheaper|lower|smaller|slower'
const NAME =
  "(?:[Tt]he |[Aa]n? |[Ee]ach |[Oo]ne )?[\\p{L}][\\p{L}'’-]*(?: (?!is\\b|are\\b|has\\b|have\\b|had\\b|costs?\\b|weighs?\\b|was\\b|and\\b|must\\b)[\\p{L}][\\p{L}'’-]*){0,2}"
const VERB = '(?:is|are|was|has|have|had|costs?|weighs?|owns?|holds?|sells for|must be|must have)'
const UNIT = '(?:[\\p{L}-]+(?: [\\p{L}-]+)?)'

const END = '(?:\\.|!|$)'
const pattern = (text: string): RegExp =>
  new RegExp(
    `^(?:so|then|thus|hence|therefore|now|also|and|but|this means(?: that)?|that means(?: that)?)?,?\\s*${text}\\s*${END}`,
    'iu',
  )

const ABSOLUTE = pattern(`(${NAME}) ${VERB} (${NUMBER})(?: ${UNIT}| years? old)?`)
const EQUATION = pattern(`(${NAME})(?:'s \\p{L}+)? (?:=|equals) (${NUMBER})`)
const DIFFERENCE = pattern(
  `(${NAME}) ${VERB} (?:exactly )?(${NUMBER})\\s?(?:[\\p{L}%]+ )?(?:(${MORE})|(${LESS}))(?: ${UNIT})? than (${NAME})`,
)
const FACTOR = pattern(
  `(${NAME}) ${VERB} (half|twice|double|thrice|triple|(?:${NUMBER}) times) (?:as (?:many|much|old|tall|heavy|long|expensive|large|big|high|fast)(?: ${UNIT})? as |the [\\p{L}]+ of )(${NAME})`,
)
const COMPARE = pattern(`(${NAME}) ${VERB} (?:(${MORE})|(${LESS}))(?: ${UNIT})? than (${NAME})`)
const SAME = pattern(
  `(${NAME}) ${VERB} (?:as (?:many|much|old|tall|heavy|long|expensive)(?: ${UNIT})? as|the same(?: [\\p{L}]+)? as) (${NAME})`,
)
const TOTAL = pattern(
  `(?:together,? |in total,? |altogether,? )?(${NAME}(?:, ${NAME})*,? and ${NAME}) ${VERB} (?:a total of )?(${NUMBER})(?: ${UNIT})?(?: (?:together|in total|altogether|in all|combined))?`,
)
const SUM = pattern(
  `the (?:sum|total) of (?:the (?:ages|prices|weights|numbers|counts) of )?(${NAME}(?:, ${NAME})*,? and ${NAME})(?:'s ages)? is (${NUMBER})(?: ${UNIT})?`,
)

/** @returns null where some sentence of the problem is not understood, so that nothing can be said to be missing */
export function readQuantities(prompt: string): QuantityProblem | null {
  if (prompt.length > 5_000) return null
  const names: string[] = []
  const premises: Linear[] = []
  for (const sentence of sentencesOf(prompt)) {
    if (/\?\s*$/.test(sentence)) continue
    const found = readFact(sentence)
    if (found === null) return null
    premises.push(found)
    for (const name of found.terms.keys()) if (!names.includes(name)) names.push(name)
  }
  if (premises.length < 2 || names.length < 2) return null
  const isKnown = (fact: Linear): boolean => [...fact.terms.keys()].every((name) => names.includes(name))
  return {
    names,
    premises,
    read: (text) =>
      sentencesOf(text)
        .flatMap((s) => clausesOf(s).map(readFact))
        .filter((f) => f !== null)
        .filter(isKnown),
  }
}

const sentencesOf = (text: string): string[] =>
  text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((s) => s.trim())
    .filter((s) => s !== '')

const clausesOf = (sentence: string): string[] =>
  sentence.split(/,?\s+(?:so|because|since|therefore|which means)\s+|;\s*/i)

/** Longer sentences hold more than one plain fact, characters. */
const SENTENCE_CHARS = 200

function readFact(sentence: string): Linear | null {
  if (sentence.length > SENTENCE_CHARS) return null
  const says = sentence.replace(/[.!]$/, '')
  const make = (terms: [string, number][], relation: Linear['relation'], constant: number): Linear | null =>
    new Set(terms.map(([n]) => n)).size === terms.length && Number.isFinite(constant)
      ? { terms: new Map(terms), relation, constant, says }
      : null
  let m = DIFFERENCE.exec(sentence)
  if (m) {
    const [, a = '', by = '', more, , b = ''] = m
    return make(
      [
        [nameOf(a), 1],
        [nameOf(b), -1],
      ],
      '=',
      more === undefined ? -numberOf(by) : numberOf(by),
    )
  }
  m = FACTOR.exec(sentence)
  if (m) {
    const [, a = '', by = '', b = ''] = m
    const factor = TIMES[by.toLowerCase()] ?? numberOf(by.replace(/ times$/i, ''))
    return make(
      [
        [nameOf(a), 1],
        [nameOf(b), -factor],
      ],
      '=',
      0,
    )
  }
  m = COMPARE.exec(sentence)
  if (m) {
    const [, a = '', more, , b = ''] = m
    const sign = more === undefined ? 1 : -1
    return make(
      [
        [nameOf(a), sign],
        [nameOf(b), -sign],
      ],
      '<',
      0,
    )
  }
  m = SAME.exec(sentence)
  if (m)
    return make(
      [
        [nameOf(m[1] ?? ''), 1],
        [nameOf(m[2] ?? ''), -1],
      ],
      '=',
      0,
    )
  m = TOTAL.exec(sentence) ?? SUM.exec(sentence)
  if (m) {
    const parts = (m[1] ?? '').split(/,\s*(?:and\s+)?|\s+and\s+/).map(nameOf)
    return make(
      parts.map((p) => [p, 1]),
      '=',
      numberOf(m[2] ?? ''),
    )
  }
  m = ABSOLUTE.exec(sentence) ?? EQUATION.exec(sentence)
  return m ? make([[nameOf(m[1] ?? ''), 1]], '=', numberOf(m[2] ?? '')) : null
}

const nameOf = (text: string): string =>
  text
    .trim()
    .replace(/^(?:the|an?|each|one)\s+/i, '')
    .toLowerCase()
