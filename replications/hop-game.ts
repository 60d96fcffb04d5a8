import { type Random, random } from '../src/core/seeds.ts'
import type { Problem } from '../src/core/words.ts'
import { hopworld, searcher } from '../src/worlds/tasks/hopworld.ts'

/**
 * What a policy can do next in HopWorld. `next` follows the question, `astray` is another search whose finding the
 * policy goes on from, `aside` one whose finding it leaves, `again` one that it made before, `vague` names nothing.
 * `answer` states where the path has come to, `guess` what the policy believes without having searched.
 */
export const MOVES = ['next', 'astray', 'aside', 'again', 'vague', 'answer', 'guess'] as const
export type Move = (typeof MOVES)[number]
/** Searches that bring nobody nearer to the answer. */
export const USELESS: readonly Move[] = ['aside', 'again', 'vague']

export interface Game {
  hops: number
  /** Searches that a run may make; one without an answer by then has failed. */
  limit: number
  /** Chance that a search that was meant to follow the question goes astray all the same. */
  slip: number
  /** Share of questions whose answer the policy knows beforehand, and knows that it knows; 0 = no move `guess`. */
  familiar: number
}

/** What the policy sees of where it is. It does not see whether it has gone astray. */
export interface State {
  familiar: boolean
  /** Searches of its path. */
  hop: number
  /** Searches in all. */
  turn: number
}

/** Logits of every move in every state, in the order of `rowOf`. */
export type Table = Float64Array

const WIDTH = MOVES.length
export const rowOf = ({ hops, limit }: Game, { familiar, hop, turn }: State): number =>
  ((Number(familiar) * (hops + 1) + hop) * (limit + 1) + turn) * WIDTH

export function emptyTable({ hops, limit }: Game): Table {
  return new Float64Array(2 * (hops + 1) * (limit + 1) * WIDTH)
}

export function tableOf(game: Game, logit: (move: Move, state: State) => number): Table {
  const table = emptyTable(game)
  for (const state of statesOf(game)) {
    for (const [m, move] of MOVES.entries()) table[rowOf(game, state) + m] = logit(move, state)
  }
  return table
}

export function* statesOf({ hops, limit }: Game): Generator<State> {
  for (const familiar of [false, true]) {
    for (let hop = 0; hop <= hops; hop++) {
      for (let turn = 0; turn <= limit; turn++) yield { familiar, hop, turn }
    }
  }
}

function isLegal({ hops, limit, familiar }: Game, { hop, turn }: State, move: Move): boolean {
  if (move === 'answer') return true
  if (move === 'guess') return familiar > 0
  if (turn === limit) return false
  if (move === 'again') return turn > 0
  return hop < hops || (move !== 'next' && move !== 'astray')
}

/** The chance of each move in a state, in the order of `MOVES`. */
export type Policy = (state: State) => readonly number[]

/** The policy of a table that does not change while it is used. */
export function policyOf(game: Game, table: Table): Policy {
  const known = new Map<number, readonly number[]>()
  return (state) => {
    const row = rowOf(game, state)
    const before = known.get(row)
    if (before) return before
    const all = MOVES.map((move, m) => (isLegal(game, state, move) ? Math.exp(table[row + m] ?? 0) : 0))
    const total = all.reduce((a, b) => a + b, 0)
    const now = all.map((x) => x / total)
    known.set(row, now)
    return now
  }
}

/** A place in a game: what the policy sees, and whether it has gone astray. */
export interface Place {
  state: State
  lost: boolean
}

/** Where a search leads, with chances. */
export function after({ slip }: Game, { state, lost }: Place, move: Move): (Place & { chance: number })[] {
  const onPath = move === 'next' || move === 'astray'
  const to = { ...state, hop: state.hop + Number(onPath), turn: state.turn + 1 }
  const strays = move === 'astray' ? 1 : move === 'next' ? slip : 0
  return [
    { state: to, lost, chance: 1 - strays },
    { state: to, lost: true, chance: strays },
  ].filter(({ chance }) => chance > 0)
}

export const isSearch = (move: Move): boolean => move !== 'answer' && move !== 'guess'

/** 1 where this last move is right: the path was followed to its end, or the answer was known. */
export function outcomeOf({ hops }: Game, { state: { familiar, hop }, lost }: Place, move: Move): number {
  return Number(move === 'answer' ? hop === hops && !lost : familiar)
}

export interface Question {
  problem: Problem
  familiar: boolean
  /** Where it starts, and the relations to follow. */
  start: string
  relations: string[]
  /** The searches of its solution, as `entity | relation`. */
  path: ReadonlySet<string>
  /** What `check` of the task takes for right. */
  answer: string
  look(query: string): string
}

export const RELATIONS = ['birthplace', 'employer', 'mentor', 'mayor', 'founder', 'headquarters']
/** What a search finds where there is no such fact; nothing is found from there. */
const NOTHING = 'nothing'

/** Questions of HopWorld whose path never comes to the same place twice, so that nobody is right by luck. */
export function questionsOf(game: Game, seed: string, count: number): Question[] {
  const draw = random(`${seed}/familiar`)
  const questions: Question[] = []
  for (let chunk = 0; questions.length < count; chunk++) {
    for (const problem of hopworld.generate(`${seed}/${chunk}`, game.hops, count)) {
      const path = (problem.solution ?? []).flatMap((line) => /^search: (.+)$/.exec(line)?.[1] ?? [])
      const look = searcher(problem)
      const found = path.map(look)
      const [start = ''] = path[0]?.split(' | ') ?? []
      if (new Set([start, ...found]).size <= path.length) continue
      questions.push({
        problem,
        familiar: draw.next() < game.familiar,
        start,
        relations: path.map((query) => query.split(' | ')[1] ?? ''),
        path: new Set(path),
        answer: found.at(-1) ?? '',
        look,
      })
    }
  }
  return questions.slice(0, count)
}

export interface Turn {
  place: Place
  move: Move
  text: string
  /** What a search found; null for an answer. */
  found: string | null
}

export interface Episode {
  question: Question
  turns: Turn[]
  outcome: number
}

/** One run of the policy, every search made in the question's own world. */
export function play(game: Game, question: Question, policy: Policy, draw: Random): Episode {
  const turns: Turn[] = []
  let place: Place = { state: { familiar: question.familiar, hop: 0, turn: 0 }, lost: false }
  let at = question.start
  for (;;) {
    const move = drawn(policy(place.state), draw)
    if (!isSearch(move)) {
      const stated = move === 'answer' ? at : question.familiar ? question.answer : NOTHING
      turns.push({ place, move, text: `=${stated}`, found: null })
      return { question, turns, outcome: Number(stated === question.answer) }
    }
    const strays = move === 'astray' || (move === 'next' && draw.next() < game.slip)
    const query = queryOf(question, turns, at, place.state, strays ? 'astray' : move, draw)
    const found = question.look(query)
    turns.push({ place, move, text: `search: ${query}`, found })
    if (move === 'next' || move === 'astray') at = found
    const to = after(game, place, move)
    place = to.find(({ lost }) => lost === (place.lost || strays)) ?? place
  }
}

function drawn(chances: readonly number[], draw: Random): Move {
  let left = draw.next()
  const m = chances.findIndex((p) => {
    left -= p
    return left < 0
  })
  return MOVES[m] ?? MOVES[chances.findLastIndex((p) => p > 0)]!
}

function queryOf(
  question: Question,
  turns: readonly Turn[],
  at: string,
  { hop, turn }: State,
  move: Move,
  draw: Random,
): string {
  const { relations, start, path } = question
  if (move === 'next') return `${at} | ${relations[hop]}`
  if (move === 'vague') return `more on this, part ${turn + 1}`
  const asked = new Set(turns.flatMap(({ text, found }) => (found === null ? [] : [text.slice('search: '.length)])))
  if (move === 'again') return draw.pick([...asked])
  const entities = [start, ...turns.flatMap(({ found }) => (found === null ? [] : [found]))]
  const others = [...new Set(entities)]
    .flatMap((entity) => RELATIONS.map((relation) => `${entity} | ${relation}`))
    .filter((query) => !asked.has(query) && !path.has(query) && query !== `${at} | ${relations[hop]}`)
  return draw.pick(move === 'aside' ? others : others.filter((query) => leadsAstray(question, hop, query)))
}

/** Does following the question after this search never come upon its answer? A slip is never harmless. */
function leadsAstray({ relations, answer, look }: Question, hop: number, query: string): boolean {
  let here = look(query)
  for (const relation of relations.slice(hop + 1)) {
    if (here === answer) return false
    here = look(`${here} | ${relation}`)
  }
  return here !== answer
}
