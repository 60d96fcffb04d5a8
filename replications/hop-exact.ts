import {
  after,
  type Game,
  isSearch,
  MOVES,
  type Move,
  outcomeOf,
  type Place,
  type Policy,
  policyOf,
  rowOf,
  type Table,
  USELESS,
} from './hop-game.ts'

/** What a run is worth when it ends: `fixed` + `perScore` × the sum of the scores of its searches. */
export type Payoff = (outcome: number, searches: number) => { fixed: number; perScore: number }

export interface Exact {
  /** Expected payoff, and its gradient by every logit. */
  payoff: number
  gradient: Float64Array
  /** P(right), P(right by a guess). */
  right: number
  guessed: number
  /** Expected searches of a run, and those of them that bring nobody nearer. */
  searches: number
  useless: number
  /** Sums of scores over all searches, and over those of failed runs. */
  score: number
  scoreOfFailed: number
}

/** What is still to come from a place: E[fixed], E[perScore], E[perScore × scores to come]. */
interface Rest {
  fixed: number
  perScore: number
  weighed: number
}

const NONE: Rest = { fixed: 0, perScore: 0, weighed: 0 }

/**
 * Everything about a policy in a game by dynamic programming; no run is drawn.
 *
 * The payoff is linear in the scores, so that a place needs to know its chance and the chance-weighted sum of scores so
 * far: the gradient by a logit is p (q - mean q), with q = chance × (fixed + score × perScore + weighed) + sum × perScore
 * of the move.
 */
export function exactly(game: Game, table: Table, scoreOf: (move: Move) => number, payoffOf: Payoff): Exact {
  const places = placesOf(game)
  const policy = policyOf(game, table)
  const at = ({ state, lost }: Place): number => 2 * (rowOf(game, state) / MOVES.length) + Number(lost)
  const rests: Rest[] = []
  const restAfter = (place: Place, move: Move): Rest => {
    if (!isSearch(move)) return { ...payoffOf(outcomeOf(game, place, move), place.state.turn), weighed: 0 }
    const sum = { ...NONE }
    for (const to of after(game, place, move)) add(sum, to.chance, rests[at(to)] ?? NONE)
    sum.weighed += scoreOf(move) * sum.perScore
    return sum
  }
  for (const place of places.toReversed()) {
    const sum = { ...NONE }
    for (const [m, p] of policy(place.state).entries()) {
      if (p > 0) add(sum, p, restAfter(place, MOVES[m]!))
    }
    rests[at(place)] = sum
  }

  const gradient = new Float64Array(table.length)
  const found = { right: 0, guessed: 0, searches: 0, useless: 0, score: 0, scoreOfFailed: 0, payoff: 0 }
  const reached = new Map<number, { chance: number; score: number }>()
  const reach = (place: Place, chance: number, score: number): void => {
    const here = reached.get(at(place)) ?? { chance: 0, score: 0 }
    reached.set(at(place), { chance: here.chance + chance, score: here.score + score })
  }
  for (const familiar of [false, true]) {
    reach({ state: { familiar, hop: 0, turn: 0 }, lost: false }, familiar ? game.familiar : 1 - game.familiar, 0)
  }
  for (const place of places) {
    const { state } = place
    const { chance, score } = reached.get(at(place)) ?? { chance: 0, score: 0 }
    if (chance === 0) continue
    const chances = policy(state)
    const worth = MOVES.map((move, m) => {
      if (chances[m] === 0) return 0
      const rest = restAfter(place, move)
      return chance * (rest.fixed + rest.weighed) + score * rest.perScore
    })
    const mean = worth.reduce((sum, q, m) => sum + q * (chances[m] ?? 0), 0)
    for (const [m, move] of MOVES.entries()) {
      const p = chances[m] ?? 0
      if (p === 0) continue
      gradient[rowOf(game, state) + m]! += p * ((worth[m] ?? 0) - mean)
      if (isSearch(move)) {
        for (const to of after(game, place, move)) {
          reach(to, to.chance * chance * p, to.chance * p * (score + chance * scoreOf(move)))
        }
        found.searches += chance * p
        if (USELESS.includes(move)) found.useless += chance * p
        continue
      }
      const outcome = outcomeOf(game, place, move)
      const { fixed, perScore } = payoffOf(outcome, state.turn)
      found.payoff += p * (chance * fixed + score * perScore)
      found.right += chance * p * outcome
      if (move === 'guess') found.guessed += chance * p * outcome
      found.score += p * score
      found.scoreOfFailed += p * score * (1 - outcome)
    }
  }
  return { ...found, gradient }
}

function add(sum: Rest, weight: number, rest: Rest): void {
  sum.fixed += weight * rest.fixed
  sum.perScore += weight * rest.perScore
  sum.weighed += weight * rest.weighed
}

/** P(right) of a run that makes a move in a place and goes on by the policy: Q. */
export function worthOf(game: Game, policy: Policy): (place: Place, move: Move) => number {
  const known = new Map<string, number>()
  const from = (place: Place, move: Move): number => {
    if (!isSearch(move)) return outcomeOf(game, place, move)
    return after(game, place, move).reduce((sum, to) => sum + to.chance * value(to), 0)
  }
  const value = (place: Place): number => {
    const key = JSON.stringify([place.state, place.lost])
    const before = known.get(key)
    if (before !== undefined) return before
    const now = policy(place.state).reduce((sum, p, m) => sum + (p === 0 ? 0 : p * from(place, MOVES[m]!)), 0)
    known.set(key, now)
    return now
  }
  return from
}

/** Every place after those that lead to it. */
function placesOf({ hops, limit, familiar: share }: Game): Place[] {
  const places: Place[] = []
  for (let turn = 0; turn <= limit; turn++) {
    for (let hop = 0; hop <= Math.min(hops, turn); hop++) {
      for (const familiar of share > 0 ? [false, true] : [false]) {
        for (const lost of [false, true]) places.push({ state: { familiar, hop, turn }, lost })
      }
    }
  }
  return places
}
