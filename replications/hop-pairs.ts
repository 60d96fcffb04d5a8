import { random } from '../src/core/seeds.ts'
import { worthOf } from './hop-exact.ts'
import { type Game, MOVES, type Move, type Place, type Policy, play, type Question } from './hop-game.ts'

/** Next moves drawn at a place, and rollouts of each: width 5 of the released search, fewer visits than its 200. */
const WIDTH = 5
const ROLLOUTS = 8
/** Success of the better move above that of the worse one, at least. */
const MARGIN = 0.25
/** Places beyond so many teach nothing new. */
const PLACES = 400
const STEPS = 300
const RATE = 0.5
/** Keeps weights of moves that never lose a comparison finite. */
const DECAY = 0.01

/** Two moves at one place, the better one first. */
export interface Pair {
  place: Place
  better: Move
  worse: Move
}

/** How much a reader who knows the question thinks of a move: 2 = what it asks for next, 1 = no harm, 0 = harm or no evidence. */
export function rankOf({ hops }: Game, { state }: Place, move: Move): number {
  const done = state.hop === hops
  if (move === 'next') return 2
  if (move === 'answer') return done ? 2 : 0
  return move === 'astray' || move === 'guess' ? 0 : 1
}

export interface Candidates {
  place: Place
  /** Drawn moves, each once, with successes of its rollouts. */
  moves: { move: Move; successes: number }[]
}

/** What a search saw of places that runs of the policy come to. A rollout's success is drawn with its exact chance. */
export function candidatesOf(game: Game, policy: Policy, questions: readonly Question[], seed: string): Candidates[] {
  const draw = random(`${seed}/candidates`)
  const worth = worthOf(game, policy)
  const places = questions.flatMap((question) => play(game, question, policy, draw).turns.map(({ place }) => place))
  return places.slice(0, PLACES).map((place) => {
    const chances = policy(place.state)
    const drawn = new Set<Move>()
    for (let i = 0; i < WIDTH; i++) {
      let left = draw.next()
      drawn.add(MOVES[chances.findIndex((p) => (left -= p) < 0)] ?? 'answer')
    }
    const moves = [...drawn].map((move) => {
      const chance = worth(place, move)
      return {
        move,
        successes: Array.from({ length: ROLLOUTS }, () => Number(draw.next() < chance)).reduce((a, b) => a + b),
      }
    })
    return { place, moves }
  })
}

/** One pair a place at most: the moves furthest apart in rollouts, or by a judge who knows the question. */
export function pairsOf(game: Game, candidates: readonly Candidates[], by: 'rollouts' | 'judge'): Pair[] {
  return candidates.flatMap(({ place, moves }) => {
    const worth = ({ move, successes }: Candidates['moves'][number]): number =>
      by === 'rollouts' ? successes / ROLLOUTS : rankOf(game, place, move)
    const sorted = moves.toSorted((a, b) => worth(b) - worth(a))
    const [best, last] = [sorted[0], sorted.at(-1)]
    if (!best || !last || worth(best) - worth(last) < (by === 'rollouts' ? MARGIN : 1)) return []
    return [{ place, better: best.move, worse: last.move }]
  })
}

/** A reward model of steps: one weight for each kind of move, question known or not, path at its end or not. */
export type StepModel = Float64Array

const FEATURES = MOVES.length * 4

export function featureOf({ hops }: Game, { state }: Place, move: Move): number {
  return (MOVES.indexOf(move) * 2 + Number(state.familiar)) * 2 + Number(state.hop === hops)
}

/** Mean over pairs of -log sigmoid(better - worse), and its gradient by every weight. */
export function pairLoss(game: Game, model: StepModel, pairs: readonly Pair[]): { loss: number; gradient: StepModel } {
  const gradient = new Float64Array(FEATURES)
  let loss = 0
  for (const { place, better, worse } of pairs) {
    const [up, down] = [featureOf(game, place, better), featureOf(game, place, worse)]
    const gap = model[up]! - model[down]!
    loss += Math.log1p(Math.exp(-gap)) / pairs.length
    const pull = 1 / (1 + Math.exp(gap)) / pairs.length
    gradient[up]! -= pull
    gradient[down]! += pull
  }
  return { loss, gradient }
}

export function modelOf(game: Game, pairs: readonly Pair[]): StepModel {
  const model = new Float64Array(FEATURES)
  for (let step = 0; step < STEPS && pairs.length > 0; step++) {
    const { gradient } = pairLoss(game, model, pairs)
    for (const [i, g] of gradient.entries()) model[i]! -= RATE * (g * FEATURES + DECAY * model[i]!)
  }
  return model
}

export function randomModel(seed: string): StepModel {
  const draw = random(`${seed}/random model`)
  return Float64Array.from({ length: FEATURES }, () => draw.normal())
}

export function scoreOf(game: Game, model: StepModel, place: Place, move: Move): number {
  return 1 / (1 + Math.exp(-model[featureOf(game, place, move)]!))
}

/** Share of pairs of moves, at places that runs of the policy come to, whose order by exact Q the model has right. */
export function pairAccuracy(
  game: Game,
  policy: Policy,
  model: StepModel,
  questions: readonly Question[],
  seed: string,
): number {
  const draw = random(`${seed}/pair accuracy`)
  const worth = worthOf(game, policy)
  let [right, all] = [0, 0]
  for (const question of questions) {
    for (const { place } of play(game, question, policy, draw).turns) {
      const chances = policy(place.state)
      const [a, b] = draw.shuffle(MOVES.filter((_, m) => chances[m]! > 0))
      if (!a || !b) continue
      const gap = worth(place, a) - worth(place, b)
      if (Math.abs(gap) < MARGIN) continue
      all++
      right += Number(gap * (scoreOf(game, model, place, a) - scoreOf(game, model, place, b)) > 0)
    }
  }
  return right / all
}
