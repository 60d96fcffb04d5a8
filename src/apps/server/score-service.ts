import { GradusError } from '../../core/errors.ts'
import { Batcher } from '../../engine/batcher.ts'
import { aggregate } from '../../models/rewards/aggregators.ts'
import type { Line, RewardModel, Scored } from '../../models/rewards/reward.ts'
import { checkScores } from '../../models/rewards/scores.ts'
import { Metrics } from './metrics.ts'

/** Too much is waiting; the client should come again. */
export class Overloaded extends Error {
  /** Seconds after which it is worth trying. */
  readonly retryAfter: number
  constructor(waiting: number, retryAfter: number) {
    super(`${waiting} solutions are waiting to be scored`)
    this.retryAfter = retryAfter
  }
}

export interface ScoredLine {
  /** One a step; null = cannot say. */
  scores: (number | null)[]
  /** The aggregate; null = cannot say. */
  score: number | null
}

export interface ServiceOptions {
  /** Solutions that may wait or be scored at once; more are refused. */
  queue?: number
  /**
   * Scores together what arrives together: for a model in this process. One behind a wire is asked at once, since its
   * engine keeps the calls in bounds.
   */
  batch: boolean
}

/** Some seconds of work of a small model, and little memory. */
const QUEUE = 4_096

/** A reward model behind the server: batches, back-pressure and counts. */
export class ScoreService {
  readonly model: RewardModel
  readonly metrics: Metrics
  readonly #limit: number
  readonly #one: (line: Line) => Promise<Scored>
  #queued = 0

  constructor(model: RewardModel, { queue = QUEUE, batch }: ServiceOptions) {
    this.model = model
    this.metrics = new Metrics(() => this.#queued)
    this.#limit = queue
    const batcher = new Batcher<Line, Scored>((lines) => model.score(lines), Number.POSITIVE_INFINITY)
    this.#one = batch
      ? (line) => batcher.ask(line)
      : async (line) => (await model.score([line]))[0] ?? failure('no answer')
  }

  /**
   * All of them or none: a request that would be refused half-way is refused at once.
   * @throws Overloaded; GradusError of the first line that could not be scored, GRD-REWARD-001 for scores that are none
   */
  async score(lines: readonly Line[]): Promise<ScoredLine[]> {
    // A request larger than the queue is let in when nothing else waits.
    if (this.#queued > 0 && this.#queued + lines.length > this.#limit) throw new Overloaded(this.#queued, 1)
    this.#queued += lines.length
    try {
      const scored = await Promise.all(lines.map(this.#one))
      return scored.map((one, i) => this.#read(one, lines[i]?.steps.length ?? 0))
    } finally {
      this.#queued -= lines.length
    }
  }

  #read(scored: Scored, steps: number): ScoredLine {
    try {
      if (!scored.ok) throw scored.error
      const scores = checkScores(scored.scores, steps)
      const score = aggregate(this.model.aggregate, scores)
      this.metrics.lines(score === null ? 'abstained' : 'scored')
      return { scores, score }
    } catch (error) {
      this.metrics.lines('failed')
      throw error
    }
  }
}

function failure(found: string): Scored {
  const usage = { calls: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, seconds: 0 }
  return { ok: false, error: new GradusError('GRD-REWARD-001', { found }), usage }
}
