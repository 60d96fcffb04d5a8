import type { Linear } from './linear.ts'

/** Ordering puzzles in words: things on a shelf, in a race, by age or price. Places count from 1. */

/** A direction in which things are ordered. Superlatives and comparatives of its low and its high end. */
interface Scale {
  low: Pole
  high: Pole
}

interface Pole {
  /** "leftmost", "the cheapest". */
  most: string
  /** "to the left of", "cheaper than". */
  more: string
  /** Heading of a list: "from left to right". */
  end: string
}

const SCALES: readonly Scale[] = [
  {
    low: { most: 'left-?most', more: '(?:to the )?left of', end: 'left' },
    high: { most: 'right-?most', more: '(?:to the )?right of', end: 'right' },
  },
  {
    low: {
      most: 'cheapest|least expensive',
      more: 'less expensive than|cheaper than',
      end: 'cheapest|least expensive|least|lowest',
    },
    high: {
      most: 'most expensive|priciest',
      more: 'more expensive than|pricier than',
      end: 'most expensive|most|highest',
    },
  },
  {
    low: { most: 'newest|youngest', more: '(?:newer|younger) than', end: 'newest|youngest' },
    high: { most: 'oldest', more: 'older than', end: 'oldest' },
  },
  {
    low: { most: 'winner', more: '(?:above|ahead of|before)', end: 'first|top|best' },
    high: { most: 'last', more: '(?:below|behind|after)', end: 'last|bottom|worst' },
  },
  {
    low: { most: 'shortest', more: 'shorter than', end: 'shortest' },
    high: { most: 'tallest', more: 'taller than', end: 'tallest' },
  },
  {
    low: { most: 'lightest', more: 'lighter than', end: 'lightest' },
    high: { most: 'heaviest', more: 'heavier than', end: 'heaviest' },
  },
  {
    low: { most: 'smallest', more: 'smaller than', end: 'smallest' },
    high: { most: 'largest|biggest', more: '(?:larger|bigger) than', end: 'largest|biggest' },
  },
  {
    low: { most: 'slowest', more: 'slower than', end: 'slowest' },
    high: { most: 'fastest', more: 'faster than', end: 'fastest' },
  },
]

const ORDINALS = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
] as const
const ORDINAL = `(?:${ORDINALS.join('|')}|\\d+(?:st|nd|rd|th))`
const ordinal = (word: string): number => {
  const at: number = (ORDINALS as readonly string[]).indexOf(word.toLowerCase())
  return at >= 0 ? at + 1 : Number.parseInt(word, 10)
}

export interface OrderPuzzle {
  names: string[]
  scale: Scale
  premises: Linear[]
  options: ReadonlyMap<string, Linear>
  reader: Reader
}

/** Reads sentences about the things of one puzzle. */
export interface Reader {
  /** Facts that a sentence states, in order; clauses that are understood in part or not at all are left out. */
  facts(sentence: string, countsFrom: End): Linear[]
  /** A written order, "from left to right: first is ..."; null where there is none. */
  listing(text: string): Listing | null
}

export type End = 'low' | 'high'

export interface Listing {
  /** Where it begins in the text. */
  at: number
  from: End
  /** One fact for each place that is given a thing; "second can be A or B" says that it is no other. */
  placed: Linear[]
  /** Number of the last place named, counted from the heading's first end. */
  last: number
}

/** @returns null where the prompt is no ordering puzzle whose every statement is understood */
export function readOrderPuzzle(prompt: string): OrderPuzzle | null {
  if (prompt.length > 10_000) return null
  const [story = '', tail = ''] = prompt.split(/\n\s*Options:?\s*\n?/i)
  const given = story.replace(/\n\s*Q:[\s\S]*$|\n\s*Question:[\s\S]*$/i, '')
  const sentences = given.split(/(?<=[.!?])\s+|\n\s*-?\s*/).map((s) => s.replace(/^[-*•]\s*/, '').trim())
  const listed = sentences.map(readThings).find((things) => things !== null)
  if (!listed) return null
  const scale = SCALES.map((s) => ({ s, n: countMatches(given, s) })).sort((a, b) => b.n - a.n)[0]
  if (!scale || scale.n === 0) return null
  const reader = makeReader(listed.names, scale.s, listed.noun)
  const premises: Linear[] = []
  for (const sentence of sentences) {
    if (readThings(sentence) !== null || !mentions(sentence, listed.names)) continue
    const found = reader.facts(sentence, 'low')
    if (found.length !== 1 || !found[0]) return null
    premises.push(found[0])
  }
  if (premises.length === 0) return null
  const options = new Map<string, Linear>()
  for (const m of tail.matchAll(/\(([A-Z])\)\s*([^\n]+)/g)) {
    const [found] = reader.facts(m[2] ?? '', 'low')
    if (found) options.set(m[1] ?? '', found)
  }
  return { names: listed.names, scale: scale.s, premises, options, reader }
}

const countMatches = (text: string, scale: Scale): number =>
  [scale.low, scale.high].reduce(
    (n, p) => n + (text.match(new RegExp(`\\b(?:${p.most}|${p.more}|from the (?:${p.end}))\\b`, 'gi'))?.length ?? 0),
    0,
  )

/** "there are five books: a red book, a gray book, and ...": names in lower case without articles. */
function readThings(sentence: string): { names: string[]; noun: string } | null {
  const m = /\b(?:two|three|four|five|six|seven|eight|nine|ten|\d+) ([\p{L}-]+(?: [\p{L}-]+)?):\s*(.+?)\.?$/u.exec(
    sentence,
  )
  if (!m) return null
  const names = (m[2] ?? '')
    .split(/,\s*(?:and\s+)?|\s+and\s+/)
    .map(bareName)
    .filter((n) => n !== '')
  return names.length >= 2 && new Set(names).size === names.length ? { names, noun: (m[1] ?? '').toLowerCase() } : null
}

const bareName = (text: string): string =>
  text
    .trim()
    .replace(/^(?:an?|the)\s+/i, '')
    .replace(/[.,;]+$/, '')
    .toLowerCase()
const mentions = (sentence: string, names: readonly string[]): boolean =>
  names.some((n) => new RegExp(`\\b${literally(n)}\\b`, 'i').test(sentence))
const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function makeReader(names: readonly string[], scale: Scale, noun: string): Reader {
  const n = names.length
  const byLength = [...names].sort((a, b) => b.length - a.length)
  const shared = sharedWord(names)
  const shortOf = (name: string): string =>
    shared ? name.replace(new RegExp(`\\s*\\b${literally(shared)}\\b`), '') : name
  const patterns = byLength.map((name) => {
    const short = shortOf(name)
    return {
      name,
      pattern:
        short === name || short === ''
          ? literally(name)
          : `${literally(name)}|${literally(short)}(?! ${literally(shared)})`,
    }
  })
  const anyName = new RegExp(`\\b(?:${patterns.map((p) => `(${p.pattern})`).join('|')})\\b`, 'gi')
  const namesIn = (text: string): { name: string; at: number; end: number }[] =>
    [...text.matchAll(anyName)].map((m) => {
      const which = m.slice(1).findIndex((g) => g !== undefined)
      return { name: patterns[which]?.name ?? '', at: m.index, end: m.index + m[0].length }
    })

  const at = (name: string, place: number, isNot: boolean): Linear => ({
    terms: new Map([[name, 1]]),
    relation: isNot ? '!=' : '=',
    constant: place,
    says: `${name} is ${isNot ? 'not ' : ''}${placeName(place, n, scale)}`,
  })
  const oneOf = (facts: readonly Linear[]): Linear => {
    const [first, ...others] = facts
    if (!first) throw new RangeError('one of no facts')
    return others.length === 0 ? first : { ...first, or: others, says: facts.map((f) => f.says).join(' or ') }
  }
  const before = (a: string, b: string, end: End, isNot: boolean): Linear => {
    const [x, y] = (end === 'low') !== isNot ? [a, b] : [b, a]
    return {
      terms: new Map([
        [x, 1],
        [y, -1],
      ]),
      relation: '<',
      constant: 0,
      says: `${x} comes before ${y} (${headOf(scale, 'low')} first)`,
    }
  }

  const clauseFact = (
    clause: string,
    subject: string | null,
    countsFrom: End,
  ): { fact: Linear; subject: string } | null => {
    const found = namesIn(clause)
    const isPossible =
      /\b(?:can|could|may|might) (?:only )?be\b|\bcan have\b/i.test(clause) && !/\bonly\b/i.test(clause)
    if (isPossible || /\b(?:if|any|unknown|suppose|assume|which)\b/i.test(clause)) return null
    const isNot = /\b(?:not|cannot|can't|isn't|never)\b/i.test(clause)
    if (/\b(?:either|or)\b/i.test(clause)) {
      const place = placeIn(clause, scale, n, countsFrom, noun)
      if (place === null || isNot || found.length < 2) return null
      return { fact: oneOf(found.map((f) => at(f.name, place, false))), subject: found[0]?.name ?? '' }
    }
    const more = comparative(clause, scale)
    if (more) {
      const left = found.filter((f) => f.end <= more.at).at(-1)?.name ?? subject
      const right = found.find((f) => f.at >= more.end)?.name
      if (!left || !right || left === right || found.length > 2) return null
      return { fact: before(left, right, more.end_, isNot), subject: left }
    }
    const place = placeIn(clause, scale, n, countsFrom, noun)
    const name =
      found.length === 1 ? found[0]?.name : found.length === 0 && /\b(?:it|they)\b/i.test(clause) ? subject : null
    if (place === null || !name) return null
    return { fact: at(name, place, isNot), subject: name }
  }

  return {
    facts(sentence, countsFrom) {
      const out: Linear[] = []
      let subject: string | null = null
      for (const clause of sentence.split(
        /[,;]?\s+(?:so|therefore|thus|hence)\s+|;\s*|,?\s+(?:and|but)\s+(?=(?:the\s+)?[\p{L}\s]+?\s+(?:is|are|must|cannot|can't|finished)\b)/iu,
      )) {
        const found = clauseFact(clause, subject, countsFrom)
        if (found) {
          out.push(found.fact)
          subject = found.subject
        } else subject = namesIn(clause)[0]?.name ?? subject
      }
      return out
    },
    listing(text) {
      const m = /\bfrom (?:the )?([a-z -]+?) to (?:the )?([a-z -]+?)(?:,| is| are)?\s*:\s*([\s\S]*)$/i.exec(text)
      if (!m) return null
      const from = endIn(m[1] ?? '', scale)
      if (from === null) return null
      const placed: Listing['placed'] = []
      let last = 0
      const body = (m[3] ?? '').replace(/\.\s[\s\S]*$|\.$/, '')
      for (const part of body.split(/,?\s*\bthen\b\s*/i)) {
        const p = new RegExp(
          `^((?:${ORDINAL}(?:,? and |, | to )?)+)\\s+(?:is|are|was|must be|can be|finished)\\s+(.*)$`,
          'i',
        ).exec(part.trim())
        if (!p) continue
        const ordinals = [...(p[1] ?? '').matchAll(new RegExp(ORDINAL, 'gi'))].map((o) => ordinal(o[0]))
        last = Math.max(last, ...ordinals)
        const things = namesIn(p[2] ?? '')
        const isFree = /\b(?:any|unknown|not)\b/i.test(p[2] ?? '')
        if (isFree || ordinals.length !== 1 || things.length === 0) continue
        const place = from === 'low' ? (ordinals[0] ?? 0) : n + 1 - (ordinals[0] ?? 0)
        placed.push(oneOf(things.map((t) => at(t.name, place, false))))
      }
      return last === 0 ? null : { at: m.index, from, placed, last }
    },
  }
}

/** The word that all names share at the end, "book"; empty where there is none. */
function sharedWord(names: readonly string[]): string {
  const last = names.map((name) => (name.includes(' ') ? (name.split(' ').at(-1) ?? '') : ''))
  return last.every((w) => w !== '' && w === last[0]) ? (last[0] ?? '') : ''
}

function comparative(clause: string, scale: Scale): { at: number; end: number; end_: End } | null {
  for (const end of ['low', 'high'] as const) {
    const m = new RegExp(`\\b(?:${scale[end].more})\\b`, 'i').exec(clause)
    if (m) return { at: m.index, end: m.index + m[0].length, end_: end }
  }
  return null
}

/** A place from the low end: "second from the right", "third-newest", "leftmost", "finished third-to-last". */
function placeIn(clause: string, scale: Scale, n: number, countsFrom: End, noun: string): number | null {
  const toLast = new RegExp(`\\b(${ORDINAL})[- ]to[- ](?:the[- ])?last\\b`, 'i').exec(clause)
  if (toLast) return n + 1 - ordinal(toLast[1] ?? '')
  for (const end of ['low', 'high'] as const) {
    const pole = scale[end]
    const m =
      new RegExp(`\\b(${ORDINAL})(?: [\\p{L}-]+)? from the (?:${pole.end})\\b`, 'iu').exec(clause) ??
      new RegExp(`\\b(${ORDINAL})[- ](?:${pole.most})\\b`, 'i').exec(clause)
    const k = m ? ordinal(m[1] ?? '') : new RegExp(`\\b(?:${pole.most})\\b`, 'i').test(clause) ? 1 : null
    if (k !== null) return end === 'low' ? k : n + 1 - k
  }
  const bare = new RegExp(
    `\\b(?:finished|finishes|came|comes|be|is|are|was) (?:in )?(${ORDINAL})\\b|\\bthe (${ORDINAL})(?: (?:position|place|spot|${literally(noun)}|${literally(noun.replace(/s$/, ''))}))?(?:$|[ .,])|^\\s*(${ORDINAL}) is\\b`,
    'i',
  ).exec(clause)
  const word = bare?.slice(1).find((g) => g !== undefined)
  if (word === undefined) return null
  return countsFrom === 'low' ? ordinal(word) : n + 1 - ordinal(word)
}

function endIn(text: string, scale: Scale): End | null {
  const whole = (words: string): boolean => new RegExp(`^(?:the )?(?:${words})$`, 'i').test(text.trim())
  return whole(scale.low.end) ? 'low' : whole(scale.high.end) ? 'high' : null
}

const headOf = (scale: Scale, end: End): string => (scale[end].end.split('|')[0] ?? '').replace(/[()?:]/g, '')

/** Nearest end in plain words: "second from left". */
function placeName(place: number, n: number, scale: Scale): string {
  const fromHigh = n + 1 - place
  const isLow = place <= fromHigh
  const k = isLow ? place : fromHigh
  return `${ORDINALS[k - 1] ?? `${k}th`} from ${headOf(scale, isLow ? 'low' : 'high')}`
}
