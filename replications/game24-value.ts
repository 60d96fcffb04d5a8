import type { Problem, Step } from '../src/core/words.ts'
import { NO_USAGE } from '../src/core/words.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import { fitMlp } from '../src/models/training/mlp.ts'
import { type Head, sigmoid } from '../src/models/training/rows.ts'
import {
  calculate,
  equal,
  type Operator,
  type Rational,
  rationalText,
  readRational,
} from '../src/worlds/tasks/rational.ts'

/** Whole numbers with a place of their own among the features. */
const LARGEST = 48
/** They, and fractions, negative and larger ones. */
const PLACES = LARGEST + 4
/** Numbers on the table at most. */
const NUMBERS = 4
/** The numbers that are left, the results of one further operation, how many are left, is a line wrong. */
const WIDTH = 2 * PLACES + NUMBERS + 1

const OPERATORS: readonly Operator[] = ['+', '-', '*', '/']
const LINE = /^\(?(-?[\d/]+)\)?([-+*/])\(?(-?[\d/]+)\)?=(-?[\d/]+) \(left: ([-\d/ ]+)\)$/

/** What the text of a line of moves says. */
export interface State {
  left: readonly Rational[]
  /** Is every calculation right, and every list of what is left? The expression of the answer is not looked at. */
  valid: boolean
}

/** States after each step; a line that cannot be read is wrong and leaves the numbers as they were. */
export function statesOf(problem: Problem, steps: readonly { text: string }[]): State[] {
  let state: State = { left: numbersIn(problem.prompt), valid: true }
  return steps.map(({ text }) => {
    state = after(state, text)
    return state
  })
}

function after(state: State, text: string): State {
  if (text.startsWith('=')) return state
  const line = LINE.exec(text)
  const [a, b, result] = [1, 3, 4].map((i) => readRational(line?.[i] ?? ''))
  if (!line || !a || !b || !result) return { ...state, valid: false }
  const left = numbersIn(line[5] ?? '')
  const right = calculate(a, line[2] as Operator, b)
  const rest = without(without(state.left, a), b)
  const same = rest.length === state.left.length - 2 && keyOf([result, ...rest]) === keyOf(left)
  return { left, valid: state.valid && same && right !== null && equal(right, result) }
}

const numbersIn = (text: string): Rational[] => text.split(' ').flatMap((one) => readRational(one) ?? [])

function without(numbers: readonly Rational[], one: Rational): Rational[] {
  const at = numbers.findIndex((n) => equal(n, one))
  return at < 0 ? [...numbers] : numbers.toSpliced(at, 1)
}

const keyOf = (numbers: readonly Rational[]): string => numbers.map(rationalText).sort().join(' ')

/** The state as text; all wrong lines are one. */
export const stateKey = ({ left, valid }: State): string => (valid ? keyOf(left) : 'wrong')

/** Writes the features of a state into a row that holds zeros. */
function writeFeatures(row: Float32Array, { left, valid }: State): void {
  if (!valid) {
    row[WIDTH - 1] = 1
    return
  }
  for (const number of left) row[placeOf(number)]! += 1
  row[2 * PLACES + left.length - 1] = 1
  for (const [i, a] of left.entries()) {
    for (const [j, b] of left.entries()) {
      if (i === j) continue
      for (const operator of OPERATORS) {
        if (i > j && (operator === '+' || operator === '*')) continue
        const result = calculate(a, operator, b)
        if (result) row[PLACES + placeOf(result)]! += 1
      }
    }
  }
}

function placeOf({ n, d }: Rational): number {
  if (d !== 1) return LARGEST + 1
  return n < 0 ? LARGEST + 2 : n > LARGEST ? LARGEST + 3 : n
}

/** A state with how many traces passed through it, and how many of those ended right. */
export interface Seen {
  state: State
  traces: number
  right: number
}

/** Traces by state: the outcome of a trace is the label of every state that it passes (papers/ovm.md). */
export class Outcomes {
  readonly seen = new Map<string, Seen>()
  traces = 0
  right = 0

  add(problem: Problem, steps: readonly Pick<Step, 'text'>[], right: boolean): void {
    this.traces++
    this.right += Number(right)
    for (const state of statesOf(
      problem,
      steps.filter(({ text }) => !text.startsWith('=')),
    )) {
      const key = stateKey(state)
      const one = this.seen.get(key) ?? { state, traces: 0, right: 0 }
      this.seen.set(key, one)
      one.traces++
      one.right += Number(right)
    }
  }
}

export interface FitOptions {
  epochs: number
  seed: string
}

/** P(a run of the policy from here ends right), fitted on outcomes of all states. */
export function fitValue({ seen }: Outcomes, options: FitOptions): Head {
  const all = [...seen.values()]
  return fit(
    all,
    all.map(({ right, traces }) => right / traces),
    options,
  )
}

/** The outcome twin: fitted on finished lines alone. */
export function fitOutcome({ seen }: Outcomes, options: FitOptions): Head {
  const finished = [...seen.values()].filter(({ state }) => !state.valid || state.left.length === 1)
  return fit(
    finished,
    finished.map(({ right, traces }) => right / traces),
    options,
  )
}

/** A state that was passed often counts at most so much: the model must also see the rare ones. */
const HEAVIEST = 200

function fit(seen: readonly Seen[], targets: readonly number[], { epochs, seed }: FitOptions): Head {
  const features = featuresOf(seen.map(({ state }) => state))
  const weights = Float32Array.from(seen, ({ traces }) => Math.min(HEAVIEST, traces))
  const rows = { width: WIDTH, features, targets: Float32Array.from(targets), weights }
  return fitMlp(rows, { hidden: [96], centre: false, epochs, seed }).head
}

function featuresOf(states: readonly State[]): Float32Array {
  const features = new Float32Array(states.length * WIDTH)
  for (const [i, state] of states.entries()) writeFeatures(features.subarray(i * WIDTH, (i + 1) * WIDTH), state)
  return features
}

const scoresOf = (head: Head, states: readonly State[]): number[] =>
  Array.from(head.logits(featuresOf(states)), sigmoid)

/** A function of states as a reward model; what it says of a state is kept. */
export function stateReward(name: string, of: (states: readonly State[]) => number[]): RewardModel {
  const known = new Map<string, number>()
  return {
    name,
    identity: name,
    meaning: 'value',
    aggregate: 'last',
    async score(lines) {
      const states = lines.map(({ problem, steps }) => statesOf(problem, steps))
      const fresh = new Map(
        states
          .flat()
          .map((state) => [stateKey(state), state] as const)
          .filter(([key]) => !known.has(key)),
      )
      const values = of([...fresh.values()])
      for (const [i, key] of [...fresh.keys()].entries()) known.set(key, values[i]!)
      return states.map((own) => ({
        ok: true,
        scores: own.map((state) => known.get(stateKey(state))!),
        usage: NO_USAGE,
      }))
    },
  }
}

export const headReward = (name: string, head: Head): RewardModel =>
  stateReward(name, (states) => scoresOf(head, states))
