import { GradusError } from '../../core/errors.ts'
import { type Random, random } from '../../core/seeds.ts'
import type { Problem } from '../../core/words.ts'
import { type CompleterOptions, completerOptions, type Injected, type StepTruth, type Task } from './task.ts'

/** A line that restates the line before it; every task understands it. */
export const FIX = 'fix '

/** Lines after which a run that never comes to an answer is cut; the longest solutions have some 60. */
const MAX_LINES = 1_000

/** A careful run from any stated state ends within this many steps or never. */
const MAX_CAREFUL = 200

/** What a task has to say about its own texts; `walkTask` makes the rest. `P` = parsed problem, `S` = stated state. */
export interface Walk<P, S> {
  name: string
  summary: string
  levels: readonly string[]
  maxLength: readonly number[]
  errorKinds: readonly string[]
  defaults: CompleterOptions
  /** A problem's prompt and context at a level. */
  make(level: number, random: Random): Pick<Problem, 'prompt' | 'context'>
  /** null = not a problem of this task. */
  parse(problem: Problem): P | null
  start(p: P): S
  /** The right next step from a state, taken as it was stated; null only after an answer. */
  next(p: P, s: S): string | null
  /** What a step makes of a state; an unreadable step is wrong and changes nothing. */
  read(p: P, s: S, step: string): { correct: boolean; state: S }
  /** All wrong next steps of a kind, each read as incorrect; none of them answers before the last step. */
  wrong(p: P, s: S, kind: string): string[]
  /** The answer stated so far, null before. */
  answer(s: S): string | null
  /** The answer that a step states, null where it is no answer step. */
  answerIn(step: string): string | null
  /** Is this answer right? */
  check(p: P, answer: string): boolean
  /** Does a careful run from here end right? Given where it is cheaper to say than to run. */
  onTrack?(p: P, s: S): boolean
}

/** The state after a line, with what a `fix` line needs. */
interface Held<S> {
  current: S
  /** State before the last line; null at the start. */
  before: S | null
  /** Was the last line wrong? */
  fresh: boolean
}

/**
 * A task from its walk: a run is a list of lines, each right or wrong given the state that the lines before it state.
 *
 * Value, with slip s and recovery r: a run is on track when a careful run from its state ends right. Slips never put a
 * lost run back on track, so a lost run has value 0 unless its last line is the culprit and is restated. On track
 * with k steps to go, A(1) = 1 - s (the answer ends the run and cannot be restated), and
 * A(k) = (1 - s) A(k-1) + s r A(k); steps at which no error can do harm count as s = 0.
 */
export function walkTask<P, S>(walk: Walk<P, S>): Task {
  const options = completerOptions(walk.defaults)

  const parsed = (problem: Problem): P => {
    const p = walk.parse(problem)
    if (p !== null) return p
    throw new GradusError('GRD-WORLD-001', {
      found: problem.prompt.length > 80 ? `${problem.prompt.slice(0, 80)}...` : problem.prompt,
      expected: `a problem of the task ${walk.name}`,
    })
  }

  const carefulSteps = (p: P, from: S): string[] => {
    const steps: string[] = []
    let s = from
    for (let step = walk.next(p, s); step !== null && steps.length < MAX_CAREFUL; step = walk.next(p, s)) {
      steps.push(step)
      s = walk.read(p, s, step).state
    }
    return steps
  }

  const onTrack = (p: P, s: S): boolean => {
    const stated = walk.answer(s)
    if (stated !== null) return walk.check(p, stated)
    if (walk.onTrack) return walk.onTrack(p, s)
    const last = carefulSteps(p, s).at(-1)
    const answer = last === undefined ? null : walk.answerIn(last)
    return answer !== null && walk.check(p, answer)
  }

  /** Wrong steps after which a careful run ends wrong. */
  const harmful = (p: P, s: S, kind: string): string[] =>
    walk.wrong(p, s, kind).filter((step) => !onTrack(p, walk.read(p, s, step).state))
  const canHarm = (p: P, s: S): boolean =>
    walk.errorKinds.some((kind) => walk.wrong(p, s, kind).some((step) => !onTrack(p, walk.read(p, s, step).state)))

  const read = (p: P, h: Held<S>, line: string): { correct: boolean; held: Held<S> } => {
    if (walk.answer(h.current) !== null) return { correct: false, held: h }
    const fix = line.startsWith(FIX)
    if (fix && h.before === null) return { correct: false, held: { ...h, fresh: false } }
    const from = fix && h.before !== null ? h.before : h.current
    const { correct, state } = walk.read(p, from, fix ? line.slice(FIX.length) : line)
    return { correct, held: { current: state, before: from, fresh: !correct } }
  }
  const begin = (p: P): Held<S> => ({ current: walk.start(p), before: null, fresh: false })

  const withDefaults = (o: Partial<CompleterOptions> | undefined): CompleterOptions => ({ ...walk.defaults, ...o })

  /** A(k) of the docstring, from a state on track; 0 from others. */
  const chance = (p: P, from: S, { slip, recovery }: CompleterOptions): number => {
    if (!onTrack(p, from)) return 0
    let value = 1
    let s = from
    for (const step of carefulSteps(p, from)) {
      if (canHarm(p, s)) value *= walk.answerIn(step) === null ? (1 - slip) / (1 - slip * recovery) : 1 - slip
      s = walk.read(p, s, step).state
    }
    return value
  }
  const value = (p: P, h: Held<S>, o: CompleterOptions): number => {
    const on = chance(p, h.current, o)
    if (!h.fresh || h.before === null || walk.answer(h.current) !== null) return on
    return o.recovery * chance(p, h.before, o) + (1 - o.recovery) * on
  }

  /** One line of the completer from a state: right, or wrong with the chance of a slip. */
  const write = (p: P, s: S, rng: Random, slip: number): string | null => {
    const right = walk.next(p, s)
    if (right === null || rng.next() >= slip) return right
    for (const kind of rng.shuffle(walk.errorKinds)) {
      const steps = harmful(p, s, kind)
      if (steps.length > 0) return rng.pick(steps)
    }
    return right
  }

  return {
    name: walk.name,
    summary: walk.summary,
    options,
    levels: walk.levels,
    maxLength: walk.maxLength,
    errorKinds: walk.errorKinds,

    generate(seed, level, n) {
      if (walk.levels[level] === undefined) {
        throw new GradusError('GRD-WORLD-002', {
          found: `level ${level} of ${walk.name}`,
          expected: `0 to ${walk.levels.length - 1}`,
        })
      }
      return Array.from({ length: n }, (_, i): Problem => {
        const id = `${walk.name}/${level}/${seed}/${i}`
        const made: Problem = { id, ...walk.make(level, random(id)), domain: walk.name }
        const p = parsed(made)
        const solution = carefulSteps(p, walk.start(p))
        const answer = walk.answerIn(solution.at(-1) ?? '')
        return { ...made, ...(answer !== null && { answer }), solution }
      })
    },

    check: (problem, answer) => walk.check(parsed(problem), answer.trim()),

    answerOf(steps) {
      for (const step of steps) {
        const answer = walk.answerIn(step)
        if (answer !== null) return answer
      }
      return null
    },

    oracle(problem, steps, given) {
      const p = parsed(problem)
      const o = withDefaults(given)
      let held = begin(p)
      return steps.map((line): StepTruth => {
        const { correct, held: after } = read(p, held, line)
        held = after
        return { correct, value: value(p, held, o) }
      })
    },

    inject(problem, kind, step, seed): Injected | null {
      const p = parsed(problem)
      const solution = carefulSteps(p, walk.start(p))
      if (step < 0 || step >= solution.length) return null
      const before = solution.slice(0, step)
      const s = before.reduce((state, line) => walk.read(p, state, line).state, walk.start(p))
      const steps = walk.wrong(p, s, kind)
      if (steps.length === 0) return null
      const wrong = random(`${walk.name}/inject/${problem.id}/${kind}/${step}/${seed}`).pick(steps)
      const after = carefulSteps(p, walk.read(p, s, wrong).state)
      return { steps: [...before, wrong, ...after], firstError: step, kind }
    },

    complete(problem, prefix, rng, given) {
      const p = parsed(problem)
      const { slip, recovery } = withDefaults(given)
      let held = begin(p)
      for (const line of prefix) held = read(p, held, line).held
      const added: string[] = []
      while (walk.answer(held.current) === null && added.length < MAX_LINES) {
        const repair = held.fresh && held.before !== null && rng.next() < recovery
        const step = write(p, repair && held.before !== null ? held.before : held.current, rng, slip)
        if (step === null) break
        const line = repair ? FIX + step : step
        added.push(line)
        held = read(p, held, line).held
      }
      return added
    },
  }
}

/** Numbers near n that a careless writer would put instead, n itself left out. */
export function nearby(n: number, least = Number.NEGATIVE_INFINITY): number[] {
  return [n - 10, n - 2, n - 1, n + 1, n + 2, n + 10].filter((m) => m >= least)
}
