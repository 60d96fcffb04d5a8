import type { Span } from './spans.ts'

/**
 * Why an equation that does not hold is no claim of the writer; null where nothing says so.
 *
 * @param shadow the step's text with its formulas blanked
 * @param symbols the equation has symbols, so that it may be there to be solved
 */
export function guardOf(shadow: string, from: number, to: number, symbols: boolean): string | null {
  const before = sentenceBefore(shadow, from)
  const behind = sentenceBehind(shadow, to)
  if (symbols && GIVEN.test(before) && !REWRITTEN.test(before)) return 'may be an equation to be solved'
  const around = `${before} # ${behind}`
  for (const [pattern, why] of AROUND) if (pattern.test(around)) return why
  if (TRIAL.test(shadow.slice(Math.max(0, from - 300), from))) return 'hypothetical'
  if (DENIAL.test(shadow.slice(to, to + 120))) return 'denied'
  for (const [pattern, why] of BEHIND) if (pattern.test(behind)) return why
  return null
}

const AROUND: readonly (readonly [RegExp, string])[] = [
  [
    /\b(?:if|suppos\w*|assum\w*|guess\w*|hypothe\w*|would|could|should|try|trying|test|testing|check\w*|verif\w*|whether|want|need|must|plug\w*)\b/i,
    'hypothetical',
  ],
  [/\b(?:mod|modulo|modular|congruent|remainder|base|binary|octal|hexadecimal|clock)\b/i, 'other arithmetic'],
  [/\b(?:approximat\w*|about|roughly|nearly|round\w*|estimat\w*)\b/i, 'approximate'],
]
const BEHIND: readonly (readonly [RegExp, string])[] = [
  [/\b(?:not|no|false|incorrect|wrong|impossible|contradict\w*|invalid|fails?)\b|n't\b/i, 'denied'],
]

/** An equation between symbols that is there to be solved, and words by which it is a calculation after all. */
const GIVEN = /\b(?:equations?|given|conditions?|satisf\w*|system|identity)\b/i
const REWRITTEN =
  /\b(?:expand\w*|simplif\w*|factor\w*|distribut\w*|combin\w*|rewrit\w*|written|complet\w*|rearrang\w*|becomes)\b/i

/** A trial may begin some sentences before, and be given up in the next one. */
const TRIAL = /\b(?:try|trying|tried|suppose|guess|contradiction)\b/i
const DENIAL =
  /^[^.!?\n]*[.!?\n]\s*(?:(?:but |however,? )?(?:this|that|it|which) (?:is|does|was|can|could|would)(?:n't|not| not| a contradiction| impossible| false| incorrect| wrong)|contradiction|impossible|no\b)/i

/** Does the question use numbers in another way: modulo, another base, an operation of its own? */
export const hasOtherArithmetic = (question: string): boolean =>
  /\b(?:mod|modulo|remainders?|residues?|congruen\w*|binary|octal|hexadecimal|ring|field|subgroup|operation)\b|\bbase[- ]?(?:\d|\$|two|three|four|five|six|seven|eight|nine|ten|twelve)|\\pmod|\\bmod|_\{?(?:[2-9]|1[0-6])\}?\$|\\mathbb\s*\{?Z\}?_/i.test(
    question,
  )

/** The text with every formula blanked, so that stops inside formulas end no sentence. */
export const shadowOf = (spans: readonly Span[]): string =>
  spans.map((s) => (s.kind === 'formula' ? '#'.repeat(s.to - s.from) : s.text)).join('')

const STOP = /[.!?](?=\s|$)|\n/g
function sentenceBefore(shadow: string, from: number): string {
  const head = shadow.slice(Math.max(0, from - 400), from)
  let start = 0
  for (const match of head.matchAll(STOP)) start = match.index + 1
  return head.slice(start)
}
function sentenceBehind(shadow: string, to: number): string {
  const tail = shadow.slice(to, to + 200)
  STOP.lastIndex = 0
  const match = STOP.exec(tail)
  return match === null ? tail : tail.slice(0, match.index)
}
