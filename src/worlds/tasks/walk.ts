import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { type Random, random } from '../../core/seeds.ts'
import type { Problem } from '../../core/words.ts'
import { type CompleterOptions, completerOptions, type Injected, type StepTruth, type Task } from './task.ts'

/** A line that restates the line before it; every task understands it. */
const FIX = 'fix '

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

/** Reading, careful runs and chances on one problem; what was worked out about a state is kept. */
class Runs<P, S extends object> {
  readonly walk: Walk<P, S>
  readonly p: P
  readonly options: CompleterOptions
  readonly #reads = new Map<S, Map<string, { correct: boolean; state: S }>>()
  readonly #onTrack = new Map<S, boolean>()
  readonly #chance = new Map<S, number>()

  constructor(walk: Walk<P, S>, p: P, options: CompleterOptions) {
    this.walk = walk
    this.p = p
    this.options = options
  }

  begin(): Held<S> {
    return { current: this.walk.start(this.p), before: null, fresh: false }
  }

  /** The same state object for the same line, so that chances are worked out once. */
  step(s: S, text: string): { correct: boolean; state: S } {
    const reads = this.#reads.get(s) ?? new Map<string, { correct: boolean; state: S }>()
    this.#reads.set(s, reads)
    const known = reads.get(text)
    if (known) return known
    const read = this.walk.read(this.p, s, text)
    reads.set(text, read)
    return read
  }

  line(h: Held<S>, text: string): { correct: boolean; held: Held<S> } {
    if (this.walk.answer(h.current) !== null) return { correct: false, held: h }
    const fix = text.startsWith(FIX)
    if (fix && h.before === null) return { correct: false, held: { ...h, fresh: false } }
    const from = fix && h.before !== null ? h.before : h.current
    const { correct, state } = this.step(from, fix ? text.slice(FIX.length) : text)
    return { correct, held: { current: state, before: from, fresh: !correct } }
  }

  careful(from: S): string[] {
    const steps: string[] = []
    let s = from
    for (let text = this.#next(s); text !== null && steps.length < MAX_CAREFUL; text = this.#next(s)) {
      steps.push(text)
      s = this.step(s, text).state
    }
    return steps
  }

  #next(s: S): string | null {
    return this.walk.next(this.p, s)
  }

  /** Does a careful run from here end right? */
  onTrack(s: S): boolean {
    const known = this.#onTrack.get(s)
    if (known !== undefined) return known
    const right = this.#endsRight(s)
    this.#onTrack.set(s, right)
    return right
  }

  #endsRight(s: S): boolean {
    const stated = this.walk.answer(s)
    if (stated !== null) return this.walk.check(this.p, stated)
    if (this.walk.onTrack) return this.walk.onTrack(this.p, s)
    const answer = this.walk.answerIn(this.careful(s).at(-1) ?? '')
    return answer !== null && this.walk.check(this.p, answer)
  }

  /** Wrong steps of a kind after which a careful run ends wrong. */
  harmful(s: S, kind: string): string[] {
    return this.walk.wrong(this.p, s, kind).filter((text) => !this.onTrack(this.step(s, text).state))
  }

  #canHarm(s: S): boolean {
    const harms = (text: string) => !this.onTrack(this.step(s, text).state)
    return this.walk.errorKinds.some((kind) => this.walk.wrong(this.p, s, kind).some(harms))
  }

  /** A(k) of `walkTask`, from a state on track; 0 from others. */
  chance(s: S): number {
    const known = this.#chance.get(s)
    if (known !== undefined) return known
    const text = this.#next(s)
    const { slip, recovery } = this.options
    let chance = this.onTrack(s) ? 1 : 0
    if (chance === 1 && text !== null) {
      if (this.#canHarm(s)) chance = this.walk.answerIn(text) === null ? (1 - slip) / (1 - slip * recovery) : 1 - slip
      chance *= this.chance(this.step(s, text).state)
    }
    this.#chance.set(s, chance)
    return chance
  }

  value(h: Held<S>): number {
    const on = this.chance(h.current)
    if (!h.fresh || h.before === null || this.walk.answer(h.current) !== null) return on
    return this.options.recovery * this.chance(h.before) + (1 - this.options.recovery) * on
  }

  /** One line of the completer: right, or wrong with the chance of a slip. */
  write(s: S, rng: Random): string | null {
    const right = this.#next(s)
    if (right === null || rng.next() >= this.options.slip) return right
    for (const kind of rng.shuffle(this.walk.errorKinds)) {
      const steps = this.harmful(s, kind)
      if (steps.length > 0) return rng.pick(steps)
    }
    return right
  }
}

/**
 * A task from its walk: a run is a list of lines, each right or wrong given the state that the lines before it state.
 *
 * Value, with slip s and recovery r: a run is on track when a careful run from its state ends right. Slips never put a
 * lost run back on track, so a lost run has value 0 unless its last line is the culprit and is restated. On track
 * with k steps to go, A(1) = 1 - s (the answer ends the run and cannot be restated), and
 * A(k) = (1 - s) A(k-1) + s r A(k); steps at which no error can do harm count as s = 0.
 */
export function walkTask<P, S extends object>(walk: Walk<P, S>): Task {
  const options = completerOptions(walk.defaults)

  const parsed = (problem: Problem): P => {
    const p = walk.parse(problem)
    if (p !== null) return p
    throw new GradusError('GRD-WORLD-001', {
      found: problem.prompt.length > 80 ? `${problem.prompt.slice(0, 80)}...` : problem.prompt,
      expected: `a problem of the task ${walk.name}`,
    })
  }

  const withDefaults = (given: Partial<CompleterOptions> | undefined): CompleterOptions => {
    const read = options.safeParse(given ?? {})
    if (read.success) return read.data
    throw new GradusError('GRD-CLI-002', { found: JSON.stringify(given), expected: z.prettifyError(read.error) })
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
        const runs = new Runs(walk, parsed(made), walk.defaults)
        const solution = runs.careful(runs.begin().current)
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
      const runs = new Runs(walk, parsed(problem), withDefaults(given))
      let held = runs.begin()
      return steps.map((text): StepTruth => {
        const { correct, held: after } = runs.line(held, text)
        held = after
        return { correct, value: runs.value(held) }
      })
    },

    inject(problem, kind, step, seed): Injected | null {
      const runs = new Runs(walk, parsed(problem), walk.defaults)
      const start = runs.begin().current
      const solution = runs.careful(start)
      if (step < 0 || step >= solution.length) return null
      const before = solution.slice(0, step)
      const s = before.reduce((state, text) => runs.step(state, text).state, start)
      const steps = walk.wrong(runs.p, s, kind)
      if (steps.length === 0) return null
      const wrong = random(`${walk.name}/inject/${problem.id}/${kind}/${step}/${seed}`).pick(steps)
      return { steps: [...before, wrong, ...runs.careful(runs.step(s, wrong).state)], firstError: step, kind }
    },

    complete(problem, prefix, rng, given) {
      const runs = new Runs(walk, parsed(problem), withDefaults(given))
      const { recovery } = runs.options
      let held = runs.begin()
      for (const text of prefix) held = runs.line(held, text).held
      const added: string[] = []
      while (walk.answer(held.current) === null && added.length < MAX_LINES) {
        const repaired = held.fresh && rng.next() < recovery ? held.before : null
        const text = runs.write(repaired ?? held.current, rng)
        if (text === null) break
        const line = repaired === null ? text : FIX + text
        added.push(line)
        held = runs.line(held, line).held
      }
      return added
    },
  }
}

/** Numbers near n that a careless writer would put instead, n itself left out. */
export function nearby(n: number, least = Number.NEGATIVE_INFINITY): number[] {
  return [n - 10, n - 2, n - 1, n + 1, n + 2, n + 10].filter((m) => m >= least)
}
