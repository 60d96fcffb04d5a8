import { GradusError } from '../../core/errors.ts'
import type { Problem, Step, Trace, Usage } from '../../core/words.ts'
import { addUsage, NO_USAGE } from '../../core/words.ts'
import { rollouts, type StepWriter } from '../../engine/rollout.ts'
import { type AggregatorName, aggregate } from '../../models/rewards/aggregators.ts'
import type { RewardModel, Scored } from '../../models/rewards/reward.ts'
import { Purse } from './purse.ts'

/** One finished attempt at the problem, with what its scores are. */
export interface Candidate {
  /** Steps, answer and usage; `source.generator` is the policy. */
  trace: Trace
  /** One a step; empty where no reward model looked. */
  scores: (number | null)[]
  /** The aggregate; null = cannot say, which never wins against a number. */
  score: number | null
  /** The first step that the veto refutes, from 0; such a candidate is chosen only where all are refuted. */
  refuted?: number
}

export interface PoolOptions {
  problem: Problem
  policy: StepWriter
  reward?: RewardModel
  aggregate?: AggregatorName
  answerOf(steps: readonly Step[]): string | null
  /** Steps of a sample at most. */
  maxSteps?: number
  signal?: AbortSignal
}

/** A sample, or why there is none, and what was paid for it. */
interface Drawn {
  candidate: Candidate | GradusError
  usage: Usage
}

export interface TakeOptions {
  /** Scores too, where there is a reward model; default true. */
  scored?: boolean
  /** Pays for what is taken; default: one without a limit. */
  purse?: Purse
  /** The first sample; default 0. */
  from?: number
}

export interface Taken {
  candidates: Candidate[]
  usage: Usage
}

/**
 * Whole samples of one policy on one problem, drawn and scored once however many searches ask for them.
 *
 * Sample i is the same for everybody, so that best-of-N, majority and weighted vote differ by their choice alone; each
 * pays in its own books for all that it takes.
 */
export class CandidatePool {
  #options: PoolOptions
  #drawn: Promise<Drawn>[] = []
  #scored: Promise<Drawn>[] = []

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Samples `from` to n - 1 that came to an end, or as many as the purse pays for. A sample whose call failed is left
   * out.
   * @throws GradusError of the last failure where nothing at all came back, sample 0 included
   */
  async take(n: number, options: TakeOptions = {}): Promise<Taken> {
    const { scored = true, purse = new Purse({}), from = 0 } = options
    const withScores = scored && this.#options.reward !== undefined
    const all: Drawn[] = []
    for (let at = from; at < n; ) {
      const to = at + purse.grant(n - at)
      if (to === at) break
      this.#draw(to)
      if (withScores) this.#score(to)
      const block = await Promise.all((withScores ? this.#scored : this.#drawn).slice(at, to))
      for (const one of block) purse.pay(one.usage)
      all.push(...block)
      at = to
    }
    const candidates = all.flatMap(({ candidate }) => (candidate instanceof GradusError ? [] : [candidate]))
    const failure = all.findLast(({ candidate }) => candidate instanceof GradusError)?.candidate
    if (from === 0 && candidates.length === 0 && failure instanceof GradusError) throw failure
    return { candidates, usage: all.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE) }
  }

  #draw(n: number): void {
    const from = this.#drawn.length
    if (n <= from) return
    const { problem, policy, answerOf, maxSteps, signal } = this.#options
    const drawing = rollouts(
      { problem, policy, ...(maxSteps !== undefined && { maxSteps }), ...(signal && { signal }) },
      { from, count: n - from },
    )
    for (let i = from; i < n; i++) {
      const one = drawing.then((done): Drawn => {
        const drawn = done[i - from]!
        if (!drawn.ok) return { candidate: drawn.error, usage: drawn.usage }
        const trace = answered(drawn.trace, answerOf)
        return { candidate: { trace, scores: [], score: null }, usage: trace.usage ?? NO_USAGE }
      })
      // Whoever takes it hears of the failure; until then it is nobody's.
      one.catch(() => {})
      this.#drawn.push(one)
    }
  }

  #score(n: number): void {
    const from = this.#scored.length
    const { reward, problem, signal } = this.#options
    if (n <= from || !reward) return
    const how = this.#options.aggregate ?? reward.aggregate
    const scoring = Promise.all(this.#drawn.slice(from, n)).then(async (drawn) => {
      const finished = drawn.flatMap(({ candidate }) => (candidate instanceof GradusError ? [] : [candidate]))
      const scored = await reward.score(
        finished.map(({ trace }) => ({ problem, steps: trace.steps })),
        signal,
      )
      let at = 0
      return drawn.map(({ candidate, usage }): Drawn => {
        if (candidate instanceof GradusError) return { candidate, usage }
        const said = scored[at++]!
        return { candidate: withScores(candidate, said, how), usage: addUsage(usage, said.usage) }
      })
    })
    for (let i = from; i < n; i++) {
      const one = scoring.then((all) => all[i - from]!)
      one.catch(() => {})
      this.#scored.push(one)
    }
  }
}

/** The trace with the answer that its steps state, whatever its writer said. */
export function answered(trace: Trace, answerOf: PoolOptions['answerOf']): Trace {
  const answer = answerOf(trace.steps)
  const { answer: _, ...rest } = trace
  return answer === null ? rest : { ...rest, answer }
}

/** A candidate whose scoring failed stays a candidate: it has an answer, and counts in a vote. */
export function withScores(candidate: Candidate, scored: Scored, how: AggregatorName): Candidate {
  if (!scored.ok) return candidate
  const { scores, evidence } = scored
  const trace = evidence ? { ...candidate.trace, evidence } : candidate.trace
  return { ...candidate, trace, scores, score: aggregate(how, scores) }
}
