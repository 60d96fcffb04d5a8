/** How steps of letter-by-letter sorting write letters, groups and orders. */

/** Words that are not told apart, and the place in the alphabet of the letter they share, where it is written. */
export interface Group {
  words: string[]
  place: number | null
}

export interface StatedLetter {
  word: string
  letter: string
  place: number | null
  /** Which letter of the word, from 1; null where the step does not say. */
  nth: number | null
  /** Without quotes it may be any word of the sentence. */
  isQuoted: boolean
}

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
  'eleventh',
  'twelfth',
]

/** "second letter", "2nd letter". */
function readNth(text: string): number | null {
  const m =
    /\b(\d+)(?:st|nd|rd|th) letters?\b/i.exec(text) ??
    new RegExp(`\\b(${ORDINALS.join('|')}) letters?\\b`, 'i').exec(text)
  const word = m?.[1]?.toLowerCase()
  if (word === undefined) return null
  return /^\d/.test(word) ? Number(word) : ORDINALS.indexOf(word) + 1
}

const QUOTED = String.raw`["“]([^"”\s]+)["”]`

/** `"word": "w" (23)`, also without quotes or places. */
export function readLetters(text: string): StatedLetter[] {
  const nth = readNth(text)
  const out: StatedLetter[] = []
  const pattern = new RegExp(
    String.raw`(?:${QUOTED}|(?<![\w'])([\p{Ll}'’-]+))(?:\s*(?::|->|=)\s*|\s+is\s+)(?:["“]([^"”\s]?)["”]|([\p{L}'])(?![\p{L}']))(?:\s*\((\d+)\))?`,
    'gu',
  )
  for (const m of text.matchAll(pattern)) {
    const word = m[1] ?? m[2] ?? ''
    const letter = m[3] ?? m[4] ?? ''
    out.push({ word, letter, place: m[5] === undefined ? null : Number(m[5]), nth, isQuoted: m[1] !== undefined })
  }
  return out
}

/** The group that a step takes up: "sort this subpart ["a" ? "b"]". */
export function readSubpart(text: string): string[] | null {
  const m = /\b(?:subpart|sub-part|group|part|sublist|words)\s*[[({]([^\])}]*)[\])}]/i.exec(text)
  if (!m) return null
  const words = (m[1] ?? '')
    .split(/[?,\s]+/)
    .map(bare)
    .filter((w) => w !== '')
  return words.length > 0 ? words : null
}

const bare = (word: string): string => word.replace(/^["“'‘]+|["”'’.,;]+$/g, '')

export interface Chain {
  groups: Group[]
  about: 'subpart' | 'whole' | null
}

/** Orders in a step: "(5) "berne" < (20) ["btl" ? "bus"] for the subpart. Hence, we have ...". */
export function readChains(text: string): Chain[] {
  const out: Chain[] = []
  const pieces = text.split(/(?:\.\s+|\s|^)(?=(?:hence|so|thus|therefore|overall|altogether)\b)/i)
  for (const piece of pieces) {
    const m = /^([\s\S]*?\b(?:have|order(?: is| becomes)?|get|is now|gives)\b:?|)\s*([\s\S]*)$/i.exec(piece)
    const about = /\bsub-?part\b|\bgroup\b|\bsublist\b/i.test(piece)
      ? 'subpart'
      : /^\s*(?:hence|so|thus|therefore|overall|altogether)\b/i.test(piece)
        ? 'whole'
        : null
    const region = (m?.[2] ?? '').replace(/\bfor (?:the|this) (?:sub-?part|group|sublist)\b[\s\S]*$/i, '')
    const groups = readGroups(region)
    if (groups.length > 0) out.push({ groups, about })
  }
  return out
}

function readGroups(region: string): Group[] {
  if (!/[<?"“]|^\s*[\p{Ll}'-]+(?:\s+[\p{Ll}'-]+)+\s*\.?\s*$/u.test(region)) return []
  const isQuoted = /["“]/.test(region)
  const token = isQuoted ? /\((\d+)\)|([[\]<?])|["“]([^"”]*)["”]/g : /\((\d+)\)|([[\]<?])|([\p{Ll}\p{N}'’&-]+)/gu
  const groups: Group[] = []
  let place: number | null = null
  let inside = false
  let joins = false
  for (const m of region.matchAll(token)) {
    if (m[1] !== undefined) place = Number(m[1])
    else if (m[2] === '[') inside = groups.push({ words: [], place }) > 0
    else if (m[2] === ']') inside = false
    else if (m[2] === '<') joins = false
    else if (m[2] === '?') joins = true
    else if (m[3] !== undefined) {
      const last = groups.at(-1)
      if (last && (inside || joins)) last.words.push(bare(m[3]))
      else groups.push({ words: [bare(m[3])], place })
      place = null
      joins = false
    }
    if (m[2] === '[') place = null
  }
  return groups.filter((g) => g.words.length > 0)
}

/** Words of an answer, quotes and commas left out. */
export const readWords = (answer: string): string[] =>
  answer
    .split(/[\s,<"“”]+/)
    .map(bare)
    .filter((w) => w !== '')
