import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import type { Attempt, Credit } from '../src/improve/credit/credit.ts'
import type { Exact } from './hop-exact.ts'
import {
  type Episode,
  emptyTable,
  type Game,
  MOVES,
  type Policy,
  play,
  policyOf,
  type Question,
  rowOf,
  type Table,
} from './hop-game.ts'

/** Questions of an update, and runs of each. */
const QUESTIONS = 16
const GROUP = 8

/** Climbs with Adam (Kingma and Ba 2015), which makes rewards of different size comparable. */
export class Climber {
  readonly table: Table
  readonly #rate: number
  readonly #first: Float64Array
  readonly #second: Float64Array
  #steps = 0

  constructor(start: Table, rate: number) {
    this.table = start.slice()
    this.#rate = rate
    this.#first = new Float64Array(start.length)
    this.#second = new Float64Array(start.length)
  }

  step(gradient: Float64Array): void {
    this.#steps++
    for (const [i, g] of gradient.entries()) {
      this.#first[i] = 0.9 * this.#first[i]! + 0.1 * g
      this.#second[i] = 0.99 * this.#second[i]! + 0.01 * g * g
      const up = this.#first[i]! / (1 - 0.9 ** this.#steps)
      const spread = Math.sqrt(this.#second[i]! / (1 - 0.99 ** this.#steps))
      this.table[i]! += (this.#rate * up) / (spread + 1e-8)
    }
  }
}

/** One score a turn of every run of a group, null = none; `name` of the group, for what is drawn. */
export type Scores = (group: readonly Episode[], name: string) => (number | null)[][]

/** The same scores at turns of the group drawn at random: the control of all that reads scores. */
export function shuffled(scores: Scores): Scores {
  return (group, name) => {
    const all = scores(group, name)
    const known = all.flat().filter((x) => x !== null)
    const mixed = random(`${name}/shuffled`).shuffle(known).values()
    return all.map((own) => own.map((x) => (x === null ? null : (mixed.next().value ?? null))))
  }
}

/** How attempts become advantages. */
export interface Teaching {
  credit: Credit
  options?: Record<string, unknown>
  scores?: Scores
  /** Is the outcome of a run replaced by something else in [0, 1]? */
  outcome?: (episode: Episode) => number
}

/** A group as credit sees it: a turn is a step, its characters are its tokens. */
export function attemptsOf(group: readonly Episode[], { scores, outcome }: Teaching, name: string): Attempt[] {
  const all = scores?.(group, name)
  return group.map((episode, i) => ({
    id: String(i),
    outcome: outcome ? outcome(episode) : episode.outcome,
    startValue: null,
    steps: episode.turns.map(({ text }, t) => ({
      text,
      tokens: text.length + 1,
      score: all?.[i]?.[t] ?? null,
      value: null,
    })),
  }))
}

/** Mean over the moves of all runs of advantage × gradient of the log-probability. */
export function gradientOf(
  game: Game,
  policy: Policy,
  runs: readonly { episode: Episode; advantages: readonly number[] }[],
): Float64Array {
  const gradient = emptyTable(game)
  const moves = runs.reduce((sum, { advantages }) => sum + advantages.length, 0)
  for (const { episode, advantages } of runs) {
    for (const [t, { place, move }] of episode.turns.entries()) {
      const row = rowOf(game, place.state)
      const weight = (advantages[t] ?? 0) / moves
      for (const [m, p] of policy(place.state).entries()) {
        gradient[row + m]! += weight * (Number(MOVES[m] === move) - p)
      }
    }
  }
  return gradient
}

/** A policy that learns from groups of its own runs: as it is when it has made so many moves, one table a number. */
export function trained(
  game: Game,
  start: Table,
  questions: readonly Question[],
  teaching: Teaching,
  { rate, stops, seed }: { rate: number; stops: readonly number[]; seed: string },
): Table[] {
  const climber = new Climber(start, rate)
  let [made, next, update] = [0, 0, 0]
  return stops.map((stop) => {
    for (; made < stop; update++) {
      const policy = policyOf(game, climber.table)
      const runs = Array.from({ length: QUESTIONS }, (_, q) => {
        const question = questions[next++ % questions.length]!
        const name = `${seed}/${update}/${q}`
        const draw = random(name)
        const group = Array.from({ length: GROUP }, () => play(game, question, policy, draw))
        const credits = teaching.credit.credit(attemptsOf(group, teaching, name), teaching.options)
        return group.map((episode, i) => ({ episode, advantages: credits[i]?.advantages ?? [] }))
      }).flat()
      made += runs.reduce((sum, { advantages }) => sum + advantages.length, 0)
      climber.step(gradientOf(game, policy, runs))
    }
    return climber.table.slice()
  })
}

/** By arm, stop and seed: everything about the trained policies, one of each number of hops. */
export type Found = Map<string, Exact[][][]>

/** Mean over the hops, one value a seed. */
export function bySeed(found: Found, arm: string, stop: number, of: (exact: Exact) => number): number[] {
  return (found.get(arm)?.[stop] ?? []).map((byHops) => mean(byHops.map(of)))
}
