import { GradusError } from '../../core/errors.ts'
import type { Problem, Step, Usage } from '../../core/words.ts'
import { addUsage, NO_USAGE } from '../../core/words.ts'
import { rollouts, type StepWriter } from '../../engine/rollout.ts'
import { type AggregatorName, aggregate } from '../../models/rewards/aggregators.ts'
import type { RewardModel, Scored } from '../../models/rewards/reward.ts'
import type { Candidate } from './search.ts'

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

/**
 * Whole samples of one policy on one problem, drawn and scored once however many searches ask for them.
 *
 * Sample i is the same for everybody, so that best-of-N, majority and weighted vote differ by their choice alone; what
 * each would have cost by itself is `usage(n)`.
 */
export class CandidatePool {
  #options: PoolOptions
  #drawn: Promise<Candidate | GradusError>[] = []
  #scored: Promise<{ candidate: Candidate | GradusError; usage: Usage }>[] = []

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Samples 0 to n - 1 that came to an end, with scores where there is a reward model. A sample whose call failed is
   * left out.
   * @throws GradusError of the last failure where nothing at all came back
   */
  async take(n: number, scored = true): Promise<{ candidates: Candidate[]; usage: Usage }> {
    this.#draw(n)
    const withScores = scored && this.#options.reward !== undefined
    if (withScores) this.#score(n)
    const all = withScores
      ? await Promise.all(this.#scored.slice(0, n))
      : (await Promise.all(this.#drawn.slice(0, n))).map((candidate) => ({ candidate, usage: usageOf(candidate) }))
    const candidates = all.flatMap(({ candidate }) => (candidate instanceof GradusError ? [] : [candidate]))
    const failure = all.findLast(({ candidate }) => candidate instanceof GradusError)?.candidate
    if (candidates.length === 0 && failure instanceof GradusError) throw failure
    return { candidates, usage: all.reduce((sum, one) => addUsage(sum, one.usage), NO_USAGE) }
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
      const one = drawing.then((done) => {
        const drawn = done[i - from]!
        if (!drawn.ok) return drawn.error
        const answer = answerOf(drawn.trace.steps)
        const { answer: _, ...trace } = drawn.trace
        return { trace: answer === null ? trace : { ...trace, answer }, scores: [], score: null }
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
      const finished = drawn.flatMap((one) => (one instanceof GradusError ? [] : [one]))
      const scored = await reward.score(
        finished.map(({ trace }) => ({ problem, steps: trace.steps })),
        signal,
      )
      let at = 0
      return drawn.map((one) => {
        if (one instanceof GradusError) return { candidate: one, usage: NO_USAGE }
        const said = scored[at++]!
        return { candidate: withScores(one, said, how), usage: addUsage(usageOf(one), said.usage) }
      })
    })
    for (let i = from; i < n; i++) {
      const one = scoring.then((all) => all[i - from]!)
      one.catch(() => {})
      this.#scored.push(one)
    }
  }
}

/** A candidate whose scoring failed stays a candidate: it has an answer, and counts in a vote. */
export function withScores(candidate: Candidate, scored: Scored, how: AggregatorName): Candidate {
  if (!scored.ok) return candidate
  return { ...candidate, scores: scored.scores, score: aggregate(how, scored.scores) }
}

function usageOf(candidate: Candidate | GradusError): Usage {
  return candidate instanceof GradusError ? NO_USAGE : (candidate.trace.usage ?? NO_USAGE)
}
