import { z } from 'zod'
import { type Claim, judge, list, replaySteps, statedAnswer } from './replay.ts'
import type { Verifier } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'

/**
 * Replays who holds what while pairs of people exchange things.
 *
 * The problem gives the start, the exchanges in order and a question; each step must make the next exchange (or
 * several, all named) and state what its people hold afterwards.
 */
export const objectTracking: Verifier = {
  name: 'object-tracking',
  summary: 'replays who holds what while pairs exchange',
  options: z.object({}),
  covers:
    'problems that give each person one thing and then let pairs exchange; abstains on steps that name neither an exchange, a holding nor an answer',
  runsCode: false,
  reliability: {
    incorrect: 0.98,
    correct: 0.994,
    scope: 'step',
    measured:
      'BIG-Bench-Mistake, shuffled objects, tune half: 95 of 96 steps found wrong and 334 of 335 found right, (k + 1) / (n + 2); 2 of 433 steps undecided',
  },
  applies: (trace) => readProblem(trace.problem.prompt) !== null,
  verify(trace) {
    const problem = readProblem(trace.problem.prompt)
    if (problem === null) return trace.steps.map(() => UNKNOWN('the problem is no series of exchanges'))
    const replay = startReplay(problem)
    return replaySteps(trace, (text) => judge(replay(text), 'no exchange, holding or answer in this step'))
  },
}

interface Pair {
  a: string
  b: string
}

interface Problem {
  people: string[]
  start: ReadonlyMap<string, string>
  exchanges: Pair[]
  /** Who is asked for at the end; null where the question is not understood. */
  asked: string | null
  options: ReadonlyMap<string, string>
}

const NAME = String.raw`[A-Z][\p{L}'’-]*`
const EXCHANGE = '(?:swap|trade|switch|exchange)(?:s|es|ed|d|ped)?'
const HOLD =
  '(?:gets|got|has|had|have|holds|held|is holding|is dancing with|dances with|is playing|plays|is assigned to|owns|takes|receives|buys|is sitting (?:in|on|at)|is paired with)'
const HOLDING = new RegExp(
  String.raw`(${NAME}) ${HOLD} (?:(?:an?|the) )?(.+?)(?=,? and ${NAME} ${HOLD}|, ${NAME} ${HOLD}|[.;\n]|$)`,
  'gu',
)
/** "Alice and Bob swap books", "Alice swaps her book with Bob". */
const PAIR_EXCHANGES = new RegExp(
  `(${NAME}) and (${NAME}) (?:then |also |both |next )?${EXCHANGE}\\b|(${NAME}) (?:then |also |next )?${EXCHANGE}(?: [\\p{L}'’-]+){0,6}? with (${NAME})`,
  'gu',
)

/** "Alice and Bob:" or "A B:" at the start of a step. */
const SHORT_PAIR = new RegExp(String.raw`^\s*(${NAME})(?: and |, | & | |<->|↔)(${NAME})\s*:`, 'u')

function readProblem(prompt: string): Problem | null {
  const [story = '', ...rest] = prompt.split(/\n\s*Options:?\s*\n?/i)
  const exchanges = readPairs(story, null)
  if (exchanges.length === 0) return null
  const first = new RegExp(PAIR_EXCHANGES.source, 'u').exec(story)?.index ?? 0
  const start = new Map<string, string>()
  for (const m of story.slice(0, first).matchAll(HOLDING)) {
    const [, who = '', what = ''] = m
    if (!start.has(who)) start.set(who, what.trim())
  }
  const people = [...start.keys()]
  if (people.length < 2 || !exchanges.every((e) => start.has(e.a) && start.has(e.b))) return null
  const question = new RegExp(`(${NAME}) ${HOLD}[^.]*$`, 'u').exec(story.slice(story.lastIndexOf('.') + 1))
  const options = new Map<string, string>()
  for (const m of rest.join('\n').matchAll(/\(([A-Z])\)\s*([^\n]+)/g)) options.set(m[1] ?? '', (m[2] ?? '').trim())
  const asked = question?.[1]
  return { people, start, exchanges, asked: asked !== undefined && start.has(asked) ? asked : null, options }
}

/** Pairs that exchange; with `people` given, only those, and initials ("A and B", "A B:") count as names. */
function readPairs(text: string, people: readonly string[] | null): Pair[] {
  const pairs: Pair[] = []
  for (const m of text.matchAll(PAIR_EXCHANGES)) {
    const [one, two] = [m[1] ?? m[3] ?? '', m[2] ?? m[4] ?? ''].map((name) => name.replace(/['’]s$/, ''))
    const a = people === null ? one : person(one ?? '', people)
    const b = people === null ? two : person(two ?? '', people)
    if (a && b) pairs.push({ a, b })
  }
  if (people === null || pairs.length > 0) return pairs
  const short = SHORT_PAIR.exec(text)
  const a = person(short?.[1] ?? '', people)
  const b = person(short?.[2] ?? '', people)
  return a && b && a !== b ? [{ a, b }] : []
}

/** A person by name, or by an initial that is only theirs. */
function person(word: string, people: readonly string[]): string | null {
  if (people.includes(word)) return word
  if (!/^\p{Lu}$/u.test(word)) return null
  const fitting = people.filter((p) => p.startsWith(word))
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}

/** A thing by any of its words that tell it from the others: "Gatsby" is The Great Gatsby. */
function thing(words: string, things: readonly string[]): string | null {
  const said = contentWords(words)
  if (said.length === 0) return null
  const exact = things.filter((t) => contentWords(t).join(' ') === said.join(' '))
  if (exact.length === 1) return exact[0] ?? null
  const fitting = things.filter((t) => {
    const own = contentWords(t)
    return said.every((w) => own.includes(w)) || own.every((w) => said.includes(w))
  })
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}

const SMALL_WORDS = new Set(['the', 'a', 'an', 'of', 'and', 'in', 'with', 'now', 'still', 'has', 'is', 'so'])
const contentWords = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((w) => !SMALL_WORDS.has(w))

interface Holding {
  who: string
  /** As the step has it. */
  said: string
  what: string | null
}

function readHoldings(text: string, problem: Problem): Holding[] {
  const things = [...problem.start.values()]
  const holdings: Holding[] = []
  const add = (name: string, said: string): void => {
    const who = person(name, problem.people)
    if (who) holdings.push({ who, said: said.trim(), what: thing(said, things) })
  }
  const colon = [
    ...text.matchAll(new RegExp(String.raw`(${NAME})\s*(?::|=|->|→)\s*([^,;:=]+?)(?=\s*[,;.]|\s*$|\s+So\b)`, 'gu')),
  ]
  for (const m of colon) {
    if (thing(m[2] ?? '', things) !== null || !readPairs(m[2] ?? '', problem.people).length) add(m[1] ?? '', m[2] ?? '')
  }
  if (holdings.length > 0) return holdings
  for (const m of text.matchAll(HOLDING)) if (thing(m[2] ?? '', things) !== null) add(m[1] ?? '', m[2] ?? '')
  if (holdings.length > 0) return holdings
  const bare = new RegExp(String.raw`(?:^|[,:;])\s*(${NAME}) ([^,;:.]+)`, 'gu')
  for (const m of text.matchAll(bare)) if (thing(m[2] ?? '', things) !== null) add(m[1] ?? '', m[2] ?? '')
  return holdings
}

function startReplay(problem: Problem): (text: string) => Claim[] {
  const { people, exchanges } = problem
  const state = new Map(problem.start)
  let done = 0
  /** People whose holdings have been stated so far. */
  const listed = new Set<string>()
  let began = false
  /** Exchanges were named, their result is still to be stated. */
  let pending = false

  const exchange = (): void => {
    const next = exchanges[done]
    if (!next) return
    const held = state.get(next.a) ?? ''
    state.set(next.a, state.get(next.b) ?? '')
    state.set(next.b, held)
    done++
  }
  const same = (e: Pair | undefined, p: Pair): boolean =>
    e !== undefined && ((e.a === p.a && e.b === p.b) || (e.a === p.b && e.b === p.a))

  const both = (p: Pair): string => `${p.a} and ${p.b}`
  const takeExchange = (p: Pair): Claim => {
    const next = exchanges[done]
    const says = `${both(p)} exchange`
    if (next === undefined)
      return { says, holds: false, instead: `all ${exchanges.length} exchanges were already made` }
    if (same(next, p)) {
      exchange()
      return { says, holds: true }
    }
    return { says, holds: false, instead: `exchange ${done + 1} is between ${both(next)}, not ${both(p)}` }
  }
  const isHeld = (h: Holding): boolean => h.what === state.get(h.who)
  /** Does a first list, with an exchange or without, tell the start rather than the first exchange? */
  const isStart = (body: string, holdings: readonly Holding[]): boolean => {
    const now = holdings.filter(isHeld).length
    exchange()
    const after = holdings.filter(isHeld).length
    state.clear()
    for (const [who, what] of problem.start) state.set(who, what)
    done = 0
    return START.test(body) || now >= after
  }
  const holdingClaim = (h: Holding, why: string): Claim => {
    const says = `${h.who} holds ${h.said}`
    if (isHeld(h)) return { says, holds: true }
    const instead = `${why}${h.who} holds ${state.get(h.who) ?? ''}, not ${h.said}`
    return done === 0 ? { says, holds: false, instead, restates: true } : { says, holds: false, instead }
  }
  /**
   * A list must hold both partners of its exchange. Where the exchange is not named, the list is all that the step
   * says, so one that goes beyond the partners must hold all who were listed before.
   */
  const omissions = (partners: readonly string[], holdings: readonly Holding[], isNamed: boolean): Claim[] => {
    const here = new Set(holdings.map((h) => h.who))
    const others = !isNamed && [...here].some((p) => !partners.includes(p))
    const missing = people.filter((p) => !here.has(p) && (partners.includes(p) || (others && listed.has(p))))
    if (missing.length === 0) return []
    return [
      { says: 'the list is complete', holds: false, instead: `the list leaves out what ${list(missing)} now holds` },
    ]
  }
  const finalClaims = (answer: string): Claim[] => {
    if (problem.asked === null || answer === '') return []
    const letter = /^\W*\(?([A-Z])\)?\W*$/.exec(answer)?.[1] ?? /\(([A-Z])\)/.exec(answer)?.[1]
    const said = letter === undefined ? answer : problem.options.get(letter)
    if (said === undefined) return []
    const what = thing(said, [...problem.start.values()])
    const says = `the answer is ${said}`
    if (what === null) return [{ says, holds: null }]
    const held = state.get(problem.asked) ?? ''
    if (what === held) return [{ says, holds: true }]
    return [{ says, holds: false, instead: `at the end ${problem.asked} holds ${held}, so the answer is not ${said}` }]
  }

  return (text) => {
    const claims: Claim[] = []
    const answer = statedAnswer(text)
    const body = answer === null ? text : text.replace(ANSWER, '')
    const isEnd = END.test(body)
    const named = isEnd ? [] : readPairs(body, people)
    const holdings = readHoldings(body.replace(SHORT_PAIR, ''), problem)
    let partners: string[] = []
    let why = ''
    for (const pair of named) {
      const claim = takeExchange(pair)
      claims.push(claim)
      if (claim.holds === false) return claims
      partners.push(pair.a, pair.b)
    }
    if (named.length > 0) {
      why = `${named.map(both).join(', then ')} exchange what they hold, so `
    } else if (holdings.length > 0 && !isEnd && !pending && (began || !isStart(body, holdings))) {
      const next = exchanges[done]
      if (next) {
        exchange()
        partners = [next.a, next.b]
        why = `${both(next)} exchange what they hold in exchange ${done}, so `
      }
    }
    if (isEnd || answer !== null) while (done < exchanges.length && (isEnd || holdings.length === 0)) exchange()
    for (const h of holdings) claims.push(holdingClaim(h, why))
    if (!isEnd && holdings.length > 0) claims.push(...omissions(partners, holdings, named.length > 0))
    if (named.length > 0 || holdings.length > 0) {
      began = true
      pending = holdings.length === 0
    }
    for (const h of holdings) listed.add(h.who)
    if (answer !== null) {
      while (done < exchanges.length) exchange()
      claims.push(...finalClaims(answer))
    }
    return claims
  }
}

const START = /\b(?:start|begin|beginning|initial|initially|first,? each)\b/i
const END = /\b(?:at|in|by) the end\b/i
const ANSWER = /[,;]?\s*(?:\bso\b,?\s*|\btherefore\b,?\s*)?(?:\bthe\b\s*)?\banswer(?:\s+is|\s*[:=])[\s\S]*$/i
