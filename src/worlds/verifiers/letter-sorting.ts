import { z } from 'zod'
import { type Group, readChains, readLetters, readSubpart, readWords, type StatedLetter } from './letter-chains.ts'
import { type Claim, judge, list, replaySteps, statedAnswer } from './replay.ts'
import type { Verifier } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'

/**
 * Replays the sorting of words letter by letter.
 *
 * The state is a chain of groups of words that are not told apart yet. A step may state letters and their places in the
 * alphabet, take the first open group further by its next letter, state the order of that group, the whole chain, or
 * the answer; each is compared with the replay. An order that is right but follows from no letter compared so far is
 * wrong as a step.
 */
export const letterSorting: Verifier = {
  name: 'letter-sorting',
  summary: 'replays alphabetical sorting letter by letter',
  options: z.object({}),
  covers:
    'alphabetical sorting of a list of words that compares first letters, then sorts each open group by later letters; abstains on steps without letters, orders or an answer',
  runsCode: false,
  reliability: {
    incorrect: 0.978,
    correct: 0.994,
    scope: 'step',
    measured:
      'BIG-Bench-Mistake, word sorting, tune half: 90 of 91 steps found wrong and 461 of 463 found right, (k + 1) / (n + 2); 0 of 554 steps undecided',
  },
  applies: (trace) =>
    readProblem(trace.problem.prompt) !== null && trace.steps.some((s) => readLetters(s.text).length > 1),
  verify(trace) {
    const words = readProblem(trace.problem.prompt)
    if (words === null) return trace.steps.map(() => UNKNOWN('the problem is no list of words to sort'))
    const replay = startReplay(words)
    return replaySteps(trace, (text) => judge(replay(text), 'no letters, order or answer in this step'))
  },
}

const MIN_WORDS = 2
const MAX_WORDS = 1_000

/** The words after "List:" or "words:", else the whole prompt, where it is lower-case words and nothing else. */
function readProblem(prompt: string): string[] | null {
  if (prompt.length > 20_000) return null
  const after = /\b(?:list|words)\b[^\n]*:\s*([^\n:]+)$/im.exec(prompt)?.[1] ?? prompt
  const words = after.split(/[\s,]+/).filter((w) => w !== '')
  if (words.length < MIN_WORDS || words.length > MAX_WORDS) return null
  return words.every((w) => /^[\p{Ll}\p{N}'’&.-]+$/u.test(w)) ? words : null
}

interface State {
  /** Groups in their order, as far as letters have been compared. */
  groups: string[][]
  /** Letters already equal within each group, by the group's words. */
  depth: Map<string, number>
}

/**
 * The word of the list that a step means: itself, else the only one of which it is a slip of spelling ("whimsy" for
 * "whimsey"): the same but for one short stretch after the beginning.
 */
function meant(word: string, words: readonly string[]): string {
  if (words.includes(word)) return word
  const fitting = words.filter((w) => isSlip(word, w))
  return fitting.length === 1 ? (fitting[0] ?? word) : word
}

/** Letters that a slip of spelling may change, insert or leave out, and the beginning that must stay. */
const SLIP = { letters: 2, beginning: 3 } as const

function isSlip(a: string, b: string): boolean {
  if (a.slice(0, SLIP.beginning) !== b.slice(0, SLIP.beginning)) return false
  const long = a.length > b.length ? a : b
  const short = a.length > b.length ? b : a
  let head = 0
  while (head < short.length && short[head] === long[head]) head++
  let tail = 0
  while (tail < short.length - head && short.at(-1 - tail) === long.at(-1 - tail)) tail++
  return long.length - head - tail <= SLIP.letters
}

function startReplay(words: readonly string[]): (text: string) => Claim[] {
  const inputSet = key(words)
  let state: State | null = null
  /** Group taken up, and the letter by which it is to be sorted. */
  let open: { words: string[]; letter: number } | null = null

  const begin = (stated: readonly { means: string }[]): Claim[] => {
    const copied = stated.map((s) => s.means)
    const says = `all ${words.length} words are taken up`
    if (key(copied) === inputSet) return [{ says, holds: true }]
    const missing = words.filter((w) => !copied.includes(w))
    const added = copied.filter((w) => !words.includes(w))
    const twice = copied.filter((w, i) => copied.indexOf(w) !== i)
    const parts = [
      ...(missing.length > 0 ? [`${list(missing)} is left out`] : []),
      ...(added.length > 0 ? [`${list(added)} is not in the list`] : []),
      ...(twice.length > 0 ? [`${list(twice)} comes twice`] : []),
    ]
    return [{ says, holds: false, instead: parts.join('; ') || 'the words are not those of the list', restates: true }]
  }

  return (text) => {
    const claims: Claim[] = []
    const answer = statedAnswer(text)
    const body = answer === null ? text : text.slice(0, text.search(/\banswer(?:\s+is|\s*[:=])/i))
    const letters = readLetters(body)
      .filter((l) => l.isQuoted || words.includes(l.word))
      .map((l) => ({ ...l, means: meant(l.word, words) }))
    const subpart = readSubpart(body)?.map((w) => meant(w, words)) ?? null

    if (letters.length > 0) {
      const nth = letters[0]?.nth ?? (state === null ? 1 : null)
      if (state === null && subpart === null) {
        claims.push(...begin(letters))
        claims.push(...letterClaims(letters, nth ?? 1))
        state = { groups: [[...words]], depth: new Map([[key(words), 0]]) }
        open = { words: [...words], letter: 1 }
        return claims
      }
      if (state !== null) {
        const group = subpart ?? letters.map((l) => l.means)
        const opened = openGroup(state, group, nth)
        claims.push(...opened.claims)
        open = opened.open
        claims.push(...letterClaims(letters, nth ?? opened.open?.letter ?? 1))
        if (open && key(letters.map((l) => l.means)) !== key(open.words)) {
          const missing = open.words.filter((w) => !letters.some((l) => l.means === w))
          const instead =
            missing.length > 0
              ? `the letter of ${list(missing)} is left out`
              : 'letters of words outside the group are stated'
          claims.push({ says: 'the letters of the whole group are stated', holds: false, instead })
        }
        return claims
      }
    }

    for (const chain of readChains(body)) {
      if (state === null) break
      const stated = chain.groups.map((g) => ({ ...g, words: g.words.map((w) => meant(w, words)) }))
      const isWhole =
        chain.about === 'whole' || (chain.about === null && (open === null || !sameWords(stated, open.words)))
      if (open !== null) {
        const sorted = splitGroup(open.words, open.letter)
        const isFirst = open.letter === 1 && open.words.length === words.length
        if (!isWhole || isFirst) claims.push(...chainClaims(stated, sorted, open.letter))
        state = refine(state, open.words, sorted, open.letter)
        open = null
        if (!isWhole || isFirst) continue
      }
      if (isWhole)
        claims.push(
          ...chainClaims(
            stated,
            state.groups.map((g) => ({ words: g, place: null })),
            null,
          ),
        )
    }
    if (answer !== null) {
      const unsorted = state?.groups.find((g) => g.length > 1)
      if (unsorted) {
        const instead = `${list(unsorted)} are not yet told apart, so there is no answer yet`
        claims.push({ says: 'all words are sorted', holds: false, instead })
      }
      claims.push(...answerClaim(answer, words))
    }
    return claims
  }
}

/** By character codes, never by locale: equal inputs give equal orders everywhere. */
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const key = (words: readonly string[]): string => [...words].sort(order).join('\n')

/** The n-th letter from 1; empty after the end of the word. */
const letterOf = (word: string, n: number): string => word[n - 1] ?? ''
/** Place in the alphabet from 1; 0 for no letter. */
const placeOf = (letter: string): number => (/^[a-z]$/.test(letter) ? letter.charCodeAt(0) - 96 : 0)

function letterClaims(letters: readonly (StatedLetter & { means: string })[], nth: number): Claim[] {
  return letters.map(({ word, means, letter, place }): Claim => {
    const says = `letter ${nth} of ${word} is ${letter}${place === null ? '' : ` (${place})`}`
    const own = letterOf(word, nth)
    const right = own === letter.toLowerCase() ? own : letterOf(means, nth)
    if (right !== letter.toLowerCase()) {
      return {
        says,
        holds: false,
        instead: `letter ${nth} of ${word} is ${right === '' ? 'none' : right}, not ${letter}`,
      }
    }
    if (place !== null && place !== placeOf(right)) {
      return { says, holds: false, instead: `${right} is letter ${placeOf(right)} of the alphabet, not ${place}` }
    }
    return { says, holds: true }
  })
}

interface Sorted {
  words: string[]
  /** Place in the alphabet of the letter that they share; null = not to be compared. */
  place: number | null
}

function splitGroup(words: readonly string[], letter: number): Sorted[] {
  const byPlace = new Map<number, string[]>()
  for (const w of words) {
    const place = placeOf(letterOf(w, letter))
    byPlace.set(place, [...(byPlace.get(place) ?? []), w])
  }
  return [...byPlace].sort((a, b) => a[0] - b[0]).map(([place, group]) => ({ words: group, place }))
}

function refine(state: State, group: readonly string[], sorted: readonly Sorted[], letter: number): State {
  const at = state.groups.findIndex((g) => key(g) === key(group))
  if (at < 0) return state
  const groups = [...state.groups]
  groups.splice(at, 1, ...sorted.map((s) => s.words))
  const depth = new Map(state.depth)
  for (const s of sorted) depth.set(key(s.words), letter)
  return { groups, depth }
}

function openGroup(
  state: State,
  group: readonly string[],
  nth: number | null,
): { claims: Claim[]; open: { words: string[]; letter: number } | null } {
  const openGroups = state.groups.filter((g) => g.length > 1)
  const says = `${list(group)} are still to be sorted`
  const found = openGroups.find((g) => key(g) === key(group))
  if (!found) {
    const instead =
      openGroups.length === 0
        ? 'all words are already in order'
        : `${list(group)} is no group that is still open; open is ${openGroups.map((g) => list(g)).join(' | ')}`
    return { claims: [{ says, holds: false, instead }], open: null }
  }
  const first = openGroups[0]
  if (first && first !== found) {
    const instead = `${list(first)} come first and are not yet sorted`
    return { claims: [{ says, holds: false, instead }], open: null }
  }
  const next = (state.depth.get(key(found)) ?? 0) + 1
  const letter = nth ?? next
  const skipped = Array.from({ length: Math.max(0, letter - next) }, (_, i) => next + i)
  const differs = skipped.find((n) => new Set(found.map((w) => letterOf(w, n))).size > 1)
  if (differs !== undefined) {
    const instead = `letter ${differs} already differs, so letter ${letter} does not decide`
    return { claims: [{ says, holds: false, instead }], open: null }
  }
  return { claims: [{ says, holds: true }], open: { words: [...found], letter } }
}

function sameWords(stated: readonly Group[], words: readonly string[]): boolean {
  return key(stated.flatMap((g) => g.words)) === key(words)
}

function chainClaims(stated: readonly Group[], expected: readonly Sorted[], letter: number | null): Claim[] {
  const claims: Claim[] = []
  const all = expected.flatMap((e) => e.words)
  const given = stated.flatMap((g) => g.words)
  const missing = all.filter((w) => !given.includes(w))
  const added = given.filter((w) => !all.includes(w))
  const twice = given.filter((w, i) => given.indexOf(w) !== i)
  const says = `the order is ${show(stated.map((g) => g.words))}`
  const wrong = (instead: string): Claim[] => [{ says, holds: false, instead }]
  if (missing.length > 0) return wrong(`${list(missing)} is missing from the order`)
  if (added.length > 0) return wrong(`${list(added)} does not belong into this order`)
  if (twice.length > 0) return wrong(`${list(twice)} comes twice`)
  const right = show(expected.map((e) => e.words))
  if (stated.length !== expected.length || stated.some((g, i) => key(g.words) !== key(expected[i]?.words ?? []))) {
    return wrong(`after these letters the order is ${right}`)
  }
  if (letter !== null) {
    stated.forEach((g, i) => {
      const place = expected[i]?.place ?? null
      if (g.place !== null && place !== null && g.place !== place) {
        claims.push({
          says: `${list(g.words)} stand at ${g.place}`,
          holds: false,
          instead: `letter ${letter} of ${list(g.words)} is at ${place} in the alphabet, not ${g.place}`,
        })
      }
    })
  }
  return [...claims, { says, holds: true }]
}

const show = (groups: readonly (readonly string[])[]): string =>
  groups.map((g) => (g.length === 1 ? g.join('') : `[${g.join(' ? ')}]`)).join(' < ')

function answerClaim(answer: string, words: readonly string[]): Claim[] {
  const given = readWords(answer).map((w) => meant(w, words))
  const sorted = [...words].sort(order)
  const says = `the answer is ${given.join(' ')}`
  const at = sorted.findIndex((w, i) => given[i] !== w)
  if (at < 0 && given.length === sorted.length) return [{ says, holds: true }]
  const missing = words.filter((w) => !given.includes(w))
  const instead =
    missing.length > 0
      ? `${list(missing)} is missing from the answer`
      : at < 0
        ? 'the answer has words too many'
        : `word ${at + 1} of the order is ${sorted[at]}, not ${given[at] ?? 'none'}`
  return [{ says, holds: false, instead }]
}
